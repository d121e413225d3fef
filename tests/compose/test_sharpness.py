from __future__ import annotations

import numpy as np
from scipy import ndimage
from tiny_faces import SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.move import move_face
from emogan_core.compose.sharpness import blur_of
from emogan_core.images import Photo


def edges() -> np.ndarray:
    """Sharp lines of many widths."""
    rng = np.random.default_rng(1)
    lines = np.repeat(rng.integers(60, 200, SIDE // 4), 4)[None] + np.repeat(rng.integers(0, 50, SIDE // 2), 2)[:, None]
    return np.repeat(lines[..., None], 3, -1).astype(np.float64)


def test_golden_blur_is_measured() -> None:
    _, fit = tiny_face()
    sharp = edges()
    found = [
        blur_of(ndimage.gaussian_filter(sharp, (sigma, sigma, 0)).astype(np.uint8), fit) for sigma in (0, 1.5, 2.5, 4)
    ]
    assert found[0] < 0.7
    assert (np.diff(found) > 0.3).all()
    assert 1.5 < found[2] < 4


def test_golden_teeth_in_a_soft_photo_are_soft() -> None:
    model, fit = tiny_face()
    after = coefficients_of(model, {"mouthUpperUp": 1.0, "mouthLowerDown": 1.0})
    steepest = []
    for pixels in (tiny_photo().pixels, ndimage.gaussian_filter(edges(), (3, 3, 0)).astype(np.uint8)):
        moved, _ = move_face(Photo(pixels), model, fit, after)
        column, row = fit.landmarks[[13, 14]].mean(0).astype(int)
        part = moved[row - 12 : row + 13, column - 8 : column + 9].astype(float).mean(-1)
        steepest.append(np.abs(np.diff(part, axis=0)).max() / np.ptp(part))
    assert steepest[1] < 0.8 * steepest[0]


def test_invariance_a_flat_picture_has_no_blur() -> None:
    _, fit = tiny_face()
    assert blur_of(np.full((SIDE, SIDE, 3), 128, dtype=np.uint8), fit) == 0
