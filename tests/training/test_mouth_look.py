"""The recipe of the net that tells hidden mouths: what is drawn before mouths, and that a fit tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from emogan_core.training.mouth_look import Mouth, answers, drawn, fitted, seen_patch
from emogan_core.training.occluders import KINDS, Around, covered

SIZE, UNIT = 96, 40.0


def around() -> Around:
    rng = np.random.default_rng(0)
    skin = rng.uniform(120, 160, (20, 20, 3))
    return Around(skin, [skin], [rng.uniform(0, 255, (120, 140, 3))])


@pytest.mark.parametrize("kind", KINDS)
def test_shape_what_is_drawn_lies_on_the_patch(kind) -> None:
    colour, mask = kind(SIZE, UNIT, around(), np.random.default_rng(1))
    assert colour.shape == (SIZE, SIZE, 3)
    assert mask.shape == (SIZE, SIZE)
    assert 0.02 < mask.mean() < 1
    assert np.isfinite(colour).all()


def test_invariance_the_same_draw_again_and_the_patch_unchanged() -> None:
    patch = np.full((SIZE, SIZE, 3), 150.0)
    one, other = (covered(patch, UNIT, around(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    assert (patch == 150).all()
    assert one[0].min() >= 0
    assert one[0].max() <= 255
    assert seen_patch(patch, np.random.default_rng(0)).shape == (48, 48, 3)


@pytest.mark.slow
def test_golden_a_fit_tells_hidden_mouths_from_seen_ones() -> None:
    rng = np.random.default_rng(0)
    patch = np.full((SIZE, SIZE, 3), (190, 150, 130), dtype=np.uint8)
    patch[40:56, 28:68] = (150, 80, 80)
    patch[47:49, 28:68] = (60, 30, 30)
    lips = np.zeros((SIZE, SIZE), dtype=np.bool_)
    lips[40:56, 28:68] = True
    mouths = [Mouth(patch, lips, patch[:20, :20], "studio", str(number)) for number in range(40)]
    features, hidden, own = drawn(mouths, rng)
    assert features.shape == (len(hidden), 480)
    assert set(own.tolist()) == set(range(40))
    weights = fitted(features, hidden)
    assert np.mean((answers(weights, features) > 0) == hidden) > 0.9
