"""Loading generators: our files whole, everything else refused in one sentence."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import rosinality_names
from hostile import Call
from nvidia_pickles import write_networks
from safetensors import SafetensorError
from tiny import TINY, make_generator

from emogan_core import weights
from emogan_core.checkpoints import load, load_generator, start_of, write_generator
from emogan_core.checkpoints.convert import ConversionOptions, convert_generator
from emogan_core.checkpoints.known import sha256_of
from emogan_core.checkpoints.pickles import open_archive, read_pickle
from emogan_core.errors import CheckpointError, DeviceError, OutputError
from emogan_core.networks import Generator, tensors_of
from emogan_core.weights import read_header, read_tensors, write_tensors

FULL_DISK = "Error while serializing: I/O error: No space left on device (os error 28)"


@pytest.fixture
def file(tiny: Generator, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    write_generator(path, tiny, half=False, notes={"licence": "test"})
    return path


def test_shape_file_round_trips(tiny: Generator, file: Path, rng: torch.Generator) -> None:
    again = load_generator(file)
    assert again.spec == tiny.spec
    assert again.fingerprint == tiny.fingerprint
    ws = tiny.mapping(torch.randn(1, 16, generator=rng))
    torch.testing.assert_close(again.synthesis(ws), tiny.synthesis(ws), atol=0, rtol=0)
    assert not any(p.requires_grad for p in again.parameters())


def test_shape_half_file_is_stable_once_written(tiny: Generator, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_generator(first, tiny, half=True)
    write_generator(second, load_generator(first), half=True)
    assert load_generator(second).fingerprint == load_generator(first).fingerprint
    assert first.stat().st_size < 0.6 * tiny_bytes(tiny)


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "stylegan2-resnet", "c_dim": 4, "discriminator_clamp": 256.0},
        {"architecture": "stylegan2-orig", "c_dim": 1, "conditioning": "concat", "discriminator_group": None},
    ],
)
def test_shape_classes_and_discriminators_round_trip(change: dict[str, Any], tmp_path: Path) -> None:
    net, path = make_generator(replace(TINY, **change)), tmp_path / "classes.safetensors"
    write_generator(path, net, half=False)
    again = load_generator(path)
    assert again.spec == net.spec
    assert again.fingerprint == net.fingerprint
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert again.discriminator is not None
    torch.testing.assert_close(again.discriminator(images), net.discriminator(images), atol=0, rtol=0)


def tiny_bytes(generator: Generator) -> int:
    return sum(4 * tensor.numel() for tensor in generator.state_dict().values())


def test_invariance_the_name_does_not_matter(file: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "photo.jpg"
    file.rename(renamed)
    assert load_generator(renamed).spec.resolution == 32


def test_error_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    flag, path = tmp_path / "flag", tmp_path / "ffhq.safetensors"
    path.write_bytes(pickle.dumps(Call(Path.touch, flag)))
    with pytest.raises(CheckpointError, match=r"ffhq\.safetensors: refused 'pathlib"):
        load_generator(path)
    assert not flag.exists()


def test_error_missing_file_and_device(file: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no generator file"):
        load_generator(tmp_path / "none.safetensors")
    with pytest.raises(DeviceError, match="not known"):
        load_generator(file, device="tpu")


def test_error_packed_files_and_folders_in_one_sentence(tiny: Generator, tmp_path: Path) -> None:
    source = write_networks(tmp_path / "ffhq.pkl", tiny)
    packed = tmp_path / "ffhq.zip"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.write(source, "models/ffhq.pkl")
        with pytest.raises(CheckpointError, match=r"^ffhq\.zip: it is a zip archive of 'models/ffhq\.pkl'.* unpack it"):
            load_generator(packed)
    (tmp_path / "ffhq.pkl.gz").write_bytes(gzip.compress(source.read_bytes()))
    with pytest.raises(CheckpointError, match=r"^ffhq\.pkl\.gz is a packed archive; unpack it first"):
        load_generator(tmp_path / "ffhq.pkl.gz")
    with pytest.raises(CheckpointError, match=f"{tmp_path.name} is a folder; give the file in it"):
        load_generator(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("read", [load_generator, start_of, sha256_of, open_archive, read_pickle])
def test_error_pipes_and_devices_are_not_waited_for(read: Callable[[Path], object], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pkl")
    for path in (tmp_path / "pipe.pkl", Path("/dev/zero")):
        with pytest.raises(CheckpointError, match="is a device or pipe, not an ordinary file"):
            read(path)


def test_error_other_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_tensors(path, {"x": torch.zeros(3)}, {"format": "pt"})
    with pytest.raises(CheckpointError, match="not a generator of ours"):
        load_generator(path)


def test_invariance_a_latent_outlives_its_file(tmp_path: Path) -> None:
    """Mapped tensors would change with the file, and a file cut short would end the process."""
    path = tmp_path / "latent.safetensors"
    write_tensors(path, {"ws": torch.ones(4096)}, {})
    tensors, _ = read_tensors(path)
    path.write_bytes(b"")
    assert float(tensors["ws"].sum()) == 4096


def test_error_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("a" * 5000, "a\0b"):
        with pytest.raises(CheckpointError):
            load_generator(tmp_path / name)


@pytest.mark.parametrize(
    "change",
    [
        {"name": 5},
        {"crop": ["tight"]},
        {"licence": None},
        {"discriminator_group": 2.5},
        {"conv_clamp": float("nan")},
        {"conv_clamp": "4"},
        {"channels": [8] * 100_000},
        {"licence": "a\ud800b"},
        {"crop": "\udfff"},
        {"conv_clamp": 10**400},
        {"resolution": 10**400},
        {"resolution": 1e400},
        {"odd": 1},
    ],
)
def test_error_descriptions_of_other_types(tiny: Generator, tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "expected.safetensors"
    spec = json.dumps(json.loads(tiny.spec.to_json()) | change)
    write_tensors(path, tensors_of(tiny), {"format": "emotiongan-generator-1", "spec": spec})
    with pytest.raises(CheckpointError, match=r"^expected\.safetensors: ") as caught:
        load_generator(path)
    assert len(str(caught.value)) < 400


def test_invariance_names_that_are_no_unicode_are_written(tiny: Generator, tmp_path: Path) -> None:
    source = write_networks(tmp_path / os.fsdecode(b"f\xffhq.pkl"), tiny)
    options = ConversionOptions(crop="\udcff", licence="\udcfe")
    convert_generator(source, tmp_path / "out.safetensors", options=options)
    spec = load_generator(tmp_path / "out.safetensors").spec
    assert (spec.name, spec.crop, spec.licence) == ("f?hq", "?", "?")


def test_error_numbers_that_are_none(tiny: Generator, tmp_path: Path) -> None:
    path = tmp_path / "nan.safetensors"
    for value in (torch.nan, torch.inf, 3e38):  # the last is finite, but what is computed from it is not
        tensors = {name: tensor.clone() for name, tensor in tensors_of(tiny).items() if name != "statistics.w_std"}
        for layer in ("fc0", "fc1"):
            tensors[f"mapping.{layer}.weight"].fill_(value)
        write_tensors(path, tensors, {"format": "emotiongan-generator-1", "spec": tiny.spec.to_json()})
        with pytest.raises(CheckpointError, match=r"^nan\.safetensors: .*NaN or infinity"):
            load_generator(path)


def test_error_want_of_memory_is_not_the_files_fault(
    tiny: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object) -> Generator:
        raise MemoryError

    path = write_networks(tmp_path / "large.pkl", tiny)
    monkeypatch.setattr(load, "build_generator", build)
    with pytest.raises(MemoryError):
        load_generator(path)


def test_error_every_truncation_is_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    cut = tmp_path / "cut.safetensors"
    for length in (0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            load_generator(cut)


@pytest.mark.parametrize(
    "header",
    [
        {"x": {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1 << 60]}},
        {"x": {"dtype": "F32", "shape": [10**4000, 10**4000], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [10**4000] * 3000, "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 4]}},
        {"x": {"dtype": "OBJ", "shape": [1], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32"}},
        {"x": 3},
        {"__metadata__": {"spec": 5}},
        {"__metadata__": []},
        [],
    ],
)
def test_error_lying_headers(header: object, tmp_path: Path) -> None:
    text = json.dumps(header).encode()
    path = tmp_path / "lie.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 4)
    with pytest.raises(CheckpointError):
        read_header(path)


def test_error_bit_flips_never_escape(file: Path, tmp_path: Path) -> None:
    """A flipped header byte may be harmless or refused, but never anything else."""
    whole = bytearray(file.read_bytes())
    flipped = tmp_path / "flip.safetensors"
    rng = torch.Generator().manual_seed(0)
    for position in torch.randint(0, 3000, (60,), generator=rng).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 0x41
        flipped.write_bytes(damaged)
        with contextlib.suppress(CheckpointError):
            load_generator(flipped)


def test_error_full_disk_is_one_sentence_and_leaves_the_old_file(
    tiny: Generator, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tensors: dict[str, torch.Tensor], filename: str, metadata: dict[str, str]) -> None:
        Path(filename).write_bytes(b"half")
        raise SafetensorError(FULL_DISK)

    before = file.read_bytes()
    monkeypatch.setattr(weights, "save_file", fill)
    with pytest.raises(OutputError, match=r"No space left on device.*; choose another place"):
        write_generator(file, tiny, half=False, notes={})
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_shape_a_file_without_a_name_goes_by_its_own(tiny: Generator, tmp_path: Path) -> None:
    path = tmp_path / "portraits.pt"
    torch.save({"g_ema": rosinality_names(tiny)}, path)
    assert load_generator(path).spec.name == "portraits"
