from __future__ import annotations

import numpy as np

from emogan_core.compose.frames import COLUMNS, Edges, frame_between
from emogan_core.compose.lashes import lashes_after, lashes_of
from emogan_core.compose.lids import SPAN, WAY, Lids, brow_above, lid_field, lids_after, lids_of, softness
from emogan_core.face_model.mesh import Grid

SCALE = 20.0
GRID = Grid(0.0, 0.0, 120, 110)
FRAME = frame_between(np.array([30.0, 70.0]), np.array([90.0, 70.0]))
BROW = np.array([[25.0, 32], [45, 32], [60, 32], [75, 32], [95, 32]])


def lids(upper: float, lower: float = 6.0) -> Lids:
    return lids_of(FRAME, edges(upper, lower))


def edges(upper: float, lower: float = 6.0) -> Edges:
    return Edges(np.full(COLUMNS, upper), np.full(COLUMNS, lower))


def skin_with_a_brow() -> np.ndarray:
    photo = np.full((110, 120, 3), 180.0, dtype=np.float32)
    photo[:34] = 40
    return photo


def field_to(after: Lids, photo: np.ndarray | None = None) -> np.ndarray:
    before = lids(-10)
    brow = brow_above(before, BROW, SCALE)
    soft = softness(before, brow, skin_with_a_brow() if photo is None else photo, GRID, SCALE)
    return lid_field(np.zeros((110, 120, 2), dtype=np.float32), GRID, before, after, brow, soft, SCALE)


def test_invariance_lids_at_rest_move_nothing() -> None:
    assert np.abs(field_to(lids(-10))).max() < 1e-3


def test_golden_skin_follows_the_lid_and_the_brow_stays() -> None:
    after = lids_after(FRAME, edges(6.0), lids(-10), SCALE)
    field = field_to(after)
    column = field[:, 60, 1]
    edge = round(70 + float(np.interp(0.5, SPAN, after.upper)))
    assert np.isclose(column[edge - 1], -(16 + 0.09 * SCALE), atol=0.6)  # the lid's edge came from the old edge
    assert np.abs(column[:31]).max() < 0.5  # the brow did not come along
    source = np.arange(110) + column
    assert (np.diff(source[32:edge]) > 0).all()  # nothing is shown twice


def test_golden_what_is_dark_stretches_least() -> None:
    photo = skin_with_a_brow()
    photo[44:50] = 70  # a fold
    source = np.arange(110) + field_to(lids(4.0), photo)[:, 60, 1]
    rate = np.diff(source)
    dark = (source[:-1] > 45) & (source[:-1] < 48)
    bright = (source[:-1] > 37) & (source[:-1] < 42)
    assert rate[dark].mean() > 1.5 * rate[bright].mean()


def test_golden_a_closed_eye_shows_no_eyeball() -> None:
    after = lids_after(FRAME, edges(6.0), lids(-10), SCALE)
    assert after.skin(GRID).min() == 1
    assert lids(-10).skin(GRID).min() == 0


def lashed() -> np.ndarray:
    """Bright skin with thin dark lashes above the lid's edge (row 60)."""
    photo = np.full((110, 120, 3), 180.0, dtype=np.float32)
    photo[48:60, 34:88:5] = 60
    return photo


def test_golden_lashes_come_off_the_skin_and_go_with_the_lid() -> None:
    before, photo = lids(-10), lashed()
    brow = brow_above(before, BROW, SCALE)
    layer = lashes_of(photo, GRID, before, brow, SCALE)
    assert layer.max() <= 0
    assert (photo * np.exp(-layer))[50:58, 40:80].min() > 150
    risen = lashes_after(layer, GRID, GRID, before, lids(-16), SCALE)
    assert np.allclose(risen[44:50, 40:80], layer[50:56, 40:80], atol=0.05)
    shut = lashes_after(layer, GRID, GRID, before, lids_after(FRAME, edges(6.0), before, SCALE), SCALE)
    assert shut[:70].sum() > 0.2 * shut.sum()  # they point down over the cheek
    assert shut[79:84].min() < -0.4


def test_invariance_lashes_at_rest_stay() -> None:
    before = lids(-10)
    layer = lashes_of(lashed(), GRID, before, brow_above(before, BROW, SCALE), SCALE)
    assert np.allclose(lashes_after(layer, GRID, GRID, before, before, SCALE), layer, atol=1e-4)


def test_shape_softness_has_mean_one() -> None:
    before = lids(-10)
    soft = softness(before, brow_above(before, BROW, SCALE), skin_with_a_brow(), GRID, SCALE)
    assert soft.shape == (len(SPAN), len(WAY))
    assert np.allclose(soft.mean(1), 1)
