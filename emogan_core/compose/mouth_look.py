"""Whether what lies where a mouth should be looks like one: a small net on gradients and colours around the lips."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..face_model.contours import OUTER_LIPS
from ..face_model.fit import FaceFit
from ..faces import Crop, cut
from ..images import Photo
from ..weights import builtin_path, read_tensors

Array = NDArray[np.float64]

BUILTIN = "mouth_look.safetensors"
FORMAT = "emogan-mouth-look-1"
SIDE, SEEN = 48, 1.5  # px of the square around the lips, and its side in units of `lips_square`
CELL, COLOUR_CELL, TURNS = 8, 6, 8  # px of a cell of gradients and of one of colours; directions of gradients
DARKEST = 6.0  # added to pixels before their logarithm, so that noise in the dark counts little


def looks_hidden(photo: Photo, fit: FaceFit) -> float:
    """The log odds that something lies before a face's mouth, less the threshold: above 0 it is taken to be hidden.

    Source: histograms of oriented gradients after Dalal and Triggs 2005, our own weights (MODEL_CARD.md).
    """
    crop = Crop(quad=lips_square(fit.landmarks, SEEN), landmarks=np.zeros((5, 2)), frame="tight")
    patch = (cut(photo, crop, SIDE)[0].permute(1, 2, 0).double().numpy() + 1) * 127.5
    return float(log_odds(features_of(patch[None]))[0])


def lips_square(landmarks: Array, side: float) -> Array:
    """Corners [4, 2] of a square around the lips of landmarks [478, 2], upright as the face.

    Convention: the unit of `side` is the mean of the distances between the eyes and from eyes to mouth, some 6 cm.
    """
    lips, left, right = landmarks[list(OUTER_LIPS)].mean(0), landmarks[468], landmarks[473]
    across, down = right - left, lips - (left + right) / 2
    unit = (np.hypot(*across) + np.hypot(*down)) / 2
    along = across + np.array([down[1], -down[0]])
    x = along / max(float(np.hypot(*along)), 1e-6) * unit * side / 2
    y = np.array([-x[1], x[0]])
    return np.stack([lips - x - y, lips + x - y, lips + x + y, lips - x + y])


def features_of(patches: Array) -> Array:
    """Features [n, d] of patches [n, SIDE, SIDE, 3] in 0..255."""
    logs = np.log(np.asarray(patches, dtype=np.float64) + DARKEST)
    bright = logs.mean(3)
    colours = np.stack([bright, logs[..., 0] - logs[..., 1], logs[..., 1] - logs[..., 2]], axis=3)
    colours = colours - np.median(colours, axis=(1, 2), keepdims=True)
    soft = (bright + np.roll(bright, 1, 1) + np.roll(bright, 1, 2) + np.roll(bright, (1, 1), (1, 2))) / 4
    down, along = np.gradient(soft[:, 1:, 1:], axis=(1, 2))
    down, along = (np.pad(one, ((0, 0), (1, 0), (1, 0))) for one in (down, along))
    turn = np.arctan2(down, along)
    which = np.arange(TURNS) * 2 * np.pi / TURNS - np.pi
    share = np.clip(np.cos(turn[..., None] - which), 0, 1) ** 3 * np.hypot(down, along)[..., None]
    gradients = np.sqrt(_pooled(share, CELL))
    return np.concatenate([part.reshape(len(logs), -1) for part in (gradients, _pooled(colours, COLOUR_CELL))], axis=1)


def log_odds(features: Array) -> Array:
    """[n]: the net's answer for features [n, d], less the threshold."""
    weights = _weights()
    hidden = np.maximum(features @ weights["inner.weight"].T + weights["inner.bias"], 0)
    return np.asarray(hidden @ weights["outer.weight"] + weights["outer.bias"])


@cache
def _weights() -> dict[str, Array]:
    tensors, _ = read_tensors(builtin_path(BUILTIN))
    return {name: tensor.double().numpy() for name, tensor in tensors.items()}


def _pooled(values: Array, cell: int) -> Array:
    n, height, width, channels = values.shape
    return np.asarray(values.reshape(n, height // cell, cell, width // cell, cell, channels).mean((2, 4)))
