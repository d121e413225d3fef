"""Mouths of the composites that ship, seen, and behind drawn fingers and microphones."""

from __future__ import annotations

import numpy as np
import pytest
from composites import composite

from emogan_core.compose.mouth_look import SEEN, features_of, lips_square, looks_hidden
from emogan_core.face_model import FaceFit
from emogan_core.faces import choose_face
from emogan_core.faces.fit import fit_to_photo
from emogan_core.images import Photo

COMPOSITES = ("f_multi", "m_african")


def behind_fingers(photo: Photo, fit: FaceFit) -> Photo:
    """Three fingers of the forehead's colour across the lips, round in the light, with dark gaps."""
    quad = lips_square(fit.landmarks, SEEN)
    middle, unit = quad.mean(0), float(np.linalg.norm(quad[1] - quad[0])) / SEEN
    rows, columns = np.mgrid[: photo.pixels.shape[0], : photo.pixels.shape[1]]
    down, along = (rows - middle[1]) / unit, (columns - middle[0]) / unit
    down, along = down * 0.8 - along * 0.6, along * 0.8 + down * 0.6
    finger = np.abs((down + 0.45) % 0.3 - 0.15) / 0.15
    shade = np.sqrt(np.clip(1.05 - finger**2, 0, 1)) * 0.55 + 0.45
    inside = (np.abs(down) < 0.45) & (along > -0.55)
    x, y = fit.landmarks[151].astype(int)
    skin = photo.pixels[y - 3 : y + 4, x - 3 : x + 4].mean((0, 1))
    return Photo(np.where(inside[..., None], skin * shade[..., None], photo.pixels).astype(np.uint8))


def before_a_microphone(photo: Photo, fit: FaceFit) -> Photo:
    quad = lips_square(fit.landmarks, SEEN)
    middle, unit = quad.mean(0), float(np.linalg.norm(quad[1] - quad[0])) / SEEN
    rows, columns = np.mgrid[: photo.pixels.shape[0], : photo.pixels.shape[1]]
    away = np.hypot(rows - middle[1], columns - middle[0]) / unit
    grain = np.random.default_rng(0).normal(1, 0.15, away.shape)
    foam = np.clip((60 - 50 * away) * grain, 0, 255)
    return Photo(np.where((away < 0.5)[..., None], foam[..., None], photo.pixels).astype(np.uint8))


@pytest.mark.parametrize("name", COMPOSITES)
def test_golden_seen_mouths_pass_and_hidden_ones_are_noticed(name: str) -> None:
    photo, fit = composite(name)
    assert looks_hidden(photo, fit) < -1
    assert looks_hidden(behind_fingers(photo, fit), fit) > 0
    assert looks_hidden(before_a_microphone(photo, fit), fit) > 0


@pytest.mark.parametrize("name", COMPOSITES)
def test_invariance_a_mouth_is_one_in_the_dark_in_gray_and_mirrored(name: str) -> None:
    photo, fit = composite(name)
    gray = photo.pixels.mean(-1, keepdims=True).repeat(3, -1)
    for pixels in (photo.pixels * 0.3, gray, gray * (1.0, 0.9, 0.75), 255 - (255 - photo.pixels) * 0.6):
        assert looks_hidden(Photo(pixels.astype(np.uint8)), fit) < 0
    mirrored = np.ascontiguousarray(photo.pixels[:, ::-1])
    again = fit_to_photo(Photo(mirrored), choose_face(Photo(mirrored)))
    assert looks_hidden(Photo(mirrored), again) < 0


def test_shape_features_are_of_one_patch_each() -> None:
    patches = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 3))
    together = features_of(patches)
    assert together.shape == (3, 480)
    np.testing.assert_allclose(together[1], features_of(patches[1:2])[0])


def test_invariance_the_square_turns_with_the_face() -> None:
    _, fit = composite("f_multi")
    turned = fit.landmarks @ np.array([[0.0, 1.0], [-1.0, 0.0]])  # a quarter, clockwise
    expected = lips_square(fit.landmarks, SEEN) @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(lips_square(turned, SEEN), expected)
