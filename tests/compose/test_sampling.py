from __future__ import annotations

import numpy as np

from emogan_core.compose.sampling import STRETCH, keep_inside, sampled


def test_invariance_motion_inside_of_the_photo_stays() -> None:
    field = np.random.default_rng(0).uniform(-4, 4, (10, 12, 2)).astype(np.float32)
    kept = field.copy()
    keep_inside(kept, 20, 30, 60, 60)
    assert np.array_equal(kept, field)


def test_invariance_skin_pulled_from_beyond_the_border_is_stretched_and_not_repeated() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    for axis, sign, rows in ((1, 1, np.s_[-8:]), (1, -1, np.s_[:8])):
        field = np.zeros((40, 50, 2), np.float32)
        field[..., axis] = 9 * sign
        streaked = sampled(pixels, field, 0, 0, "bilinear")[rows]
        assert np.ptp(streaked, axis=0).max() < 1e-3
        keep_inside(field, 0, 0, 50, 40)
        drawn = sampled(pixels, field, 0, 0, "bilinear")[rows]
        assert np.ptp(drawn, axis=0).mean() > 30
    places = np.arange(50) + 0.5
    for sign in (1, -1):
        field = np.zeros((40, 50, 2), np.float32)
        field[..., 0] = 9 * sign
        keep_inside(field, 0, 0, 50, 40)
        taken = places + field[0, :, 0]
        assert (taken > 0).all()
        assert (taken < 50).all()
        assert np.diff(taken).min() > 1 / STRETCH - 1e-5
