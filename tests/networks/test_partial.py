"""Redrawing from the middle and drafts, against whole pictures."""

from __future__ import annotations

import pytest
import torch
from tiny import make_noisy
from torch import nn

from emogan_core.errors import ShapeError
from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.partial import draft, draw_until, first_change, resume
from emogan_core.networks.stylegan2 import Synthesis

ARCHITECTURES = ("stylegan2", "stylegan2-resnet", "stylegan2-orig")


def make(architecture: str) -> Generator:
    spec = GeneratorSpec(
        resolution=32,
        w_dim=8,
        z_dim=8,
        channels=(300, 12, 8, 4),  # bands begin at 8 px
        mapping_layers=1,
        architecture=architecture,
    )
    return make_noisy(spec)


def codes(count: int, *, seed: int = 5) -> torch.Tensor:
    return torch.randn(count, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("row", range(8))
@pytest.mark.parametrize("gradients", [False, True])
def test_invariance_resuming_draws_the_whole(architecture: str, row: int, gradients: bool) -> None:
    synthesis = make(architecture).synthesis
    ws = codes(2)
    changed = ws.clone()
    changed[:, row:] += codes(2, seed=6)[:, row:]
    prefix = draw_until(synthesis, ws.requires_grad_(gradients), row)
    changed.requires_grad_(gradients)
    torch.testing.assert_close(resume(synthesis, prefix, changed), synthesis(changed), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(resume(synthesis, prefix, ws), synthesis(ws), atol=1e-6, rtol=1e-6)


def test_invariance_one_prefix_serves_many_codes() -> None:
    synthesis = make("stylegan2").synthesis
    ws = codes(1)
    many = ws.repeat(3, 1, 1)
    many[:, 4:] = codes(3, seed=7)[:, 4:]
    prefix = draw_until(synthesis, ws, 4, noise=False)
    torch.testing.assert_close(resume(synthesis, prefix, many), synthesis(many, noise=False), atol=3e-5, rtol=0)
    assert prefix.nbytes == 4 * (8 * 8 + 12 * 8 * 8 + 3 * 4 * 4)


def test_shape_first_change_names_the_row() -> None:
    ws = codes(2)
    assert first_change(ws, ws) == 8
    for row in range(8):
        changed = ws.clone()
        changed[1, row:] += 1
        assert first_change(ws, changed) == row


def test_error_codes_that_share_too_little() -> None:
    synthesis = make("stylegan2").synthesis
    ws = codes(2)
    prefix = draw_until(synthesis, ws, 5)
    other = ws.clone()
    other[:, 4] += 1
    with pytest.raises(ShapeError, match="differ from row 4 on, the prefix keeps those below 5"):
        resume(synthesis, prefix, other)
    with pytest.raises(ShapeError, match="the prefix was drawn of"):
        resume(synthesis, prefix, codes(3))
    with pytest.raises(ShapeError, match="rows 0 to 7"):
        draw_until(synthesis, ws, 8)


def test_invariance_the_largest_draft_is_the_picture() -> None:
    synthesis = make("stylegan2").synthesis
    ws = codes(2)
    assert torch.equal(draft(synthesis, ws, 32), synthesis(ws))


def test_golden_a_draft_is_a_network_without_its_last_blocks() -> None:
    """Expected: a generator of 16 px with the first blocks' tensors, drawing the first rows."""
    whole = make("stylegan2").synthesis
    spec = GeneratorSpec(resolution=16, w_dim=8, z_dim=8, channels=(300, 12, 8), mapping_layers=1)
    small = Synthesis(spec).requires_grad_(False)
    small.load_state_dict({name: whole.state_dict()[name] for name in small.state_dict()})
    ws = codes(2)
    torch.testing.assert_close(draft(whole, ws, 16), small(ws[:, :6]), atol=1e-6, rtol=1e-6)


def test_error_drafts_that_cannot_be() -> None:
    with pytest.raises(ShapeError, match="needed one of 4, 8, 16, 32"):
        draft(make("stylegan2").synthesis, codes(1), 64)
    with pytest.raises(ShapeError, match="only at 32 px"):
        draft(make("stylegan2-resnet").synthesis, codes(1), 16)
    with pytest.raises(ShapeError, match="only StyleGAN2"):
        draft(nn.Identity(), codes(1), 16)
