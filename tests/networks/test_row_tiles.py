"""Blocks drawn in tiles of rows against the same blocks drawn whole."""

from __future__ import annotations

import pytest
import torch
from tiny import make_noisy

from emogan_core.networks import Generator, GeneratorSpec, row_tiles

ARCHITECTURES = ("stylegan2", "stylegan2-resnet", "stylegan2-orig")


def make(architecture: str, *, clamp: float | None = None, resolution: int = 32) -> Generator:
    widths = (16, 12, 8, 4, 4)[: resolution.bit_length() - 2]
    spec = GeneratorSpec(
        resolution=resolution,
        w_dim=8,
        z_dim=8,
        channels=widths,
        mapping_layers=1,
        conv_clamp=clamp,
        architecture=architecture,
    )
    return make_noisy(spec)


def codes(generator: Generator, count: int, *, seed: int = 5) -> torch.Tensor:
    return torch.randn(count, generator.spec.num_ws, 8, generator=torch.Generator().manual_seed(seed))


def whole(generator: Generator, ws: torch.Tensor) -> torch.Tensor:
    """The picture as gradients have it drawn: never in tiles."""
    drawn: torch.Tensor = generator.synthesis(ws.clone().requires_grad_(True))
    return drawn.detach()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("clamp", [None, 0.7])
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 31, 32])
def test_invariance_tiles_of_any_height_draw_the_whole(
    architecture: str, clamp: float | None, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = make(architecture, clamp=clamp)
    ws = codes(generator, 2)
    monkeypatch.setattr(row_tiles, "rows_per_tile", lambda *_, **__: rows)
    monkeypatch.setattr(row_tiles, "folding_pays", lambda *_: True)
    expected = whole(generator, ws)
    torch.testing.assert_close(generator.synthesis(ws), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("resolution", [8, 16, 64])
def test_invariance_tiles_hold_at_every_side(resolution: int) -> None:
    generator = make("stylegan2", resolution=resolution)
    ws = codes(generator, 3)
    torch.testing.assert_close(generator.synthesis(ws), whole(generator, ws), atol=1e-5, rtol=1e-5)


def test_invariance_changed_weights_are_noticed() -> None:
    generator = make("stylegan2")
    ws = codes(generator, 1)
    generator.synthesis(ws)
    with torch.no_grad():
        generator.synthesis.b16.conv0.weight.mul_(torch.linspace(0.5, 2, 12)[None, :, None, None])
        generator.synthesis.b4.conv1.weight[:, 3] *= 4
    torch.testing.assert_close(generator.synthesis(ws), whole(generator, ws), atol=1e-5, rtol=1e-5)
    fresh = make("stylegan2")
    fresh.load_state_dict(generator.state_dict())
    assert torch.equal(fresh.synthesis(ws), generator.synthesis(ws))


def test_gradient_reaches_frozen_networks_after_inference_mode() -> None:
    generator = make("stylegan2")
    ws = codes(generator, 1)
    with torch.inference_mode():
        generator.synthesis(ws)
    wanted = ws.clone().requires_grad_(True)
    generator.synthesis(wanted).square().mean().backward()
    assert wanted.grad is not None
    assert (wanted.grad.abs().amax(dim=2) > 0).all()


def test_shape_tiles_stay_small() -> None:
    for side, inputs, outputs in ((64, 512, 512), (256, 256, 128), (1024, 64, 32), (2048, 128, 64)):
        rows = row_tiles.rows_per_tile(side, inputs, outputs)
        assert 1 <= rows <= side
        row, kernel = 4 * side * outputs, 4 * 9 * inputs * outputs
        assert (rows - 3) * row <= max(row_tiles.TILE_BYTES, 4 * kernel, row_tiles.LEAST_ROWS * row)
