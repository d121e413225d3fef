"""Conversions as the node and the command share them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from alias_free import make_alias_free
from foreign import rosinality_names
from tiny import TINY, make_generator

from emogan_core.checkpoints import load, write_generator
from emogan_core.checkpoints.convert import ConversionOptions, convert_generator, is_conversion
from emogan_core.checkpoints.known import sha256_of
from emogan_core.checkpoints.load import BUILTIN
from emogan_core.errors import CheckpointError, OutputError
from emogan_core.networks import Generator, tensors_of
from emogan_core.networks.sampling import sampled
from emogan_core.weights import builtin_path, read_header


@pytest.fixture
def checkpoint(tiny: Generator, tmp_path: Path) -> Path:
    path = tmp_path / "faces.pt"
    torch.save({"g_ema": rosinality_names(tiny)}, path)
    return path


@pytest.mark.parametrize(("half", "precision"), [(False, "float32"), (True, "float16")])
def test_shape_a_conversion_tells_what_it_wrote(checkpoint: Path, tmp_path: Path, half: bool, precision: str) -> None:
    done = convert_generator(checkpoint, tmp_path / "out.safetensors", options=ConversionOptions(half=half))
    assert (done.precision, done.same_fingerprint) == (precision, not half)
    assert done.source_sha256 == sha256_of(checkpoint)
    assert "average latent" in done.notices[0]
    assert done.generator.spec.name == "faces"
    assert is_conversion(done.out, source_sha256=done.source_sha256, options=ConversionOptions(half=half))
    assert not is_conversion(done.out, source_sha256=done.source_sha256, options=ConversionOptions(half=not half))


def every_architecture() -> list[Generator]:
    pyramids = ("stylegan1", "stylegan2", "stylegan2-resnet", "stylegan2-orig")
    specs = [replace(TINY, architecture=name, name=name, c_dim=2, conv_clamp=256.0) for name in pyramids]
    return [*(make_generator(spec, companions=False) for spec in specs), make_alias_free()]


@pytest.mark.parametrize("made", every_architecture(), ids=lambda made: made.spec.name)
def test_invariance_every_architecture_comes_back_bit_for_bit(made: Generator, tmp_path: Path) -> None:
    write_generator(tmp_path / "net.safetensors", made, half=False)
    whole = convert_generator(tmp_path / "net.safetensors", tmp_path / "whole.safetensors")
    assert whole.generator.spec == made.spec
    assert whole.same_fingerprint
    for name, tensor in tensors_of(made).items():
        assert torch.equal(tensors_of(whole.generator)[name], tensor), name
    half = convert_generator(
        tmp_path / "net.safetensors", tmp_path / "half.safetensors", options=ConversionOptions(half=True)
    )
    ws = sampled(made, 2, psi=0.7, seed=1, label=1 if made.spec.c_dim else None).ws
    drawn = made.synthesis(ws)
    spread = float(drawn.max() - drawn.min())
    torch.testing.assert_close(half.generator.synthesis(ws), drawn, atol=0.01 * spread, rtol=0)
    assert half.generator.spec == made.spec


def test_shape_other_files_are_no_conversions(checkpoint: Path, tmp_path: Path) -> None:
    done = convert_generator(checkpoint, tmp_path / "out.safetensors")
    sought = {"source_sha256": done.source_sha256, "options": ConversionOptions()}
    assert is_conversion(done.out, **sought)
    assert not is_conversion(done.out, source_sha256="0" * 64, options=ConversionOptions())
    assert not is_conversion(checkpoint, **sought)
    assert not is_conversion(tmp_path / "nowhere.safetensors", **sought)
    done.out.write_bytes(done.out.read_bytes()[:-4])
    assert not is_conversion(done.out, **sought)


def test_shape_what_a_person_adds_is_kept(checkpoint: Path, tmp_path: Path) -> None:
    plain = convert_generator(checkpoint, tmp_path / "plain.safetensors")
    options = ConversionOptions(crop="tight", licence=" my own training, CC0 ")
    done = convert_generator(checkpoint, tmp_path / "expected.safetensors", options=options)
    assert (plain.generator.spec.crop, done.generator.spec.crop) == ("", "tight")
    assert done.generator.spec.licence == read_header(done.out)[1]["licence"] == "my own training, CC0"
    assert done.generator.fingerprint == plain.generator.fingerprint  # what it draws is the same
    again = convert_generator(done.out, tmp_path / "again.safetensors")
    assert again.generator.spec == done.generator.spec


def test_shape_the_built_in_one_can_be_converted(tmp_path: Path) -> None:
    done = convert_generator("builtin", tmp_path / "out.safetensors", options=ConversionOptions(half=True))
    assert done.same_fingerprint  # it is kept in half precision already
    assert done.generator.encoder is not None
    assert done.notices == ()
    (larger,) = convert_generator(done.out, tmp_path / "larger.safetensors").notices
    assert "larger.safetensors is 2.0 times as large as out.safetensors, which keeps numbers of 16 bits" in larger


def test_error_a_crop_that_the_file_tells_stays(tmp_path: Path) -> None:
    """Its encoder and latents are for that frame, and the fingerprint would be the same."""
    out = tmp_path / "out.safetensors"
    with pytest.raises(CheckpointError, match=r"tells its crop, 'tight', .* cannot become 'ffhq'; leave crop away"):
        convert_generator("builtin", out, options=ConversionOptions(crop="ffhq"))
    assert not out.exists()
    assert convert_generator("builtin", out, options=ConversionOptions(crop="tight")).same_fingerprint


def test_error_nothing_is_written(checkpoint: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=r"use a name in \.safetensors"):
        convert_generator(checkpoint, tmp_path / "out.pt")
    with pytest.raises(CheckpointError, match="nowhere"):
        convert_generator(tmp_path / "nowhere.pt", tmp_path / "out.safetensors")
    assert sorted(tmp_path.iterdir()) == before


def test_error_the_source_itself(tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    convert_generator("builtin", own)
    before = own.read_bytes()
    (tmp_path / "link.safetensors").symlink_to(own)
    with pytest.raises(OutputError, match="the input itself"):
        convert_generator(own, tmp_path / "link.safetensors")
    assert own.read_bytes() == before


def test_error_the_built_in_one_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / BUILTIN
    copy.write_bytes(builtin_path(BUILTIN).read_bytes())
    monkeypatch.setattr(load, "builtin_path", lambda name: tmp_path / name)
    with pytest.raises(OutputError, match="the input itself"):
        convert_generator("builtin", copy)


def test_error_too_large_for_half(tmp_path: Path) -> None:
    generator = make_generator(companions=False)
    names = rosinality_names(generator)
    names["style.1.weight"] = names["style.1.weight"] * 1e6
    torch.save({"g_ema": names}, tmp_path / "big.pt")
    with pytest.raises(CheckpointError, match=r"big.pt holds .* in '.*', float16 ends at 65504"):
        convert_generator(tmp_path / "big.pt", tmp_path / "out.safetensors", options=ConversionOptions(half=True))
    assert not (tmp_path / "out.safetensors").exists()
