from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon
from tiny_faces import SIDE, tiny_face

from emogan_core.compose.openings import EYE_LEFT, EYE_RIGHT
from emogan_core.compose.shading import OUTER_LIPS
from emogan_core.compose.tones import Toning, light_of_face, tones_of, tones_of_face, toning_of

LIGHT, LIPS, DARK, WHITE = (
    np.array(colour) for colour in ([200.0, 170, 160], [190.0, 110, 110], [90.0, 65, 55], [185.0, 180, 178])
)
GRAY, VIVID = Toning(np.full((1, 4), 128.0), 0.0), Toning(np.full((1, 4), 128.0), 1.0)
LIGHTS = {"blue": (0.2, 0.35, 1.0), "red": (1.0, 0.3, 0.25), "green": (0.35, 0.95, 0.4), "bulb": (1.0, 0.75, 0.4)}
NAMES = ("teeth", "gums", "tongue", "dark")


def test_invariance_tones_follow_the_exposure() -> None:
    full, half = tones_of(LIGHT, LIPS, WHITE, VIVID), tones_of(LIGHT / 2, LIPS / 2, WHITE / 2, VIVID)
    assert np.allclose(half.teeth, full.teeth / 2, rtol=0.05)
    dark = tones_of(LIGHT * 0.15, LIPS * 0.15, WHITE * 0.15, VIVID)
    for tone in NAMES:
        assert np.allclose(getattr(dark, tone), getattr(full, tone) * 0.15, rtol=0.01)


@pytest.mark.parametrize("light", LIGHTS)
def test_invariance_tones_follow_the_colour_of_the_light(light: str) -> None:
    colour = np.array(LIGHTS[light])
    white = tones_of(LIGHT, LIPS, WHITE, VIVID)
    lit = tones_of(LIGHT * colour, LIPS * colour, WHITE * colour, VIVID)
    for tone in NAMES:
        assert np.allclose(getattr(lit, tone), getattr(white, tone) * colour, rtol=0.06)
    assert np.allclose(lit.deep, white.deep, rtol=0.03)


def test_golden_a_faint_cast_is_partly_the_skins() -> None:
    cast = np.array([1.08, 1.0, 0.93])  # as that of eyes between pink lids
    assert np.allclose(light_of_face(LIGHT * cast, WHITE * cast), light_of_face(LIGHT, WHITE), atol=0.03)


def test_golden_teeth_are_about_as_bright_as_fair_cheeks_and_brighter_than_dark_ones() -> None:
    assert 1.05 < tones_of(LIGHT, LIPS, WHITE, VIVID).teeth.mean() / LIGHT.mean() < 1.25
    assert tones_of(DARK, DARK, WHITE * 0.75, VIVID).teeth.mean() > 1.5 * DARK.mean()


def test_golden_gums_are_no_brighter_than_lips_and_of_their_hue() -> None:
    for cheek, lips in ((LIGHT, LIPS), (DARK, np.array([110.0, 85, 88]))):
        tones = tones_of(cheek, lips, WHITE * cheek.mean() / LIGHT.mean(), VIVID)
        assert tones.gums.mean() <= 1.02 * lips.mean()
        assert np.abs(tones.gums / tones.gums.mean() - lips / lips.mean()).max() < 0.1


def face_of_parts() -> np.ndarray:
    """A face whose lips are redder than its skin, and its eyes whiter: in levels from dark to bright, left to right."""
    _, fit = tiny_face()
    pixels = np.full((SIDE, SIDE, 3), LIGHT)
    for points, colour in (
        (OUTER_LIPS, LIPS),
        (EYE_RIGHT.upper + EYE_RIGHT.lower[::-1], WHITE),
        (EYE_LEFT.upper + EYE_LEFT.lower[::-1], WHITE),
    ):
        outline = fit.landmarks[list(points)]
        rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, (SIDE, SIDE))
        pixels[rows, columns] = colour
    return pixels * np.linspace(0.3, 1.1, SIDE)[None, :, None]


def toned(pixels: np.ndarray, kind: str) -> np.ndarray:
    """A picture in grays, in browns, or in blues that turn white as they get brighter."""
    gray = pixels @ np.array([0.3, 0.59, 0.11]) / 255
    powers = {"gray": (1.0, 1.0, 1.0), "sepia": (0.9, 1.0, 1.3), "cyanotype": (1.8, 1.1, 0.7)}[kind]
    return 255 * np.stack([gray**power for power in powers], -1)


@pytest.mark.parametrize("kind", ["gray", "sepia", "cyanotype"])
def test_invariance_toned_pictures_keep_their_toning(kind: str) -> None:
    _, fit = tiny_face()
    photo = toned(face_of_parts(), kind).round().clip(0, 255).astype(np.uint8)
    tones = tones_of_face(photo, fit)
    levels = np.linspace(70, 165, 9)[:, None] * np.ones(3)
    want = toned(levels, kind)
    drawn = want.mean(-1, keepdims=True) * tones.teeth / tones.teeth.mean()  # as bright, but of one hue
    assert np.abs(tones.toning.of(drawn.astype(np.float32)) - want).max() < 6


def test_invariance_photos_have_no_toning() -> None:
    _, fit = tiny_face()
    for colour in ((1.0, 1.0, 1.0), *LIGHTS.values()):
        toning = toning_of((face_of_parts() * colour).clip(0, 255).astype(np.uint8), fit)
        assert toning.colourful > 0.2
        drawn = np.random.default_rng(0).uniform(0, 255, (4, 5, 3)).astype(np.float32)
        assert np.array_equal(toning.of(drawn), drawn)


def test_error_free_where_no_face_is_in_the_photo() -> None:
    _, fit = tiny_face()
    tones = tones_of_face(np.zeros((4, 4, 3), dtype=np.uint8), fit)
    assert np.isfinite(tones.teeth).all()
