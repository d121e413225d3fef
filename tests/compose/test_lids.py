from __future__ import annotations

import numpy as np
from scipy import ndimage

from emogan_core.compose.creases import creases_of
from emogan_core.compose.eye_skin import EyeSkin, eye_skin
from emogan_core.compose.frames import COLUMNS, Edges, frame_between
from emogan_core.compose.lashes import lashes_after, lashes_of
from emogan_core.compose.lid_skin import lid_field, light_skin, stretch
from emogan_core.compose.lids import SPAN, WAY, WET_CM, Lids, brow_above, lids_after, lids_of
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
    light = light_skin(before, brow, skin_with_a_brow() if photo is None else photo, GRID)
    return lid_field(np.zeros((110, 120, 2), dtype=np.float32), GRID, before, after, brow, light, SCALE).field


def shut() -> Lids:
    return lids_after(FRAME, edges(6.0), lids(-10), SCALE)


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


def test_golden_the_crease_of_a_rising_lid_goes_with_it_and_stays_even() -> None:
    photo = skin_with_a_brow()
    photo[38:50, 50:60] = 250  # a shine on one side draws nothing there
    source = np.arange(110)[:, None] + field_to(lids(-16), photo)[..., 1]
    crease = np.abs(source - 52).argmin(0)[40:80]  # where the skin 8 px above the lid's edge came to
    assert np.ptp(crease) <= 1
    assert 46 <= crease.mean() <= 49  # the lid rose by 6 px; what is between narrows a little


def test_golden_what_is_dark_at_a_shutting_lids_edge_stays_narrow() -> None:
    photo = skin_with_a_brow()
    photo[48:60] = 60  # lashes' shadow
    rates = [np.diff(np.arange(110) + field_to(shut(), one)[:, 60, 1]) for one in (skin_with_a_brow(), photo)]
    assert rates[1][72:77].mean() > 1.3 * rates[0][72:77].mean()


def test_golden_skin_moves_evenly_along_a_shutting_lid() -> None:
    photo = skin_with_a_brow()
    photo[40:60, 50:56] = 60
    across = field_to(shut(), photo)[40:70, 40:80, 1]
    assert np.abs(np.diff(across, axis=1)).max() < 0.5


def creased() -> tuple[np.ndarray, EyeSkin]:
    """Skin with grain and a dark crease 8 px above the lid's edge."""
    photo = skin_with_a_brow()
    photo[51:54, 30:90] = 90
    photo[34:] *= np.exp(np.random.default_rng(0).normal(0, 0.03, (76, 120, 1)).astype(np.float32))
    before = lids(-10)
    return photo, eye_skin(photo, GRID, before, brow_above(before, BROW, SCALE), SCALE)


def on(skin: EyeSkin, photo: np.ndarray, after: Lids) -> np.ndarray:
    """The photo [h, w, 3] with the skin around the eye moved, but for lashes."""
    motion = skin.motion(np.zeros((110, 120, 2), dtype=np.float32), GRID, after, SCALE)
    colours = np.stack([_moved(photo[..., c], motion.field) for c in range(3)], -1)
    return skin.moved(colours, GRID, motion.field, motion, after)


def _moved(plane: np.ndarray, field: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[:110, :120]
    return ndimage.map_coordinates(plane, [rows + field[..., 1], columns + field[..., 0]], order=1, mode="nearest")


def test_golden_creases_are_found_and_brow_and_edge_are_not() -> None:
    _, skin = creased()
    assert skin.creases[52, 45:75].mean() < -0.3
    assert np.abs(skin.creases[30:36, 40:80]).max() < 0.05
    assert np.abs(skin.creases[59:, 40:80]).max() == 0
    plain = skin_with_a_brow()
    before = lids(-10)
    assert np.abs(creases_of(plain, GRID, before, brow_above(before, BROW, SCALE), SCALE)[44:]).max() < 0.01


def test_golden_a_lid_that_shuts_opens_its_crease_and_one_that_rises_keeps_it() -> None:
    photo, skin = creased()
    dark = {
        name: float((1 - on(skin, photo, after)[38:72, 45:75].mean((1, 2)) / 180).max())
        for name, after in (("shut", shut()), ("risen", lids(-14)))
    }
    assert dark["shut"] < 0.15
    assert dark["risen"] > 0.3


def test_golden_grain_of_a_shutting_lid_stays_fine() -> None:
    photo, skin = creased()

    def roughness(plane: np.ndarray) -> float:
        return float(np.abs(np.diff(np.log(plane.mean(-1)), axis=0)).mean())

    before, after = roughness(photo[38:49, 45:75]), roughness(on(skin, photo, shut())[50:66, 45:75])
    assert 0.4 * before < after < 1.2 * before


def skin_of(photo: np.ndarray) -> EyeSkin:
    before = lids(-10)
    return eye_skin(photo, GRID, before, brow_above(before, BROW, SCALE), SCALE)


def test_golden_a_shut_lid_has_the_cheeks_grain() -> None:
    photo = skin_with_a_brow()
    photo[86:] *= np.exp(np.random.default_rng(0).normal(0, 0.03, (24, 120, 1)).astype(np.float32))
    lid = np.log(on(skin_of(photo), photo, shut())[52:72, 45:75].mean(-1))
    cheek = np.log(photo[90:104, 45:75].mean(-1))
    assert np.abs(np.diff(lid, axis=1)).mean() > 0.5 * np.abs(np.diff(cheek, axis=1)).mean()


def test_golden_a_shut_lids_tone_has_neither_rim_nor_seam() -> None:
    photo = skin_with_a_brow()
    photo[56:60, 30:90] = 110  # make-up
    photo[46:56, 57:63] = 230  # a shine
    lid = on(skin_of(photo), photo, shut())[44:74, 36:84].mean(-1)
    assert np.abs(np.diff(lid, axis=1)).max() < 6
    assert np.abs(np.diff(lid, axis=0)).max() < 8


def test_golden_a_soft_fold_stays_where_it_was_when_the_lid_shuts() -> None:
    photo, plain = skin_with_a_brow(), skin_with_a_brow()
    photo[51:54, 30:90] = 90
    after, without = (on(skin_of(one), one, shut())[40:72, 50:70].mean((1, 2)) for one in (photo, plain))
    dark = np.log(without / after)
    assert abs(dark.argmax() + 40 - 52) <= 2
    assert 0.1 < dark.max() / np.log(2) < 0.5


def test_invariance_a_mirrored_lid_shuts_alike() -> None:
    photo, _ = creased()
    photo[44:60, 30:50] *= 0.8
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    assert np.allclose(on(skin_of(photo), photo, shut())[:, ::-1], on(skin_of(mirrored), mirrored, shut()), atol=0.5)


def test_golden_lids_that_almost_meet_are_shut() -> None:
    before = lids(-10)
    ajar, open_ = (lids_after(FRAME, edges(6 - share * WET_CM * SCALE), before, SCALE) for share in (0.5, 1.5))
    assert ajar.gap.max() == 0
    assert np.isclose(ajar.covered[30:43], WET_CM * SCALE).all()
    assert open_.gap.max() > 1


def test_golden_nothing_white_is_left_where_lids_meet() -> None:
    after = shut()
    down = after.below(GRID)[1][..., None]
    colours = np.where((down > 0) & (down < 2), 250.0, 150.0).repeat(3, -1).astype(np.float32)
    seam = after.with_seam(colours, GRID, SCALE)[:, 50:70]
    assert seam.max() <= 151
    assert seam.min() < 110  # the dark line


def test_invariance_skin_around_lids_at_rest_stays() -> None:
    photo, skin = creased()
    layer = np.exp(skin.lashes_on(GRID, lids(-10), SCALE))
    assert np.allclose(on(skin, photo, lids(-10)) * layer, photo, atol=0.6)


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


def test_invariance_lashes_of_a_shut_eye_stay() -> None:
    before, photo = lids(6.0), lashed()
    layer = lashes_of(photo, GRID, before, brow_above(before, BROW, SCALE), SCALE)
    assert np.allclose(lashes_after(layer, GRID, GRID, before, before, SCALE), layer, atol=1e-4)


def test_shape_stretch_has_mean_one() -> None:
    before = lids(-10)
    brow = brow_above(before, BROW, SCALE)
    light = light_skin(before, brow, skin_with_a_brow(), GRID)
    for after in (before, lids(-16), shut()):
        soft = stretch(before, after, brow, light, SCALE)
        assert soft.shape == (len(SPAN), len(WAY))
        assert np.allclose(soft.mean(1), 1)
