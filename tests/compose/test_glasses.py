from __future__ import annotations

import numpy as np
import pytest
from composites import composite
from numpy.typing import NDArray
from scipy import ndimage

from emogan_core import apply_expressions, invert, load_axes, load_generator, put_back
from emogan_core.compose.glasses import KEPT_TOLD, Rims, _behind, away_from_rims, rims_of
from emogan_core.compose.move import move_face
from emogan_core.compose.scene import scene_of
from emogan_core.face_model import FaceFit, load_face_model
from emogan_core.images import Photo
from emogan_core.networks.rims import RIM_HEIGHT, RIM_WIDTH
from emogan_core.weights import builtin_path


def worn(photo: Photo, fit: FaceFit, *, colour: int = 25) -> tuple[Photo, NDArray[np.bool_]]:
    """Round glasses below the brows, with a bridge and temples, on a face, and which pixels they take."""
    left, right = fit.landmarks[468], fit.landmarks[473]
    unit = float(np.linalg.norm(right - left))
    rows, columns = np.mgrid[: photo.pixels.shape[0], : photo.pixels.shape[1]] + 0.5
    rim = np.zeros(rows.shape, dtype=np.bool_)
    middle = (left + right) / 2
    for centre, outward in ((left, -1), (right, 1)):
        place = middle + (centre - middle) * 1.06 + (0, 0.1 * unit)
        rim |= np.abs(np.hypot(columns - place[0], rows - place[1]) - 0.31 * unit) < 0.016 * unit
        away = (columns - place[0]) * outward
        rim |= (away > 0.31 * unit) & (away < 0.75 * unit) & (np.abs(rows - place[1] + 0.1 * unit) < 0.016 * unit)
    rim |= (np.abs(columns - middle[0]) < 0.22 * unit) & (np.abs(rows - middle[1] - 0.02 * unit) < 0.016 * unit)
    share = ndimage.gaussian_filter(rim.astype(np.float64), 0.7)[..., None]
    skin = photo.pixels.astype(np.float64)
    return Photo((skin + share * (colour - skin)).round().astype(np.uint8)), rim


def test_golden_rims_stay_and_the_face_moves_behind_them() -> None:
    photo, fit = composite("f_multi")
    model = load_face_model()
    seen, rim = worn(photo, fit)
    after = fit.coefficients.copy()
    for name in (
        "browInnerUpLeft",
        "browInnerUpRight",
        "browOuterUpLeft",
        "browOuterUpRight",
        "cheekSquintLeft",
        "cheekSquintRight",
    ):
        after[model.index(name)] = 1.0
    pixels, mask = move_face(seen, model, fit, after)
    changed = np.abs(pixels.astype(int) - seen.pixels).max(-1)
    assert (changed[rim] > 20).mean() < 0.02
    assert (mask[rim] > 0.5).mean() < 0.05
    bare, _ = move_face(photo, model, fit, after)
    beside = ndimage.binary_dilation(rim, iterations=12)
    moved = np.abs(bare.astype(int) - photo.pixels).max(-1) > 20
    assert (np.abs(pixels.astype(int) - bare).max(-1) > 25)[moved & ~beside].mean() < 0.05
    dark = (pixels.max(-1) < 60) & ~(bare.max(-1) < 90)
    assert dark[~beside].sum() < 0.02 * rim.sum()  # no second rim anywhere


def test_invariance_faces_without_glasses_are_edited_as_before() -> None:
    photo, fit = composite("m_african")
    assert scene_of(photo, load_face_model(), fit).rims is None
    rims = rims_of(worn(photo, fit)[0], fit)
    assert rims is not None
    assert rims.cover.shape == rims.hidden.shape == rims.skin.shape[:2]


@pytest.mark.slow
def test_golden_composites_wear_none() -> None:
    for path in builtin_path("examples").glob("composite_*.jpg"):
        assert rims_of(*composite(path.stem.removeprefix("composite_"))) is None


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["motion", "paste"])
def test_shape_glasses_are_told_of(mode: str) -> None:
    photo, fit = composite("f_multi")
    seen, rim = worn(photo, fit)
    generator = load_generator("builtin")
    inversion = invert(generator, seen, method="encode")
    edit = apply_expressions(inversion, load_axes("builtin"), {"happiness": 1.0})
    result = put_back(generator, seen, inversion, edit, mode=mode)
    assert KEPT_TOLD in result.report["notices"]
    assert (np.abs(result.photo.pixels[rim].astype(int) - seen.pixels[rim]).max(-1) > 20).mean() < 0.02
    for elsewhere in ({"mouthLowerDown": 0.3}, {}):
        edit = apply_expressions(inversion, load_axes("builtin"), elsewhere)
        result = put_back(generator, seen, inversion, edit)
        assert KEPT_TOLD not in result.report["notices"]
    np.testing.assert_array_equal(result.photo.pixels, seen.pixels)


def test_shape_rims_at_the_edge_of_a_photo() -> None:
    cover = np.ones((4, 6), dtype=np.float32)
    rims = Rims(3, 2, cover, cover, np.full((4, 6, 3), 200, dtype=np.float32))
    assert rims.within(0, 0, 3, 5).sum() == 2
    assert rims.within(20, 20, 3, 3).sum() == 0
    photo = Photo(np.zeros((10, 12, 3), dtype=np.uint8))
    taken = rims.taken_off(photo)
    assert photo.pixels.max() == 0
    assert (taken.pixels == 200).all(-1).sum() == 24


def test_invariance_specks_are_no_rims() -> None:
    share = np.zeros((RIM_HEIGHT, RIM_WIDTH))
    assert away_from_rims(share) is None
    share[40:44] = 0.6  # likely, and nowhere sure
    assert away_from_rims(share) is None
    share[41, 10:170] = 0.9
    away = away_from_rims(share)
    assert away is not None
    assert away[42, 88] < 0.5
    assert away[80, 88] > 30
    aside = np.zeros_like(share)
    aside[5:12, 100:] = 0.9  # the brim of a hat
    assert away_from_rims(aside) is None


def test_golden_made_up_skin_has_the_grain_of_what_is_beside() -> None:
    rng = np.random.default_rng(0)
    own = (150 * np.exp(rng.normal(0, 0.03, (60, 80, 1)))).astype(np.float32).repeat(3, -1)
    hidden = np.zeros((60, 80), dtype=np.float32)
    hidden[26:34] = 1
    own[26:34] = 20
    skin = _behind(own, hidden, 1)
    assert np.isclose(skin[26:34].mean(), 150, rtol=0.03)
    assert 0.5 < np.log(skin[28:32]).std() / np.log(own[:20]).std() < 1.2
