from __future__ import annotations

from dataclasses import replace

import numpy as np
from skimage.draw import polygon
from tiny_faces import SCALE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.frames import COLUMNS, Edges, frame_between, shares
from emogan_core.compose.move import move_face
from emogan_core.compose.openings import MOUTH, Fitted, _lips_after, pressed_cm
from emogan_core.face_model import load_face_model
from emogan_core.images import Photo

FLAT = np.zeros(COLUMNS)
NONE_PRESSED = (0.0, 0.0)
WIDTH = 40.0  # px


def edges_of(gap: np.ndarray) -> Edges:
    return Edges(-gap / 2, gap / 2)


def mouth_of(photo: np.ndarray, mesh: np.ndarray) -> Fitted:
    frame = frame_between(np.array([0.0, 0.0]), np.array([WIDTH, 0.0]))
    return Fitted(MOUTH, frame, edges_of(photo * SCALE), edges_of(mesh * SCALE), FLAT)


def test_golden_lips_that_close_are_closed_where_the_mesh_had_them_shut_too() -> None:
    """A fit that explains half of a smile leaves the mesh's lips shut at the corners, over teeth."""
    mesh = np.clip(0.25 * np.sin(np.linspace(-0.6, np.pi + 0.6, COLUMNS)), 0, None)
    after = _lips_after(mouth_of(np.full(COLUMNS, 0.8), mesh), edges_of(FLAT), WIDTH, NONE_PRESSED, SCALE)
    assert mesh[[0, -1]].max() == 0
    assert after.gap.max() < 0.01 * SCALE


def test_invariance_an_open_mouth_stays_where_the_mesh_has_it_shut_before_and_after() -> None:
    opening = mouth_of(np.full(COLUMNS, 0.8), FLAT)
    assert np.allclose(_lips_after(opening, edges_of(FLAT), WIDTH, NONE_PRESSED, SCALE).gap, opening.photo.gap)


def test_golden_one_side_of_a_mouth_closes_alone() -> None:
    photo, half = np.full(COLUMNS, 0.5), np.where(np.arange(COLUMNS) < COLUMNS // 2, 0.0, 0.4)
    gap = (
        _lips_after(mouth_of(photo, np.full(COLUMNS, 0.4)), edges_of(half * SCALE), WIDTH, NONE_PRESSED, SCALE).gap
        / SCALE
    )
    assert gap[: COLUMNS // 4].max() < 0.02
    assert gap[-COLUMNS // 4 :].min() > 0.35


def test_golden_pressed_lips_are_shut_and_a_dropped_jaw_is_not() -> None:
    model = load_face_model()
    pressed = pressed_cm(model, coefficients_of(model, {"mouthPress": 1.0})) * SCALE
    opening = mouth_of(np.full(COLUMNS, 0.8), np.full(COLUMNS, 0.3))
    for gap, open_after in ((0.2, False), (1.5, True)):
        after = _lips_after(opening, edges_of(np.full(COLUMNS, gap * SCALE)), WIDTH, (0.0, pressed), SCALE)
        assert bool(after.gap.max() > 0.1 * SCALE) is open_after


def test_golden_a_mouth_that_opens_wide_is_an_oval_and_one_that_parts_is_as_the_mesh_has_it() -> None:
    point = 1 - np.abs(2 * shares() - 1) ** 1.3  # as the mesh drops a lower lip: nearly to a point
    quarter, middle = np.searchsorted(shares(), 0.25), COLUMNS // 2
    shut = mouth_of(FLAT, FLAT)
    for deep_cm, oval in ((2.0, True), (0.2, False)):
        moved = Edges(-0.2 * deep_cm * SCALE * point, deep_cm * SCALE * point)
        after = _lips_after(shut, moved, WIDTH, NONE_PRESSED, SCALE)
        share = float(after.lower[quarter] / after.lower[middle])
        assert (share > 0.75) is oval, share
        assert abs(after.lower[middle] / moved.lower[middle] - 1) < 0.1
        assert abs(after.lower[0] - moved.lower[0]) < 0.17 * moved.lower[middle]  # corners stay
        assert np.allclose(after.gap, after.gap[::-1])


def test_golden_no_teeth_are_left_when_a_smile_is_replaced_by_pressed_lips() -> None:
    """The fit explains half of the smile, its residual the rest, as often on real smiles."""
    model, fit = tiny_face({"mouthUpperUp": 0.6, "mouthLowerDown": 0.6})
    half = replace(fit, coefficients=fit.coefficients / 2)
    fit = replace(half, residual=(fit.vertices(model) - half.vertices(model))[:, :2])
    pixels = tiny_photo().pixels.copy()
    outline = fit.landmarks[list(MOUTH.upper + MOUTH.lower[::-1])]
    rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, pixels.shape[:2])
    pixels[rows, columns] = (235, 235, 225)
    shapes = {"mouthPress": 1.0, "mouthRollLower": 0.7, "mouthRollUpper": 0.7, "noseSneer": 0.8, "mouthShrugLower": 0.3}
    closed, _ = move_face(Photo(pixels), model, fit, coefficients_of(model, shapes))
    white = [int((image.min(-1) > 205).sum()) for image in (pixels, closed)]
    assert white[0] > 60
    assert white[1] == 0
