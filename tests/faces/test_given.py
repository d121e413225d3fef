"""Faces whose landmarks somebody else found."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_models import portrait

from emogan_core.errors import FaceError, ShapeError
from emogan_core.faces import choose_face, dense_landmarks, face_from, fit_to_photo, frame_quad


@cache
def found() -> NDArray[np.float64]:
    """478 points of the portrait."""
    return dense_landmarks(portrait(), choose_face(portrait()))


def turned() -> NDArray[np.float64]:
    """The same with the nose far to one side."""
    points = found().copy()
    points[1, 0] += 60
    return points


@pytest.mark.parametrize("count", [478, 468])
def test_golden_the_same_face_as_our_own(count: int) -> None:
    own = choose_face(portrait())
    face, points = face_from(portrait(), found()[:count])
    apart = np.abs(frame_quad(face.landmarks, "tight") - frame_quad(own.landmarks, "tight")).max()
    assert apart < 0.05 * own.size_px
    assert abs(face.yaw_deg - own.yaw_deg) < 6
    assert points.shape == (478, 2)
    assert np.abs(points - found()).max() < 0.02 * own.size_px
    fit = fit_to_photo(portrait(), face, landmarks=points)
    assert np.abs(fit.coefficients - fit_to_photo(portrait(), own).coefficients).max() < 0.02


def test_invariance_the_fit_follows_the_given_points() -> None:
    moved = found() + 7.0
    face, points = face_from(portrait(), np.column_stack([moved, np.zeros(478)]).astype(np.float32))
    fit = fit_to_photo(portrait(), face, landmarks=points)
    assert np.allclose(fit.landmarks, moved, atol=1e-3)


@pytest.mark.parametrize("shape", [(477, 2), (478, 1), (2, 478), (478,)])
def test_error_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"give \[478, 2\] or \[468, 2\]"):
        face_from(portrait(), np.zeros(shape))


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (lambda: found() * np.nan, "NaN or infinite"),
        (lambda: found() + 200, r"of the landmarks lie on the photo of 256 x 256 px, needed are 80%"),
        (lambda: found() / 256, "px wide, too small"),
        (lambda: np.full((478, 2), 40.0), "lie on one point"),
        (lambda: turned(), "turned .* degrees to the side"),
    ],
)
def test_error_points_that_are_no_usable_face(points, sentence: str) -> None:
    with pytest.raises(FaceError, match=sentence):
        face_from(portrait(), points())
