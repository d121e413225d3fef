from __future__ import annotations

import numpy as np
from tiny_faces import SCALE, SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.motion import opening_patch
from emogan_core.compose.mouth import inside, tones_of, with_photo
from emogan_core.compose.move import move_face
from emogan_core.compose.openings import MOUTH, aligned, fitted
from emogan_core.compose.scene import scene_of
from emogan_core.face_model.mesh import Grid
from emogan_core.images import Photo

LIGHT, DARK, WHITE = np.array([200.0, 170, 160]), np.array([90.0, 65, 55]), np.array([185.0, 180, 178])


def test_invariance_tones_follow_the_exposure() -> None:
    full, half = tones_of(LIGHT, LIGHT, WHITE), tones_of(LIGHT / 2, LIGHT / 2, WHITE / 2)
    assert np.allclose(half.teeth, full.teeth / 2, rtol=0.05)


def test_golden_teeth_are_about_as_bright_as_fair_cheeks_and_brighter_than_dark_ones() -> None:
    assert 0.95 < tones_of(LIGHT, LIGHT, WHITE).teeth.mean() / LIGHT.mean() < 1.15
    assert tones_of(DARK, DARK, WHITE * 0.75).teeth.mean() > 1.5 * DARK.mean()


def test_invariance_gray_tones_are_gray() -> None:
    tones = tones_of(np.full(3, 150.0), np.full(3, 120.0), np.full(3, 160.0))
    for tone in (tones.teeth, tones.gums, tones.dark):
        assert np.ptp(tone) < 1e-6


def test_golden_teeth_show_between_parted_lips() -> None:
    model, fit = tiny_face()
    after = fit.vertices(model, coefficients_of(model, {"mouthUpperUp": 1.0, "mouthLowerDown": 1.0}))
    x, y = (fit.landmarks[13] - 4 * SCALE).astype(int)
    grid = Grid(float(x), float(y), int(8 * SCALE), int(8 * SCALE))
    patch = opening_patch(after, after[:, :2], model.triangles[model.triangle_part <= 1], grid, 2)
    assert (patch.skin < 0.5).sum() > 20
    tones = tones_of(LIGHT, LIGHT, WHITE)
    drawn = inside(model, after, patch, tones, SCALE, 2, upper=True)
    assert drawn[patch.skin < 0.2].max() > 0.7 * tones.teeth.max()
    assert drawn.max() <= 1.1 * tones.teeth.max()


def test_invariance_the_photos_own_inside_stays_where_the_mouth_was_open() -> None:
    model, fit = tiny_face({"jawOpen": 0.5})
    photo = tiny_photo()
    raw = fit.vertices(model)
    opening = fitted(model, fit, raw, tiny_face()[1].vertices(model), MOUTH, photo.pixels)
    moved = aligned(model, fit, raw, raw, (opening,))[2][0]
    grid = Grid(0.0, 0.0, SIDE, SIDE)
    own = photo.pixels.astype(np.float32)
    kept = with_photo(np.zeros_like(own), own, grid, opening, moved, SCALE)
    column, row = fit.landmarks[[13, 14]].mean(0).astype(int)
    assert np.array_equal(kept[row, column], own[row, column])


def test_golden_closing_an_open_mouth_hides_its_inside() -> None:
    model, fit = tiny_face({"jawOpen": 0.5})
    pixels = tiny_photo().pixels.copy()
    column, row = fit.landmarks[[13, 14]].mean(0).astype(int)
    pixels[row - 2 : row + 3, column - 6 : column + 7] = (0, 255, 0)
    closed, _ = move_face(Photo(pixels), model, fit, np.zeros(len(model.names)))
    green = (closed[..., 1].astype(int) - closed[..., 0] > 100).sum()
    assert green < 0.1 * (pixels[..., 1].astype(int) - pixels[..., 0] > 100).sum()


def test_golden_a_scene_knows_closed_lips() -> None:
    model, fit = tiny_face()
    mouth = next(o for o in scene_of(tiny_photo(), model, fit).openings if o.place is MOUTH)
    assert not mouth.photo.gap.any()
