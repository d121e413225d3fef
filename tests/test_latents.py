"""Latents know their generator, on disk too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from emogan_core.errors import CheckpointError, OutputError, ShapeError, SpaceMismatch
from emogan_core.latents import Latent, expect_same_space, load_latent, save_latent
from emogan_core.weights import read_header, write_tensors


def latent(rows: int = 3) -> Latent:
    return Latent(torch.randn(rows, 6, 8, generator=torch.Generator().manual_seed(0)), "a" * 64)


def test_shape_rows_stay_a_batch() -> None:
    codes = latent()
    assert len(codes) == 3
    assert codes[1].ws.shape == (1, 6, 8)
    assert torch.equal(codes[-1].ws[0], codes.ws[2])
    assert torch.equal(codes[:2].ws, codes.ws[:2])
    assert codes.mean_row().shape == (3, 8)


def test_invariance_save_then_load(tmp_path: Path) -> None:
    save_latent(tmp_path / "a.safetensors", latent(1), quads=[[[0, 0], [9, 0], [9, 9], [0, 9]]])
    again = load_latent(tmp_path / "a.safetensors")
    assert torch.equal(again.ws, latent(1).ws)
    assert again.fingerprint == "a" * 64
    _, metadata = read_header(tmp_path / "a.safetensors")
    assert set(metadata) == {"format", "fingerprint", "quads"}


@pytest.mark.parametrize("ws", [torch.zeros(2, 3), torch.zeros(0, 2, 3), torch.full((1, 2, 3), torch.nan)])
def test_error_shapes(ws: torch.Tensor) -> None:
    with pytest.raises(ShapeError):
        Latent(ws, "a")


def test_error_rows_that_are_not_there() -> None:
    for index in (3, -4):
        with pytest.raises(IndexError):
            latent()[index]
    with pytest.raises(ShapeError):
        latent()[3:]
    assert len(list(latent())) == 3


def test_error_other_space() -> None:
    with pytest.raises(SpaceMismatch, match="bbbbbbbbbbbb"):
        expect_same_space("the latent", "a" * 64, "the axes", "b" * 64)


def test_error_files_that_hold_no_latent(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    codes = torch.zeros(1, 2, 3)
    for tensors, metadata in [
        ({"ws": codes}, {}),
        ({"ws": codes}, {"format": "emotiongan-latent-1"}),
        ({"other": codes}, {"format": "emotiongan-latent-1", "fingerprint": "a"}),
        ({"ws": codes}, {"format": "emotiongan-generator-1", "fingerprint": "a"}),
    ]:
        write_tensors(path, tensors, metadata)
        with pytest.raises(CheckpointError):
            load_latent(path)
    write_tensors(path, {"ws": codes * torch.nan}, {"format": "emotiongan-latent-1", "fingerprint": "a"})
    with pytest.raises(ShapeError, match="NaN"):
        load_latent(path)
    write_tensors(path, {"ws": codes.long()}, {"format": "emotiongan-latent-1", "fingerprint": "a"})
    with pytest.raises(ShapeError, match=r"came as torch\.int64; needed floating point"):
        load_latent(path)
    with pytest.raises(CheckpointError, match="cannot read"):
        load_latent(tmp_path / "none.safetensors")


@pytest.mark.parametrize(("name", "metadata"), [("ws\ud800", {}), ("ws", {"a\ud800": "b"}), ("ws", {"a": "b\ud800"})])
def test_error_texts_that_no_file_holds(tmp_path: Path, name: str, metadata: dict[str, str]) -> None:
    with pytest.raises(OutputError, match=r"is not Unicode .* which no safetensors file holds"):
        write_tensors(tmp_path / "a.safetensors", {name: torch.zeros(2)}, metadata)
    assert list(tmp_path.iterdir()) == []
