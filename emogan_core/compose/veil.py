"""The veil of a photo: haze, flare or fading that lifts its blacks. A face is edited as it is below it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..face_model.fit import FaceFit
from ..images import Pixels

Array = NDArray[np.float64]
Single = NDArray[np.float32]

DARK_SHARE, AROUND = 0.001, 0.3  # of a face and, in its own sizes, what surrounds it: pupils, nostrils, hair
CLEAR, VEILED = 30.0, 50.0  # nine in ten photos are darker than the first there; one in fifty is not than the second
OWN_BLACK = 8.0  # what the darkest of a face is without a veil
LOOKED_AT = 400_000  # pixels, at most


def darkest(photo: Pixels, fit: FaceFit, share: float, *, around: float = 0.0) -> Array:
    """[3]: the value below which a share of the pixels of a face lies, in each channel; 0 where it is not in the photo.

    Convention: `around` widens the face by that share of its size on every side.
    """
    ends = (0, 0), (photo.shape[1], photo.shape[0])
    low, high = fit.landmarks.min(0), fit.landmarks.max(0)
    left, top = np.clip(low - around * (high - low), *ends).astype(int)
    right, bottom = np.clip(high + around * (high - low), *ends).astype(int)
    face = photo[top:bottom, left:right]
    step = max(1, int(np.sqrt(face.shape[0] * face.shape[1] / LOOKED_AT)))
    face = face[::step, ::step].reshape(-1, 3)
    return np.asarray(np.quantile(face, share, axis=0) if len(face) else np.zeros(3), dtype=np.float64)


def veil_of(photo: Pixels, fit: FaceFit) -> Array:
    """[3]: the values that a photo has for black around a face, exactly 0 in most."""
    dark = darkest(photo, fit, DARK_SHARE, around=AROUND)
    share = float(np.clip((dark.mean() - CLEAR) / (VEILED - CLEAR), 0, 1))
    return share * np.maximum(dark - OWN_BLACK, 0)


def unveiled(photo: Pixels, veil: Array, points: Array, reach: float) -> Pixels:
    """[h, w, 3]: a photo as it is below its veil, 0 to 255; itself where there is none.

    Only what lies within `reach` px of the points [n, 2 or more] is taken: a large photo costs no more than its face.
    """
    if not veil.any():
        return photo
    low, high = np.floor(points[:, :2].min(0) - reach), np.ceil(points[:, :2].max(0) + reach)
    (left, top), (right, bottom) = (
        np.clip(end, 0, (photo.shape[1], photo.shape[0])).astype(int) for end in (low, high)
    )
    result = np.zeros(photo.shape, dtype=np.float32)  # memory that nothing is written to is not taken
    at = slice(top, bottom), slice(left, right)
    result[at] = (photo[at] - veil.astype(np.float32)) * _gain(veil)
    return result


def veiled(colours: Single, veil: Array) -> Single:
    """[..., 3]: colours below a veil as they are seen through it."""
    return np.asarray(colours / _gain(veil) + veil.astype(np.float32), dtype=np.float32) if veil.any() else colours


def _gain(veil: Array) -> Single:
    return np.asarray(255 / (255 - veil), dtype=np.float32)
