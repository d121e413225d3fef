"""The recipe of the net that finds rims: what is drawn, and that a few steps learn something of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emogan_core.networks.rims import RIM_HEIGHT, RIM_WIDTH
from emogan_core.training.drawn_glasses import with_glasses
from emogan_core.training.rims import drawn, trained


def skin() -> np.ndarray:
    picture = np.full((RIM_HEIGHT, RIM_WIDTH, 3), (190.0, 150.0, 130.0))
    return picture + np.random.default_rng(0).normal(0, 2, picture.shape)


def test_shape_glasses_lie_on_the_picture() -> None:
    rng, shares = np.random.default_rng(0), []
    for _ in range(20):
        before = skin()
        picture, rim = with_glasses(before, 70.0, rng)
        np.testing.assert_array_equal(before, skin())
        assert picture.shape == before.shape
        assert rim.shape == before.shape[:2]
        assert 0 <= picture.min() <= picture.max() <= 255
        assert 0 <= rim.min() <= rim.max() <= 1
        shares.append(float(rim.mean()))
    assert min(shares) < 0.06
    assert 0.03 < float(np.mean(shares)) < 0.3


def test_invariance_the_same_draw_again() -> None:
    one, other = (with_glasses(skin(), 70.0, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.slow
def test_golden_steps_lower_the_loss() -> None:
    pictures, rims = drawn({"studio": [skin()]}, np.random.default_rng(0))
    assert pictures.shape[1:] == (RIM_HEIGHT, RIM_WIDTH, 3)
    assert pictures.shape[:3] == rims.shape
    losses = []
    trained(
        pictures,
        rims,
        steps=8,
        rng=torch.Generator().manual_seed(0),
        each=lambda step, loss, net: losses.append(loss),
    )
    assert len(losses) == 8
    assert losses[-1] < losses[0]
