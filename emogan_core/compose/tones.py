"""The colours from which mouths are drawn: all of the photo's own exposure, colour of light and toning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon

from ..face_model.fit import FaceFit
from ..images import Pixels, as_pixels
from .eyes import iris_of
from .openings import EYE_LEFT, EYE_RIGHT

Array = NDArray[np.float64]
Single = NDArray[np.float32]

CHEEKS = (50, 280, 205, 425, 117, 346)
LIPS_MIDDLE = (0, 17, 37, 267, 84, 314)
USUAL_WHITE, USUAL_CHEEK = np.array([0.05, 0.0, 0.0]), np.array([0.28, 0.0, -0.14])
"""Log colours over green in common light: medians of 500 photos."""
WHITE_SAYS = 0.7  # of the light's colour; the cheek says the rest
CAST, NO_CAST, ALL_CAST = 0.3, 0.2, 0.5  # how much of a faint cast is the light's, up to where, and from where all is
IVORY = np.array([1.05, 0.995, 0.945])  # teeth in white light
GUMS, TONGUE, DEEP = (np.array(red) for red in ([1.3, 0.85, 0.85], [1.3, 0.86, 0.86], [1.35, 0.85, 0.8]))
SHADED_TEETH = np.array([0.06, 0.0, -0.12])  # teeth in the shade are yellower
SIDE, LEVELS = 56, 32  # a face is looked at in so many pixels a side, and so many levels of brightness
ENDS = 4.0, 250.0  # levels of brightness up to which a toning is continued
TONED, COLOURED, VIVID = 0.012, 0.025, 0.04
"""Spread of hues at one brightness: below the first, of toning; from the second, of none; from the third as in common photos."""


@dataclass(frozen=True, slots=True, eq=False)
class Toning:
    """How the colours of a face follow their brightness.

    Convention: curve [n, 4] are brightness, rising, and the colour that goes with it; spread is how far the face's
    colours are from it, as a share of their brightness: next to none in gray, sepia and otherwise toned pictures.
    """

    curve: Array
    spread: float

    @property
    def colourful(self) -> float:
        """How much of their own colours things show, 0 to 1."""
        return float(np.clip((self.spread - TONED) / (VIVID - TONED), 0, 1))

    def of(self, colours: Single) -> Single:
        """[..., 3]: colours as the picture's toning has them; in a photo with colours of its own, as they are."""
        share = float(np.clip((COLOURED - self.spread) / (COLOURED - TONED), 0, 1))
        if share == 0:
            return colours
        bright = np.maximum(colours.mean(-1, keepdims=True), 0)
        level, hue = np.log(self.curve[:, 0]), np.log(self.curve[:, 1:] / self.curve[:, :1])
        at = np.log(np.maximum(bright, ENDS[0]))
        toned = np.exp(np.concatenate([np.interp(at, level, plane) for plane in hue.T], axis=-1)) * bright
        return np.asarray(colours + share * (toned - colours), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Colours [3] in 0..255 from which the mouth's inside is drawn.

    Convention: shaded [3] is what teeth in full shade gain of their colour, deep [3] what the dark leaves of any.
    """

    teeth: Array
    gums: Array
    tongue: Array
    dark: Array
    shaded: Array
    deep: Array
    toning: Toning


def tones_of(cheek: Array, lips: Array, eye_white: Array, toning: Toning) -> Tones:
    """Tones from the photo's cheek, lips and eye white (each a colour [3] in 0..255).

    The brightest teeth of smiles in the studio set are 1.13 times as bright as the eye's white (nine in ten of a mouth's
    pixels are darker) and lean to yellow (1.06, .99, .94), in so far as the photo has colour. What is drawn from them
    gets its colours from `toning` where that is the picture's.
    """
    colourful = toning.colourful
    light = light_of_face(cheek, eye_white)
    bright = float((cheek / light).mean())
    white = float(np.clip((eye_white / light).mean(), 0.92 * bright, 2.2 * bright))
    level = 1.16 * white
    flesh = lips / light / max(float((lips / light).mean()), 1e-6)
    ivory, gums, tongue, deep = (
        1 + colourful * (colour - 1) for colour in (IVORY, 0.8 * flesh + 0.2 * GUMS, TONGUE, DEEP)
    )
    return Tones(
        level * light * ivory,
        min(0.62 * level, float((lips / light).mean())) * light * gums,
        1.05 * level * light * tongue,
        0.075 * level * light * deep,
        colourful * SHADED_TEETH,
        deep / deep.max(),
        toning,
    )


def light_of_face(cheek: Array, eye_white: Array) -> Array:
    """[3]: the colour of the light on a face, of mean 1, by its cheek and eye white (each [3] in 0..255).

    Skin, and eyes with reflections of it, differ from person to person, so a faint cast is only partly the light's.
    """
    white, skin = (_over_green(colour) for colour in (eye_white, cheek))
    cast = WHITE_SAYS * (white - USUAL_WHITE) + (1 - WHITE_SAYS) * (skin - USUAL_CHEEK)
    far = float(np.clip((np.linalg.norm(cast) - NO_CAST) / (ALL_CAST - NO_CAST), 0, 1))
    light = np.exp(cast * (CAST + (1 - CAST) * far))
    return np.asarray(light / light.mean())


def _over_green(colour: Array) -> Array:
    logs = np.log(np.maximum(colour, 0.5))
    return np.asarray(logs - logs[1])


def tones_of_face(photo: Pixels, fit: FaceFit) -> Tones:
    """Colours of the mouth's inside from those of cheeks, lips and eye whites."""
    cheek, lips = _around(photo, fit, CHEEKS, 0.25), _around(photo, fit, LIPS_MIDDLE, 0.06)
    return tones_of(cheek, lips, _eye_white(photo, fit, cheek), toning_of(photo, fit))


def toning_of(photo: Pixels, fit: FaceFit) -> Toning:
    """How colours follow brightness in a photo's face."""
    ends = (0, 0), (photo.shape[1], photo.shape[0])
    (left, top), (right, bottom) = (
        np.clip(end, *ends).astype(int) for end in (fit.landmarks.min(0), fit.landmarks.max(0))
    )
    face = as_pixels(photo[top:bottom, left:right], np.dtype(np.uint8))
    if not face.size:
        return Toning(np.full((1, 4), 128.0), 0.0)
    small = Image.fromarray(face).resize((SIDE, SIDE), Image.Resampling.BOX)  # so that a JPEG's noise counts little
    colours = np.asarray(small).reshape(-1, 3).astype(np.float64)
    bright = colours.mean(1)
    level = (bright / 256 * LEVELS).astype(int)
    count = np.bincount(level, minlength=LEVELS)
    used = count > 2
    curve = np.stack(
        [np.bincount(level, values, minlength=LEVELS)[used] / count[used] for values in (bright, *colours.T)], -1
    )
    curve = np.maximum(curve, 0.5)
    misfit = colours - np.stack([np.interp(bright, curve[:, 0], plane) for plane in curve[:, 1:].T], -1)
    spread = np.sqrt((misfit**2).sum(1).mean()) / max(float(bright.mean()), 1.0)
    return Toning(_continued(curve), float(spread))


def _continued(curve: Array) -> Array:
    """A curve that goes on beyond both ends as it goes on the whole: each colour by a power of the brightness."""
    logs = np.log(curve)
    powers = np.ones(3) if len(logs) < 3 else np.polyfit(logs[:, 0], logs[:, 1:], 1)[0].clip(0.3, 3)
    ends = [np.r_[at, end[1:] * (at / end[0]) ** powers] for at, end in zip(ENDS, curve[[0, -1]], strict=True)]
    kept = curve[(curve[:, 0] > ENDS[0]) & (curve[:, 0] < ENDS[1])]
    return np.stack([ends[0], *kept, ends[1]])


def _around(photo: Pixels, fit: FaceFit, points: tuple[int, ...], reach_cm: float) -> Array:
    """[3]: the median colour around landmarks; mid gray where none lies in the photo."""
    size = max(1, int(reach_cm * fit.pose.scale))
    found = []
    for x, y in fit.landmarks[list(points)].astype(int):
        part = photo[max(0, y - size) : max(0, y + size + 1), max(0, x - size) : max(0, x + size + 1)]
        found.append(part.reshape(-1, 3))
    colours = np.concatenate(found)
    return np.asarray(np.median(colours, axis=0) if len(colours) else np.full(3, 128.0), dtype=np.float64)


def _eye_white(photo: Pixels, fit: FaceFit, cheek: Array) -> Array:
    """[3]: the bright part of what lies between the lids beside the irises; the cheek's colour where eyes are shut."""
    found = []
    for place in (EYE_RIGHT, EYE_LEFT):
        iris = iris_of(fit, place)
        outline = fit.landmarks[list(place.upper + place.lower[::-1])]
        rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, photo.shape[:2])  # type: ignore[no-untyped-call]
        beside = np.hypot(columns + 0.5 - iris.x, rows + 0.5 - iris.y) > 1.15 * iris.radius
        found.append(photo[rows[beside], columns[beside]])
    colours = np.concatenate(found).astype(np.float64)
    if len(colours) < 20:
        return cheek
    bright = colours.mean(1)
    return np.asarray(np.median(colours[bright >= np.quantile(bright, 0.85)], axis=0))
