"""Whether mouth, eyes and brows can be seen in a photo: what is hidden is left alone, and the report says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon

from ..face_model.contours import BROWS
from ..face_model.fit import FaceFit
from ..face_model.model import FaceModel
from ..images import Photo
from .glasses import Rims
from .mouth_look import looks_hidden
from .openings import EYE_LEFT, EYE_RIGHT, MOUTH, Place
from .sharpness import blur_of
from .veil import darkest

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

OPEN_CM = 0.35  # an eye less open than this may show neither white nor iris
FACE_DARK, UNFADED_BLACK = (
    0.01,
    50.0,
)  # the darkest hundredth of a face, pupils or nostrils, is no brighter where a photo is not faded
BLURS_TALL = 4.0  # an eye less tall than so many standard deviations of the photo's blur shows no white beside its iris
EYE_CONTRAST = 0.42  # log brightness between an open eye's darkest and brightest parts, at least
FAR_CM, FAR_SUM = (
    0.66,
    17.0,
)  # mean motion of the landmarks, sum of coefficients; happiness 2 looks right, 2.5 smears lids
ONE_SHAPE = 1.001  # a jaw as open as it goes moves far by itself, and is no more than faces do
FAR_ON_ONE_SIDE_CM = 0.54  # by which one half of the face moves more: contempt 1.75 looks right, 2 puffs the cheek
SKIN, ONE_HUE = (50, 280, 205, 425, 117, 346, 4, 195, 151, 9, 108, 337), 0.15  # landmarks on it; spread of log ratios
SMALL_PX = 64.0  # between the eyes
UNLIKE = 2.6  # identity, root mean square: none of 230 studio and Congress faces is beyond, squeezed to .65 they are
MOUTH_SHAPES = ("mouth", "jaw", "cheekPuff")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the face that something may hide: the shapes that move it and what is said of it."""

    name: str
    starts: tuple[str, ...]
    ends: str
    told: str


PARTS = (
    _Part(MOUTH.name, MOUTH_SHAPES, "", "something seems to be before the mouth, so it was left alone"),
    _Part(EYE_RIGHT.name, ("eye",), "Right", "the eye on the picture's left seems to be hidden, so it was left alone"),
    _Part(EYE_LEFT.name, ("eye",), "Left", "the eye on the picture's right seems to be hidden, so it was left alone"),
    _Part("brows", ("brow",), "", "the rims of the glasses lie on the brows or right below, so these were left alone"),
)
ON_BROW = 0.06  # of a brow's area under a rim, beyond which the brow comes apart as it leaves the rim
UNDER_BROW, UNDER_CM = 0.25, 0.15
"""Of the skin so far below a brow hidden by a rim, beyond which what the rising brow leaves is a made-up band up to it."""


def hidden_parts(photo: Pixels, fit: FaceFit, rims: Rims | None) -> tuple[str, ...]:
    """The names of what cannot be seen in a photo: mouth, eyes, and brows behind the rims of glasses."""
    found = ["brows"] if rims is not None and _on_brows(rims, photo, fit) else []
    if _of_one_hue(photo, fit):
        found += [MOUTH.name] if looks_hidden(Photo(photo), fit) > 0 else []
        found += [place.name for place in (EYE_RIGHT, EYE_LEFT) if _eye_hidden(photo, fit, place)]
    return tuple(found)


def seen_coefficients(
    hidden: Collection[str], model: FaceModel, fit: FaceFit, after: Array
) -> tuple[Array, tuple[str, ...]]:
    """Coefficients [k] after an edit, those of `hidden_parts` as they were, and a sentence about each that they moved."""
    result, notices = after.copy(), []
    for part in PARTS:
        if part.name not in hidden:
            continue
        own = [i for i, name in enumerate(model.names) if name.startswith(part.starts) and name.endswith(part.ends)]
        if not np.array_equal(after[own], fit.coefficients[own]):
            result[own] = fit.coefficients[own]
            notices.append(part.told)
    return result, tuple(notices)


def notices_of(fit: FaceFit, after: Array, moved_cm: float, *, lopsided_cm: float = 0.0) -> tuple[str, ...]:
    """Sentences about an edit that goes too far, and about a face unlike others or too small to show much of it.

    Convention: the landmarks move by `moved_cm` on average, on one half of the face by `lopsided_cm` more than on the other.
    """
    told = []
    if lopsided_cm > FAR_ON_ONE_SIDE_CM:
        told.append(
            f"one half of the face moves by {lopsided_cm:.2f} cm more than the other on average, which may be further than "
            "any face does; use lower intensities"
        )
    total = float(np.abs(after - fit.coefficients).sum())
    if (moved_cm > FAR_CM and total > ONE_SHAPE) or total > FAR_SUM:
        told.append(
            f"the face moves by {moved_cm:.2f} cm on average, which may be further than any face does; "
            "use fewer expressions or lower intensities"
        )
    if float(np.sqrt(np.square(fit.identity).mean())) > UNLIKE:
        told.append(
            "the face is unlike any that the face model knows, so mouth and eyes may be in the wrong place; look whether the "
            "photo is squeezed or stretched, or the face half hidden"
        )
    apart = float(np.linalg.norm(fit.landmarks[468] - fit.landmarks[473]))
    if apart < SMALL_PX:
        told.append(
            f"the face has {apart:.0f} px between the eyes; below {SMALL_PX:.0f} px teeth, lids and folds "
            "can hardly be seen, a larger photo shows them"
        )
    return tuple(told)


def _of_one_hue(photo: Pixels, fit: FaceFit) -> bool:
    """Whether the skin has one hue from forehead to cheeks: else nothing can be told from colours."""
    x, y = fit.landmarks[list(SKIN)].astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < photo.shape[1]) & (y < photo.shape[0])
    logs = np.log(photo[y[inside], x[inside]].astype(np.float64) + 8)
    return len(logs) > 6 and float(np.diff(logs, axis=1).std(0).max()) < ONE_HUE


def _on_brows(rims: Rims, photo: Pixels, fit: FaceFit) -> bool:
    """Whether rims lie on a brow, or hide the skin right below it that would follow it up."""
    shape = photo.shape[:2]
    step = fit.pose.project_change(np.array([0.0, -UNDER_CM, 0.0]))[:2]
    for upper, lower in BROWS:
        edge = fit.landmarks[list(lower)]
        for cover, outline, most in (
            (rims.cover, fit.landmarks[[*upper, *reversed(lower)]], ON_BROW),
            (rims.hidden, np.concatenate([edge, edge[::-1] + step]), UNDER_BROW),
        ):
            area = _filled(outline, shape)
            if area.any() and float(rims.within(0, 0, *shape, of=cover)[area].mean()) > most:
                return True
    return False


def _eye_hidden(photo: Pixels, fit: FaceFit, place: Place) -> bool:
    """Whether an eye whose lids are apart shows no difference between white and iris."""
    upper, lower = fit.landmarks[list(place.upper)], fit.landmarks[list(place.lower)]
    gap = float(np.linalg.norm(upper[4] - lower[4]))
    if gap < max(OPEN_CM * fit.pose.scale, BLURS_TALL * blur_of(photo, fit)):
        return False
    inside = photo[_filled(np.concatenate([upper, lower[::-1]]), photo.shape[:2])]
    if len(inside) < 20:
        return False
    haze = max(0.0, float(darkest(photo, fit, FACE_DARK).mean()) - UNFADED_BLACK)
    levels = np.maximum(inside.astype(np.float64).mean(-1) - haze, 0)
    dark, bright = np.quantile(np.log(levels + 1), (0.08, 0.92))
    return bool(bright - dark < EYE_CONTRAST)


def _filled(outline: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """[h, w]: the pixels within an outline [n, 2]."""
    result = np.zeros(shape[:2], dtype=np.bool_)
    rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, shape[:2])  # type: ignore[no-untyped-call]
    result[rows, columns] = True
    return result
