from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tiny_faces import IRIS_CM, SCALE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.eyes import Iris, eye_of, eyeball, iris_of, iris_shift, lid_share
from emogan_core.compose.frames import COLUMNS, Edges, frame_between
from emogan_core.compose.lid_shadow import shadow_of
from emogan_core.compose.lids import Lids, lids_of
from emogan_core.compose.move import move_face
from emogan_core.compose.openings import EYE_LEFT, EYE_RIGHT
from emogan_core.face_model.mesh import Grid

GRID, IRIS = Grid(10.0, 20.0, 60, 40), Iris(40.0, 40.0, 8.0)


def drawn_eye() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A dark iris on white, and skin's share: an opening of 16 rows."""
    x, y = GRID.centres()
    photo = np.full((40, 60, 3), 220.0, dtype=np.float32)
    photo[np.hypot(x - IRIS.x, y - IRIS.y) < IRIS.radius] = (70, 50, 30)
    skin = np.ones((40, 60), dtype=np.float32)
    skin[14:30, 8:52] = 0
    photo[skin > 0] = (190, 140, 120)
    return photo, skin


def drawn_lids(upper: float = 34.0) -> Lids:
    """The lids of that eye, the upper one's edge at a row of the photo."""
    frame = frame_between(np.array([18.0, 42.0]), np.array([62.0, 42.0]))
    return lids_of(frame, Edges(np.full(COLUMNS, upper - 42), np.full(COLUMNS, 8.0)))


def test_golden_hidden_parts_continue_iris_and_white() -> None:
    photo, skin = drawn_eye()
    whole, white = eyeball(photo, lid_share(skin, 10.0), GRID, IRIS)
    assert np.allclose(whole[13, 29], (70, 50, 30), atol=8)  # the iris's top, under the lid
    assert np.allclose(whole[12, 14], 220, atol=8)
    assert np.allclose(white[20, 29], 220, atol=8)


def test_invariance_lids_at_rest_show_the_photo() -> None:
    photo, _ = drawn_eye()
    behind = eye_of(photo, drawn_lids(), GRID, IRIS, 10.0).behind(drawn_lids(), np.zeros(2), 10.0)
    assert np.array_equal(behind, photo)


def test_invariance_a_lids_shadow_ends_softly() -> None:
    """On an eye that is darker than its white was taken for everywhere, too: else its end is an edge on the white."""
    _, skin = drawn_eye()
    shadow = shadow_of(np.full((40, 60), 0.75), skin < 0.5, drawn_lids(), GRID, 10.0)
    assert np.allclose(shadow.table[:, 0], 0.75, atol=0.05)
    assert shadow.table[:, -1].min() > 0.97
    assert np.abs(np.diff(shadow.table, axis=1)).max() < 0.06


def test_golden_gaze_moves_the_iris_over_the_white() -> None:
    photo, _ = drawn_eye()
    behind = eye_of(photo, drawn_lids(), GRID, IRIS, 10.0).behind(drawn_lids(), np.array([10.0, 0.0]), 10.0)
    row = 20
    assert behind[row, 39].mean() < 90  # the iris's new middle
    assert behind[row, 23].mean() > 200  # white where it was


def test_shape_part_of_an_eye() -> None:
    photo, _ = drawn_eye()
    part = eye_of(photo, drawn_lids(), GRID, IRIS, 10.0).part(Grid(15.0, 24.0, 20, 10))
    assert part.seen.shape == part.whole.shape == (10, 20, 3)
    assert np.array_equal(part.seen, photo[4:14, 5:25])


def test_golden_iris_from_landmarks_and_its_turn() -> None:
    model, fit = tiny_face()
    iris = iris_of(fit, EYE_LEFT)
    assert np.isclose(iris.radius, IRIS_CM * SCALE, rtol=0.01)
    left = coefficients_of(model, {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0})
    assert iris_shift(model, fit, left, EYE_LEFT)[0] > 1  # the person's left is the picture's right
    assert iris_shift(model, fit, left, EYE_RIGHT)[0] > 1


def test_invariance_eyeballs_stay_when_brows_move() -> None:
    model, fit = tiny_face()
    photo = tiny_photo()
    pixels, _ = move_face(photo, model, fit, coefficients_of(model, {"browInnerUp": 0.6}))
    x, y = fit.landmarks[468].astype(int)
    assert np.array_equal(pixels[y, x], photo.pixels[y, x])
