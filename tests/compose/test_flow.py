"""Optical flow: finds known motion, is blind to light, and composes."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from emogan_core.compose.flow import (
    FlowConfig,
    blurred,
    compose,
    flow_between,
    jacobian,
    resized_flow,
    warped,
)

CONFIG = FlowConfig(smoothness=0.3)
CHANGED = {
    "smoothness": 3.0,
    "robustness": 0.5,
    "colour": 0.0,
    "window": 0.2,
    "contrast_floor": 0.5,
    "warps": 1,
    "relaxations": 2,
}


def texture(side: int = 64, *, seed: int = 0) -> torch.Tensor:
    noise = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(seed))
    smooth = blurred(noise, 3.0)
    return smooth / smooth.abs().max() * 0.8


def swirl(side: int = 64, *, strength: float = 2.0) -> torch.Tensor:
    """A smooth flow that dies out at the border."""
    ys, xs = torch.meshgrid(*[(torch.arange(side) + 0.5) / side * 2 - 1] * 2, indexing="ij")
    hill = torch.exp(-(xs**2 + ys**2) * 6)
    return torch.stack([hill, -0.6 * hill]).unsqueeze(0) * strength


@pytest.mark.parametrize("side", [32, 48, 128])
def test_shape_any_side(side: int) -> None:
    images = texture(side).expand(2, -1, -1, -1)
    assert flow_between(images, images.flip(0), config=CONFIG).shape == (2, 2, side, side)


def test_golden_no_motion_between_equal_pictures() -> None:
    images = texture()
    assert flow_between(images, images, config=CONFIG).abs().max() < 1e-4


def test_golden_smooth_motion_is_recovered() -> None:
    first, truth = texture(), swirl()
    second = warped(first, truth, mode="bicubic")
    found = flow_between(first, second, config=CONFIG)
    inner = (slice(None), slice(None), slice(12, 52), slice(12, 52))
    assert (found - truth)[inner].abs().mean() < 0.12
    assert (warped(first, found) - second)[inner].abs().mean() < 0.2 * (first - second)[inner].abs().mean()


def test_invariance_light_is_not_motion() -> None:
    first, truth = texture(), swirl()
    second = warped(first, truth, mode="bicubic")
    plain = flow_between(first, second, config=CONFIG)
    lit = flow_between(first, 0.9 * second + 0.1, config=CONFIG)
    assert (plain - lit).abs().mean() < 0.1


def test_invariance_rows_of_a_batch_do_not_mix() -> None:
    first, second = texture(seed=1), texture(seed=2)
    alone = flow_between(first, second, config=CONFIG)
    together = flow_between(torch.cat([second, first]), torch.cat([first, second]), config=CONFIG)
    torch.testing.assert_close(alone[0], together[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("field", [field.name for field in fields(FlowConfig)])
def test_invariance_every_setting_is_felt(field: str) -> None:
    first, second = texture(seed=1), warped(texture(seed=1), swirl())
    changed = flow_between(first, second, config=replace(CONFIG, **{field: CHANGED[field]}))
    assert not torch.equal(changed, flow_between(first, second, config=CONFIG))


def test_golden_shifts_add_up() -> None:
    shifts = torch.tensor([[1.0, 0.5], [2.0, -1.0]]).view(2, 2, 1, 1).expand(2, 2, 16, 16)
    torch.testing.assert_close(compose(shifts), torch.tensor([3.0, -0.5]).view(1, 2, 1, 1).expand(1, 2, 16, 16))


def test_invariance_composed_flow_warps_as_one_after_the_other() -> None:
    image, flows = texture(), torch.cat([swirl(strength=1.0), swirl(strength=-0.7)])
    twice = warped(warped(image, flows[:1], mode="bicubic"), flows[1:], mode="bicubic")
    assert (warped(image, compose(flows), mode="bicubic") - twice).abs().mean() < 5e-3


def test_golden_resized_flow_keeps_shares_of_the_side() -> None:
    flow = torch.full((1, 2, 16, 16), 2.0)
    torch.testing.assert_close(resized_flow(flow, 32), torch.full((1, 2, 32, 32), 4.0))
    torch.testing.assert_close(resized_flow(flow, 8), torch.full((1, 2, 8, 8), 1.0))


def test_golden_jacobian_of_a_stretch() -> None:
    along = torch.arange(16.0)
    flow = torch.stack([along.view(1, -1).expand(16, 16) * 0.5, along.view(-1, 1).expand(16, 16) * -0.5]).unsqueeze(0)
    torch.testing.assert_close(jacobian(flow)[..., 1:-1, 1:-1], torch.full((1, 1, 14, 14), 0.75))


def test_invariance_blur_keeps_constants() -> None:
    plane = torch.full((1, 2, 20, 30), 0.3)
    torch.testing.assert_close(blurred(plane, 4.0), plane)
    assert blurred(plane, 0.0) is plane
