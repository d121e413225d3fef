"""Motion of an edit: the head stands still, nothing folds, and small changes take few steps."""

from __future__ import annotations

import pytest
import torch

from emogan_core.compose.flow import jacobian
from emogan_core.compose.motion import MotionConfig, common_motion, mirrored, read_motion, unfolded
from emogan_core.networks import Generator

SIDE = 64


def grid() -> tuple[torch.Tensor, torch.Tensor]:
    ys, xs = torch.meshgrid(*[(torch.arange(SIDE) + 0.5) / SIDE - 0.5] * 2, indexing="ij")
    return ys, xs


def test_golden_common_motion_is_the_similarity_under_an_expression() -> None:
    ys, xs = grid()
    head = torch.stack([1.0 + 3 * xs - 2 * ys, -0.5 + 2 * xs + 3 * ys]).unsqueeze(0)
    mouth = torch.exp(-((xs / 0.15) ** 2 + ((ys - 0.25) / 0.1) ** 2))
    expression = torch.stack([0 * mouth, 4 * mouth]).unsqueeze(0)
    found = common_motion(head + expression, torch.ones(1, 1, SIDE, SIDE))
    assert (found - head).abs().max() < 0.15


def test_golden_no_motion_has_no_common_motion() -> None:
    assert common_motion(torch.zeros(1, 2, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE)).abs().max() < 1e-5


def test_invariance_mirrored_twice_is_the_same() -> None:
    ys, xs = grid()
    flow = torch.stack([xs + ys, xs * ys]).unsqueeze(0)
    torch.testing.assert_close(mirrored(mirrored(flow)), flow)
    outwards = torch.stack([xs, ys]).unsqueeze(0)
    torch.testing.assert_close(mirrored(outwards), outwards)


@pytest.mark.parametrize("strength", [3.0, 20.0, 200.0])
def test_invariance_nothing_folds(strength: float) -> None:
    ys, xs = grid()
    hill = torch.exp(-(xs**2 + ys**2) * 60)
    flow = torch.stack([strength * hill, -strength * hill]).unsqueeze(0)
    assert jacobian(unfolded(flow, least_area=0.2)).min() >= 0.2


def test_invariance_gentle_flow_stays_as_it_is() -> None:
    flow = torch.ones(1, 2, SIDE, SIDE)
    assert unfolded(flow, least_area=0.2) is flow


def test_shape_motion_of_an_edit(tiny: Generator, rng: torch.Generator) -> None:
    ws = tiny.mapping(torch.randn(1, 16, generator=rng))
    edited = ws + 0.3 * tiny.w_std
    motion = read_motion(tiny, ws, edited, torch.ones(1, 1, SIDE, SIDE), config=MotionConfig(size=SIDE))
    assert motion.flow.shape == (1, 2, SIDE, SIDE)
    assert motion.shading.shape == (1, 3, SIDE, SIDE)
    torch.testing.assert_close(motion.before, tiny.synthesis(ws))
    torch.testing.assert_close(motion.after, tiny.synthesis(edited))


def test_invariance_no_edit_no_motion(tiny: Generator, rng: torch.Generator) -> None:
    ws = tiny.mapping(torch.randn(1, 16, generator=rng))
    motion = read_motion(tiny, ws, ws.clone(), torch.ones(1, 1, SIDE, SIDE), config=MotionConfig(size=SIDE))
    assert motion.flow.abs().max() < 1e-4
    assert motion.shading.abs().max() < 1e-4
