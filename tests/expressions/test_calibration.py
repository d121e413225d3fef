"""Calibration: intensities that reach a wanted reading."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from emogan_core.errors import ExpressionError
from emogan_core.expressions import intensity_to_reach, read_eta


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (0.0, 2.0, 1.0, 0.5)])
def test_golden_the_wanted_probability_is_reached(world, axes, weights):
    smile = axes["smile"]
    direction = smile.direction[0] * torch.tensor(weights)[:, None]
    axes = replace(axes, axes=(replace(smile, direction=direction, layer_weights=weights),))
    some = world.latents[0:5]
    intensity = intensity_to_reach(some, axes, "smile", 0.5)
    moved = replace(some, ws=some.ws + intensity[:, None, None] * direction.double())
    torch.testing.assert_close(read_eta(moved, axes, "smile"), torch.zeros(5, dtype=torch.float64), atol=1e-4, rtol=0)


@pytest.mark.parametrize("probability", [0.0, 1.0, -2.0, float("nan")])
def test_error_impossible_probability(world, axes, probability):
    with pytest.raises(ExpressionError, match="strictly between 0 and 1"):
        intensity_to_reach(world.latents, axes, "smile", probability)
