"""Files of torch.save: the same spec, tensors and pictures come back; lies, damage and code do not come in."""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import pickle
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from expecting import expect_same, parts_of
from foreign import basicsr_names, genforce_discriminator, genforce_names, rosinality_discriminator, rosinality_names
from hostile import Call, numbered, repacked
from tiny import TINY, make_generator

from emogan_core.checkpoints import load_generator, open_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, build_generator
from emogan_core.weights import write_tensors


@pytest.fixture(scope="module")
def net() -> Generator:
    """A generator whose every tensor differs from its start, so that no exchanged or forgotten one goes unseen."""
    fresh = make_generator(replace(TINY, w_dim=24, z_dim=24, channels=(16, 12, 8, 4), mapping_layers=3))
    rng = torch.Generator().manual_seed(3)
    tensors = {
        name: tensor + 0.1 * torch.randn(tensor.shape, generator=rng) for name, tensor in parts_of(fresh).items()
    }
    return build_generator(fresh.spec, tensors)


def saved(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "foreign.pt"
    torch.save(content, path)
    return path


def test_shape_rosinality_training_state(net: Generator, tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        {
            "g": rosinality_names(make_generator()),
            "d": rosinality_discriminator(net),
            "g_ema": rosinality_names(net),
            "g_optim": {"state": {0: {"step": 1, "exp_avg": torch.zeros(3)}}, "param_groups": [{"betas": (0.0, 0.99)}]},
            "args": argparse.Namespace(path="faces", ckpt=None, lr=0.002),
            "ada_aug_p": 0.25,
            "latent_avg": net.w_avg,
        },
    )
    found = read_foreign(path)
    expect_same(found, net)
    assert found.notices == ()


def test_shape_decoder_of_an_encoder_file(net: Generator, tmp_path: Path) -> None:
    names = {f"decoder.{name}": tensor for name, tensor in rosinality_names(net).items()}
    path = saved(
        tmp_path,
        {
            "state_dict": {"encoder.input_layer.0.weight": torch.zeros(4), **names},
            "opts": {"exp_dir": pathlib.PurePosixPath("/runs/one"), "device": "cuda:0"},
            "latent_avg": net.w_avg.repeat(net.spec.num_ws, 1),
        },
    )
    expect_same(read_foreign(path), net, discriminator=False)


def test_shape_layout_of_before_torch_1_6(net: Generator, tmp_path: Path) -> None:
    names = rosinality_names(net)
    path = tmp_path / "old.pt"
    content = {"g_ema": names, "g": names, "latent_avg": net.w_avg, "args": argparse.Namespace(lr=1)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    expect_same(read_foreign(path), net, discriminator=False)


def test_shape_genforce_discriminator(net: Generator, tmp_path: Path) -> None:
    names, discriminator = genforce_names(net), genforce_discriminator(net)
    expect_same(
        read_foreign(saved(tmp_path, {"generator_smooth": names, "discriminator": discriminator})),
        net,
        discriminator=True,
    )
    other = discriminator | {"input1.weight": torch.zeros(3)}  # reads RGB at every resolution: the skip architecture
    found = read_foreign(saved(tmp_path, {"generator_smooth": names, "discriminator": other}))
    expect_same(found, net, discriminator=False)
    assert "without it: cannot use 'input1.weight'" in found.notices[0]


@pytest.mark.parametrize("program", ["rosinality", "genforce", "nvidia", "basicsr"])
@pytest.mark.parametrize("prefix", ["", "g_ema."])
def test_shape_names_of_other_programs_in_safetensors(
    program: str, prefix: str, net: Generator, tmp_path: Path
) -> None:
    """The same tensors are the same generator in either kind of file."""
    names = {
        "rosinality": rosinality_names(net),
        "genforce": genforce_names(net),
        "nvidia": {k: v for k, v in parts_of(net).items() if not k.startswith("discriminator.")},
        "basicsr": basicsr_names(rosinality_names(net)),
    }[program]
    torch.save(names, tmp_path / "a.pt")
    tensors = {f"{prefix}{name}": tensor for name, tensor in names.items()}
    write_tensors(tmp_path / "a.safetensors", tensors, {"format": "pt"})
    found = open_generator(tmp_path / "a.safetensors")
    assert found.generator.fingerprint == load_generator(tmp_path / "a.pt").fingerprint
    assert not found.own
    assert found.generator.spec.name == "a"


def test_shape_missing_average_and_noise_are_made_with_a_notice(net: Generator, tmp_path: Path) -> None:
    names = {name: tensor for name, tensor in rosinality_names(net).items() if not name.startswith("noises.")}
    found = read_foreign(saved(tmp_path, {"g": names}))
    assert [word in " ".join(found.notices) for word in ("g_ema", "noise maps", "average latent")] == [True] * 3
    assert not found.tensors["synthesis.b32.conv1.noise_const"].any()
    z = torch.randn(4000, 24, generator=torch.Generator().manual_seed(77))
    torch.testing.assert_close(found.tensors["mapping.w_avg"], net.mapping.to_w(z).mean(0), atol=0.1, rtol=0)
    built = build_generator(found.spec, {name: t for name, t in found.tensors.items() if "w_std" not in name})
    assert torch.equal(found.tensors["statistics.w_std"], built.w_std)  # of the same samples, which are slow to draw
    again = read_foreign(saved(tmp_path, {"g": names}))
    assert torch.equal(found.tensors["mapping.w_avg"], again.tensors["mapping.w_avg"])


def test_invariance_half_weights_come_as_float32_of_their_own(net: Generator, tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in rosinality_names(net).items()}
    path = saved(tmp_path, {"g_ema": half, "latent_avg": net.w_avg})
    found = read_foreign(path)
    path.write_bytes(b"")  # the reader keeps no window into the file
    assert {tensor.dtype for tensor in found.tensors.values()} == {torch.float32}
    assert torch.equal(found.tensors["synthesis.b4.const"], net.synthesis.b4.const.half().float())


def unlike(net: Generator) -> dict[str, tuple[object, str]]:
    ros, gen = rosinality_names(net), genforce_names(net)
    return {
        "tensor": (torch.zeros(3), "one Tensor at its top"),
        "list": ([1, 2], "one list at its top"),
        "empty": ({}, "holds nothing"),
        "unknown": ({"weights": {}, "epoch": 3}, "'weights', 'epoch'"),
        "labels": (
            {"generator": gen | {"mapping.label_weight": torch.zeros(3, 24)}},
            "embeds classes in 24 numbers; needed as many as z has, 0",
        ),
        "residual": (
            {
                "generator": {
                    k: v
                    for k, v in gen.items()
                    if not k.startswith("synthesis.layer1.") or k == "synthesis.layer1.weight"
                }
            },
            "residual",
        ),
        "dense": ({"generator": gen | {"synthesis.early_layer.weight": torch.zeros(3)}}, "instead of a constant"),
        "other generator": ({"generator": {"layer0.weight": torch.zeros(3)}}, "'layer0.weight'"),
        "swagan": ({"g_ema": ros | {"to_rgb1.iwt.ll": torch.zeros(2, 2)}}, "a SWAGAN generator"),
        "eg3d": ({"G_ema": {"backbone.synthesis.b4.const": torch.zeros(4, 4, 4)}}, "an EG3D generator"),
        "extra": ({"g_ema": ros | {"new.weight": torch.zeros(3)}}, "cannot use 'new.weight'"),
        "missing": ({"g_ema": {k: v for k, v in ros.items() if k != "convs.0.activate.bias"}}, "is missing"),
        "no tensor": ({"g_ema": ros | {"input.input": 5}}, "is a int"),
        "shape": ({"g_ema": ros | {"conv1.activate.bias": torch.zeros(5)}}, "needed \\[16\\]"),
        "integers": ({"g_ema": ros | {"conv1.activate.bias": torch.zeros(16).int()}}, "int32"),
        "nan": ({"g_ema": ros | {"conv1.activate.bias": torch.full((16,), torch.nan)}}, "NaN"),
        "filter": ({"g_ema": ros | {"convs.0.conv.blur.kernel": torch.ones(4, 4)}}, "not \\[1, 3, 3, 1\\]"),
        "average": ({"g_ema": ros, "latent_avg": torch.randn(8, 24)}, "rows of latent_avg differ"),
        "average of text": ({"g_ema": ros, "latent_avg": "none"}, "is a str"),
        "huge by stride": (
            {"g_ema": ros | {"input.input": torch.zeros(1).expand(1, 1 << 20, 4, 4)}},
            "storage of 1 numbers",
        ),
    }


@pytest.mark.parametrize("case", sorted(unlike(make_generator(replace(TINY, w_dim=24, z_dim=24)))))
def test_error_other_networks_are_named(case: str, net: Generator, tmp_path: Path) -> None:
    content, words = unlike(net)[case]
    with pytest.raises(CheckpointError, match=words) as caught:
        read_foreign(saved(tmp_path, content))
    assert "foreign.pt" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["top", "inside", "as a key"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_error_code_is_refused_unexecuted(place: str, protocol: int, net: Generator, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    for call, words in ((os.system, (f"touch {flag}",)), (eval, (f"open({str(flag)!r}, 'w')",)), (Path.touch, (flag,))):
        bomb = Call(call, *words)
        content = {"top": bomb, "inside": {"g_ema": rosinality_names(net), "args": bomb}, "as a key": {bomb: 1}}[place]
        path = tmp_path / "hostile.pt"
        for zipped in (True, False):
            torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
            with pytest.raises(CheckpointError, match=r"hostile\.pt"):
                read_foreign(path)
            assert not flag.exists()


def test_error_a_refused_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"^foreign\.pt: in data\.pkl: refused '(posix|nt)\.system' at byte \d+"):
        read_foreign(saved(tmp_path, Call(os.system, "true")))


def test_error_bombs_are_refused_before_they_unfold(net: Generator, tmp_path: Path) -> None:
    whole = saved(tmp_path, {"g_ema": rosinality_names(net)})
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(50_000_000))
    with pytest.raises(CheckpointError, match=r"packs 'a/data\.pkl', 50000000 bytes"):
        read_foreign(bomb)
    with pytest.raises(CheckpointError, match="above the limit"):
        read_foreign(repacked(whole, bomb, data_pkl=bytes(5_000_000)))
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("readme.txt", "no pickle")
    with pytest.raises(CheckpointError, match=r"zip archive of 'readme\.txt', without the data\.pkl"):
        read_foreign(bomb)
    shutil.make_archive(str(tmp_path / "folder"), "zip", tmp_path)
    with pytest.raises(CheckpointError):
        read_foreign(tmp_path / "folder.zip")


@pytest.mark.parametrize("claim", [10**4, 10**9, 10**13, 2**62, 2**70, -1])
def test_error_claimed_sizes_are_never_allocated(claim: int, tmp_path: Path) -> None:
    """A storage that says it is larger than its member, in bytes written by hand: K takes one byte, as 16 numbers do."""
    path = saved(tmp_path, {"g_ema": {"style.1.weight": torch.arange(16.0)}})
    with zipfile.ZipFile(path) as archive:
        text = archive.read("foreign/data.pkl")
    number = numbered(claim)
    lies = [re.sub(rb"K\x10(?=t)", lambda _: number, text), re.sub(rb"K\x10(?=\x85)", lambda _: number, text)]
    for index, lie in enumerate([*lies, lies[0].replace(b"K\x10", number)]):
        assert lie != text
        with pytest.raises(CheckpointError):
            read_foreign(repacked(path, tmp_path / f"lie{index}.pt", data_pkl=lie))


@pytest.mark.parametrize("claim", [17, 200, 10**9, 10**13, 2**62, 2**70, -1])
def test_error_claims_of_the_older_layout(claim: int, tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({"g_ema": {"style.1.weight": torch.arange(16.0)}}, path, _use_new_zipfile_serialization=False)
    text = path.read_bytes()
    number = numbered(claim)
    lies = [re.sub(rb"K\x10(?=N)", lambda _: number, text), re.sub(rb"K\x10(?=\x85)", lambda _: number, text)]
    lies.append(lies[0].replace(b"K\x10\x85", number + b"\x85"))
    lies.append(re.sub(rb"\x10\0{7}(?=\0{4})", (claim % 2**64).to_bytes(8, "little").replace(b"\\", b"\\\\"), text))
    for lie in lies:
        assert lie != text
        path.write_bytes(lie)
        with pytest.raises(CheckpointError, match=r"old\.pt"):
            read_foreign(path)


def test_error_keys_without_end(tmp_path: Path) -> None:
    """The text of this list of lists would have 2**64 characters."""
    nested: list[object] = []
    for _ in range(64):
        nested = [nested, nested]
    path = tmp_path / "old.pt"
    torch.save({"a": torch.zeros(2)}, path, _use_new_zipfile_serialization=False)
    start = path.read_bytes().split(b"}q\x00X\x01", 1)[0]
    path.write_bytes(start + pickle.dumps({}, 2) + pickle.dumps([nested], 2))
    with pytest.raises(CheckpointError, match="table of storages"):
        read_foreign(path)


def test_error_one_tensor_under_many_names(tmp_path: Path) -> None:
    """4 MiB that would become 40 GiB: every name asks for a copy of its own."""
    one = torch.zeros(1024, 1024)
    names = {f"mapping.fc{index}.weight": one for index in range(10_000)}
    path = saved(tmp_path, {"g_ema": {"synthesis.b4.const": torch.zeros(4, 4, 4), **names}})
    with pytest.raises(CheckpointError, match="shares its numbers with other names"):
        read_foreign(path)


def test_error_a_long_byte_order(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": 1})
    with pytest.raises(CheckpointError, match="big-endian"):
        read_foreign(repacked(path, tmp_path / "order.pt", byteorder=b"little" * 1000))


def test_error_a_directory_of_millions_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"}.")
    whole = bytearray(path.read_bytes())
    whole[-10:-6] = (17 << 20).to_bytes(4, "little")
    path.write_bytes(whole)
    with pytest.raises(CheckpointError, match="directory claims 17825792 bytes"):
        read_foreign(path)


@pytest.mark.slow
def test_error_nested_a_million_deep(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": 1})
    for deep in (b"\x80\x02" + b")" + b"\x85" * 1_000_000 + b".", b"\x80\x02" + b"]" * 500_000 + b"a" * 499_999 + b"."):
        with pytest.raises(CheckpointError):
            read_foreign(repacked(path, tmp_path / "deep.pt", data_pkl=deep))


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False])
def test_error_damage_never_escapes(zipped: bool, net: Generator, tmp_path: Path) -> None:
    path = tmp_path / "whole.pt"
    content = {"g_ema": rosinality_names(net), "latent_avg": net.w_avg}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    rng = torch.Generator().manual_seed(0)
    damaged = tmp_path / "damaged.pt"
    for length in (0, 3, 4, 100, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        damaged.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read_foreign(damaged)
    for noise in (b"PK\x03\x04", b""):
        damaged.write_bytes(noise + bytes(torch.randint(0, 256, (5000,), generator=rng).tolist()))
        with pytest.raises(CheckpointError):
            read_foreign(damaged)
    ends = torch.cat(
        [torch.randint(0, 9000, (150,), generator=rng), len(whole) - torch.randint(1, 4000, (50,), generator=rng)]
    )
    for position in ends.tolist():
        flipped = bytearray(whole)
        flipped[position] ^= 1 << (position % 8)
        damaged.write_bytes(flipped)
        with contextlib.suppress(CheckpointError):
            read_foreign(damaged)
    with pytest.raises(CheckpointError, match="cannot read"):
        read_foreign(tmp_path / "none.pt")
