"""NVIDIA's modules inside files of torch.save, as PTI writes its tuned generators: read whole, and never run."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import re
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile import Call, numbered, repacked
from nvidia_pickles import Module, networks_of, stand_ins
from tiny import TINY, make_generator
from torch import nn

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.pickles import open_archive
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, build_generator, tensors_of

SECONDS = 5.0  # of this process: other programs on the machine may make it wait
FULL = replace(TINY, conv_clamp=256.0, discriminator_clamp=256.0)


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_generator(FULL)


def saved(path: Path, content: object, *, zipped: bool = True, protocol: int = 2) -> Path:
    with stand_ins():
        torch.save(content, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    return path


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_shape_a_tuned_generator_comes_back(net: Generator, zipped: bool, protocol: int, tmp_path: Path) -> None:
    path = saved(tmp_path / "model_AB_photo.pt", networks_of(net)["G_ema"], zipped=zipped, protocol=protocol)
    assert b"embedded source was run" in path.read_bytes()
    again = load_generator(path)
    assert again.fingerprint == net.fingerprint
    assert again.spec.name == "model_AB_photo"
    assert again.discriminator is None


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"architecture": "stylegan2-resnet", "c_dim": 3},
        {"architecture": "stylegan2-orig", "conv_clamp": 0.7},
    ],
)
def test_shape_tables_of_networks(change: dict[str, Any], tmp_path: Path) -> None:
    net = make_generator(replace(FULL, **change))
    found = read_foreign(saved(tmp_path / "all.pt", networks_of(net)))
    assert found.notices == ()
    again = build_generator(found.spec, found.tensors)
    assert again.fingerprint == net.fingerprint
    assert again.discriminator is not None
    ours = {name: tensor for name, tensor in tensors_of(net).items() if not name.startswith(("encoder.", "statis"))}
    assert set(found.tensors) == set(ours)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in ours.items())


@pytest.mark.parametrize(
    ("key", "said"), [("G_ema", 0), ("g_ema", 0), ("generator_smooth", 0), ("G", 1), ("generator", 1)]
)
def test_shape_under_any_usual_key(net: Generator, key: str, said: int, tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path / "one.pt", {key: networks_of(net)["G_ema"], "step": 7}))
    assert len(found.notices) == said
    assert found.spec.conv_clamp == 256.0


@pytest.mark.parametrize("key", ["", "G_ema", "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "decoder.", "module.G."])
def test_shape_state_dicts(net: Generator, key: str, prefix: str, tmp_path: Path) -> None:
    names = {prefix + name: tensor for name, tensor in networks_of(net)["G_ema"].state_dict().items()}  # type: ignore[attr-defined]
    other = {"encoder.x.weight": torch.zeros(3)} if prefix else {}
    found = read_foreign(saved(tmp_path / "bare.pt", {key: names | other} if key else names | other))

    assert build_generator(replace(found.spec, conv_clamp=256.0), found.tensors).fingerprint == net.fingerprint
    assert any("conv_clamp" in notice for notice in found.notices)


def test_shape_the_averaged_of_two_in_one_table(net: Generator, tmp_path: Path) -> None:
    raw, smooth = (networks_of(one)["G_ema"].state_dict() for one in (make_generator(TINY, seed=9), net))  # type: ignore[attr-defined]
    names = {f"G.{name}": value for name, value in raw.items()} | {
        f"G_ema.{name}": value for name, value in smooth.items()
    }
    found = read_foreign(saved(tmp_path / "lit.ckpt", {"state_dict": names}))
    assert torch.equal(found.tensors["mapping.w_avg"], net.w_avg)
    assert torch.equal(found.tensors["synthesis.b4.const"], net.synthesis.b4.const)


def test_shape_a_state_dict_takes_its_average_from_beside(net: Generator, tmp_path: Path) -> None:
    names = networks_of(net)["G_ema"].state_dict()  # type: ignore[attr-defined]
    del names["mapping.w_avg"]
    content = {"generator_smooth": names, "latent_avg": net.w_avg.repeat(8, 1)}
    assert torch.equal(read_foreign(saved(tmp_path / "a.pt", content)).tensors["mapping.w_avg"], net.w_avg)


def test_invariance_no_window_into_the_file_is_kept(net: Generator, tmp_path: Path) -> None:
    path = saved(tmp_path / "tuned.pt", networks_of(net)["G_ema"])
    found = read_foreign(path)
    path.write_bytes(b"")
    assert torch.equal(found.tensors["synthesis.b4.const"], net.synthesis.b4.const)


def altered(module: str, change: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda network: change(network.get_submodule(module))


def heavy(network: Any) -> None:
    """One storage of 2 MiB that a thousand tensors claim whole."""
    shared = torch.zeros(1 << 19)
    for index in range(1000):
        block = Module()
        block._buffers = {"w": shared.view(-1)}
        network.add_module(f"m{index}", block)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda network: network.__dict__.update(class_name="Discriminator"), "it holds a 'Discriminator'"),
        (lambda network: network._modules.pop("mapping"), "no mapping and synthesis"),
        (altered("synthesis.b8.conv1", lambda m: m.__dict__.update(conv_clamp="x")), "no positive number"),
        (altered("synthesis.b8.conv1", lambda m: m.__dict__.update(activation="relu")), "needed 'lrelu'"),
        (altered("synthesis.b4", lambda m: setattr(m, "const", nn.Parameter(torch.zeros(16, 8, 4)))), "8 x 4"),
        (altered("mapping", lambda m: m.w_avg.fill_(torch.nan)), "NaN"),
        (heavy, "claim more bytes than the file holds"),
    ],
)
def test_error_other_modules_are_named(
    net: Generator, change: Callable[[Any], object], expected: str, tmp_path: Path
) -> None:
    network = networks_of(net)["G_ema"]
    change(network)
    with pytest.raises(CheckpointError, match=r"^tuned\.pt: ") as caught:
        load_generator(saved(tmp_path / "tuned.pt", network))
    assert expected in str(caught.value)


def calls(flag: Path) -> dict[str, object]:
    source = f"open({str(flag)!r}, 'w').close()"
    return {
        "os.mkdir": Call(os.mkdir, str(flag)),
        "eval": Call(eval, source),
        "exec": Call(exec, source),
        "getattr": Call(getattr, flag, "touch"),
        "partial": functools.partial(os.mkdir, str(flag)),
        "pickle.loads": Call(pickle.loads, pickle.dumps(Call(os.mkdir, str(flag)))),
        "real_storage": Call(torch.storage._load_from_bytes, pickle.dumps(Call(os.mkdir, str(flag)))),
        "numpy_object": np.array([Call(os.mkdir, str(flag))], dtype=object),
        "numpy_dtype": np.dtype([("a", "O")]),
        "codecs": Call(__import__("_codecs").encode, "abc", "rot13"),
        "set": {Call(os.mkdir, str(flag))},
        "class": subprocess.Popen,
        "whole_module": nn.Linear(2, 2),
    }


def hidden(network: Any, payload: object, place: str) -> object:
    if place == "attribute":
        network.synthesis.b8.conv1.__dict__["extra"] = payload
    elif place == "table":
        network.mapping._buffers["w_avg"] = payload
    elif place == "source":
        network.mapping.__dict__["_forward_hooks"] = {1: payload}
    else:
        return {"G_ema": network, "D": payload}
    return network


@pytest.mark.parametrize("place", ["attribute", "table", "source", "beside"])
@pytest.mark.parametrize("name", sorted(calls(Path("flag"))))
def test_error_calls_are_refused_unexecuted(name: str, place: str, net: Generator, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    for zipped, protocol in ((True, 2), (True, 4), (False, 2)):
        network = hidden(networks_of(net)["G_ema"], calls(flag)[name], place)
        path = saved(tmp_path / "hostile.pt", network, zipped=zipped, protocol=protocol)
        started = time.process_time()
        with pytest.raises(CheckpointError, match=r"^hostile\.pt") as caught:
            load_generator(path)
        assert time.process_time() - started < SECONDS
        assert len(str(caught.value)) < 500
        assert not flag.exists()


def test_invariance_the_corpus_bites(tmp_path: Path) -> None:
    """What is refused above would have run in an ordinary unpickler."""
    for name in ("os.mkdir", "eval", "exec", "pickle.loads", "real_storage", "numpy_object", "set"):
        flag = tmp_path / name
        with contextlib.suppress(TypeError, RuntimeError):
            pickle.loads(pickle.dumps(calls(flag)[name], 4))
        assert flag.exists(), name


@pytest.mark.parametrize("claim", [17, 10**4, 10**9, 10**13, 2**62, 2**70, -1])
def test_error_claims_inside_records_are_never_allocated(claim: int, net: Generator, tmp_path: Path) -> None:
    """The 16 numbers of w_avg are said to be more: in the storage, in the view, and in both."""
    path = saved(tmp_path / "whole.pt", networks_of(net)["G_ema"])
    for pattern in (rb"K\x10(?=t)", rb"K\x10(?=\x85)", rb"K\x10(?=[t\x85])"):

        def lie(text: bytes, pattern: bytes = pattern) -> bytes:
            return re.sub(pattern, lambda _: numbered(claim), text)

        with pytest.raises(CheckpointError, match=r"^lie\.pt"):
            load_generator(repacked(path, tmp_path / "lie.pt", data_pkl=lie))


RECORD = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
BOMBS = {
    "record_of_itself": RECORD + b"(}q\0(X\4\0\0\0typeX\5\0\0\0classX\7\0\0\0versionK\6X\5\0\0\0stateh\0"
    b"X\x0a\0\0\0class_nameX\x09\0\0\0GeneratorutR.",
    "record_of_nothing": RECORD + b"(NtR.",
    "record_without_arguments": RECORD + b")R.",
    "record_of_lists": RECORD + b"(" + b"]" * 100_000 + b"tR.",
    "record_nested": (RECORD + b"(") * 60_000 + b"}" + b"tR" * 60_000 + b".",
    "records_doubling": b"N" + b"q\0h\0\x86" * 90_000 + b".",
    "state_after": RECORD + b"(}(X\4\0\0\0typeX\5\0\0\0classX\7\0\0\0versionK\6X\5\0\0\0state}"
    b"X\x0a\0\0\0class_nameX\x09\0\0\0GeneratorutR}b.",
    "array_claim": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + numbered(2**62) + b"\x85U\1btR.",
    "array_made": b"cnumpy\nndarray\n(" + numbered(2**40) + b"\x85tR.",
    "dict_of_list": b"cdnnlib.util\nEasyDict\n(](U\1aKatatR.",
    "modules_without_end": b"}q\0(X\5\0\0\0G_ema"
    + RECORD
    + b"(}(X\4\0\0\0typeX\5\0\0\0classX\7\0\0\0versionK\6X\x0a\0\0\0class_nameX\x09\0\0\0GeneratorX\5\0\0\0state"
    b"}q\1X\x08\0\0\0_modules}q\2sutRq\3uh\2(X\7\0\0\0mappingh\3X\x09\0\0\0synthesish\3u0.",
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_error_bombs_in_records(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bomb/data.pkl", b"\x80\x02" + BOMBS[name])
    started = time.process_time()
    with pytest.raises(CheckpointError, match=r"^bomb\.pt"):
        load_generator(path)
    assert time.process_time() - started < SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False])
def test_error_damage_never_escapes(zipped: bool, net: Generator, tmp_path: Path, rng: torch.Generator) -> None:
    whole = saved(tmp_path / "whole.pt", networks_of(net)["G_ema"], zipped=zipped).read_bytes()
    path = tmp_path / "damaged.pt"
    refusals = []
    for trial in range(120):
        ends = 14_000 if trial % 3 else len(whole)
        position = int(torch.randint(0, min(ends, len(whole)), (), generator=rng))
        damaged = bytearray(whole)
        damaged[position] ^= 1 << trial % 8
        path.write_bytes(damaged if trial % 6 else whole[:position])
        try:
            read_foreign(path)
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(refusals) > 20
    assert all("damaged.pt" in expected for expected in refusals)


@pytest.mark.slow
def test_error_damage_inside_the_pickle(net: Generator, tmp_path: Path, rng: torch.Generator) -> None:
    """As above with the archive's checksums right, so that every flip, cut and repetition reaches the opcodes."""
    whole = saved(tmp_path / "whole.pt", networks_of(net)["G_ema"])
    with zipfile.ZipFile(whole) as archive:
        text = archive.read(next(member for member in archive.namelist() if member.endswith("data.pkl")))
    path, refusals = tmp_path / "damaged.pt", []
    for trial in range(150):
        at, other, length = (int(torch.randint(0, end, (), generator=rng)) for end in (len(text), len(text), 40))
        damaged = bytearray(text)
        if trial % 3 == 0:
            damaged[at] ^= 1 << trial % 8
        elif trial % 3 == 1:
            damaged[at:at] = text[other : other + length]
        else:
            del damaged[at : at + length]
        try:
            read_foreign(repacked(whole, path, data_pkl=bytes(damaged)))
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(refusals) > 80
    assert all(expected.startswith("damaged.pt") and len(expected) < 600 for expected in refusals)


def test_shape_styleres_file(net: Generator, tmp_path: Path) -> None:
    names = networks_of(net)["G_ema"].state_dict()  # type: ignore[attr-defined]
    names["synthesis.b8.modify_feature_alignment.first_layer.weight"] = torch.zeros(4, 4, 1, 1)
    content = {"e4e": {"input_layer.0.weight": torch.zeros(3)}, "latent_avg": net.w_avg, "generator_smooth": names}
    found = read_foreign(saved(tmp_path / "ckpt_ffhq.pt", content))
    assert build_generator(found.spec, found.tensors).fingerprint == net.fingerprint
    assert found.notices == ("StyleRes' own layers are left out; its generator draws without them",)


def test_shape_records_stay_inert(net: Generator, tmp_path: Path) -> None:
    top = open_archive(saved(tmp_path / "tuned.pt", networks_of(net)["G_ema"]))
    assert type(top).__name__ == "Record"
