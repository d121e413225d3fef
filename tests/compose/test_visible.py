from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage
from skimage.draw import polygon
from tiny_faces import SCALE, SIDE, coefficients_of, tiny_face

from emogan_core.compose import visible
from emogan_core.compose.glasses import Rims
from emogan_core.compose.openings import EYE_LEFT, EYE_RIGHT, MOUTH
from emogan_core.compose.shading import OUTER_LIPS
from emogan_core.compose.visible import hidden_parts, notices_of, seen_coefficients
from emogan_core.face_model import FaceFit
from emogan_core.face_model.contours import BROWS

SMILE = {"mouthSmile": 0.8, "eyeSquint": 0.5, "browDown": 0.3}


def fill(pixels: np.ndarray, outline: np.ndarray, colour: tuple[int, int, int]) -> None:
    rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, (SIDE, SIDE))
    pixels[rows, columns] = colour


def face_with(*, eyes: bool = True, gray: bool = False) -> np.ndarray:
    """Skin with grain, and on it lips with a dark line between them and eyes with irises, or dark glasses."""
    _, fit = tiny_face()
    pixels = np.full((SIDE, SIDE, 3), (190, 150, 130), dtype=np.uint8)
    fill(pixels, fit.landmarks[list(OUTER_LIPS)], (160, 95, 95))
    line = fit.landmarks[list(MOUTH.upper)]
    fill(pixels, np.concatenate([line - (0, 1.2), line[::-1] + np.array([0, 1.2])]), (70, 40, 40))
    for place, iris in ((EYE_RIGHT, 468), (EYE_LEFT, 473)):
        outline = fit.landmarks[list(place.upper + place.lower[::-1])]
        fill(pixels, outline, (225, 220, 215) if eyes else (25, 25, 30))
        if eyes:
            around = fit.landmarks[iris] + 3.5 * np.stack([np.cos(np.arange(12)), np.sin(np.arange(12))], -1)
            fill(pixels, around[np.argsort(np.arctan2(*(around - fit.landmarks[iris]).T))], (60, 40, 30))
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape)
    result = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return result.mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8) if gray else result


def reached(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    model, fit = tiny_face()
    asked = coefficients_of(model, SMILE)
    after, notices = seen_coefficients(hidden_parts(pixels, fit, None), model, fit, asked)
    return asked, after, notices


def test_invariance_what_is_seen_is_edited() -> None:
    for gray in (False, True):
        asked, after, notices = reached(face_with(gray=gray))
        assert np.array_equal(after, asked)
        assert notices == ()


def test_golden_a_hidden_mouth_is_left_alone_and_told_of(monkeypatch) -> None:
    """Which mouths are hidden is tested in test_mouth_look.py, on composites."""
    model, _ = tiny_face()
    monkeypatch.setattr(visible, "looks_hidden", lambda photo, fit: 0.1)
    asked, after, notices = reached(face_with())
    assert notices == ("something seems to be before the mouth, so it was left alone",)
    assert after[model.index("mouthSmileLeft")] == 0
    assert after[model.index("browDownLeft")] == asked[model.index("browDownLeft")]


def test_golden_eyes_behind_dark_glasses_are_left_alone() -> None:
    model, _ = tiny_face()
    _, after, notices = reached(face_with(eyes=False))
    assert len(notices) == 2
    assert after[model.index("eyeSquintLeft")] == after[model.index("eyeSquintRight")] == 0
    assert after[model.index("mouthSmileLeft")] > 0


def test_invariance_eyes_of_faded_and_blurred_photos_are_seen() -> None:
    sharp = face_with().astype(np.float64)
    for pixels in (255 - (255 - sharp) * 0.5, ndimage.gaussian_filter(sharp, (2.5, 2.5, 0))):
        assert reached(pixels.astype(np.uint8))[2] == ()
    assert len(reached((255 - (255 - face_with(eyes=False)) * 0.5).astype(np.uint8))[2]) == 2


def test_invariance_nothing_is_told_from_colours_of_many_hues() -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (SIDE, SIDE, 3), dtype=np.uint8)
    asked, after, notices = reached(pixels)
    assert np.array_equal(after, asked)
    assert notices == ()


def test_golden_notices_of_far_edits_and_small_faces() -> None:
    model, fit = tiny_face()
    plain = coefficients_of(model, SMILE)
    assert any("between the eyes" in told for told in notices_of(fit, plain, 0.3))
    large = FaceFit(
        pose=fit.pose,
        identity=fit.identity,
        coefficients=fit.coefficients,
        landmarks=fit.landmarks * 3,
        residual=fit.residual,
        error_cm=0.0,
    )
    assert notices_of(large, plain, 0.3) == ()
    assert any("lower intensities" in told for told in notices_of(large, plain, 0.7))  # lids smear from there on
    assert notices_of(large, plain, 0.65) == ()  # happiness 2
    assert notices_of(large, plain, 0.3, lopsided_cm=0.51) == ()  # contempt 1.75
    assert any("one half of the face" in told for told in notices_of(large, plain, 0.3, lopsided_cm=0.56))
    assert any("lower intensities" in told for told in notices_of(large, np.ones(len(plain)), 0.3))
    assert notices_of(replace(large, identity=np.full_like(fit.identity, 2.5)), plain, 0.3) == ()  # of press faces, 4 %
    unlike = replace(large, identity=np.full_like(fit.identity, 2.7))  # a photo at 65 % of its height
    assert any("squeezed or stretched" in told for told in notices_of(unlike, plain, 0.3))


def test_golden_brows_behind_rims_are_left_alone_and_told_of() -> None:
    model, fit = tiny_face()
    pixels = face_with()
    brow = fit.landmarks[[*BROWS[0][0], *BROWS[0][1]]]
    (left, top), (right, bottom) = brow.min(0).astype(int) - 1, brow.max(0).astype(int) + 2
    asked = coefficients_of(model, {"browInnerUpLeft": 0.7, "browInnerUpRight": 0.7} | SMILE)
    brows = [index for index, name in enumerate(model.names) if name.startswith("brow")]
    for share, expected in ((0.0, asked[brows]), (1.0, fit.coefficients[brows])):
        cover = np.full((bottom - top, right - left), share, dtype=np.float32)
        rims = Rims(int(left), int(top), cover, cover, np.zeros((*cover.shape, 3), dtype=np.float32))
        after, notices = seen_coefficients(hidden_parts(pixels, fit, rims), model, fit, asked)
        assert np.array_equal(after[brows], expected)
        assert np.array_equal(np.delete(after, brows), np.delete(asked, brows))
        assert any("rims" in notice for notice in notices) == bool(share)


def test_golden_brows_right_above_rims_are_left_alone() -> None:
    """What such rims hide would be seen, made up, below the brow that rose; rims further down are no hindrance."""
    _, fit = tiny_face()
    edge = fit.landmarks[list(BROWS[0][1])]
    (left, top), (right, low) = np.floor(edge.min(0)).astype(int), np.ceil(edge.max(0)).astype(int)
    hidden = np.ones((low - top + 2, right - left), dtype=np.float32)
    for below, alone in ((0, True), (low - top + int(0.4 * SCALE), False)):
        rims = Rims(int(left), int(top + below), 0 * hidden, hidden, np.zeros((*hidden.shape, 3), dtype=np.float32))
        assert ("brows" in hidden_parts(face_with(), fit, rims)) == alone


def test_golden_one_shape_at_its_most_is_not_too_far() -> None:
    model, fit = tiny_face()
    fit = replace(fit, coefficients=np.zeros_like(fit.coefficients))
    for asked, far in (({"jawOpen": 1.0}, False), ({"jawOpen": 1.0, "mouthFunnel": 0.5}, True)):
        told = notices_of(fit, coefficients_of(model, asked), 0.76)
        assert any("further than any face" in notice for notice in told) == far
