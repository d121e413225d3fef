"""A face's landmarks over the frames of a clip, smoothed without delay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .pose import Array

Complex = NDArray[np.complex128]

REACH = 3.0  # how many strengths away a frame still counts
DEGREE = 2  # of the local polynomial: a head that speeds up evenly is not held back
SHORTEST = 0.75  # frames, of the first reach
MISFIT = 1.5  # how much more variance than the noise a local quadratic may leave
THIRD = np.array([-1.0, 3.0, -3.0, 1.0])
"""A difference of four frames in a row that even acceleration does not enter."""
# fmt: off
RIGHT_EYE = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 468, 469, 470, 471, 472,
)
LEFT_EYE = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 473, 474, 475, 476, 477,
)
LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)
# fmt: on


def smoothed(places: Sequence[Array], frames: Sequence[int], strength: float) -> list[Array]:
    """Landmarks of one face in frames of a clip, freed from jitter, with no frame behind the other.

    The head's place, size and turn in the picture are smoothed as one track, and in the head's own frame the eyes, the
    lips and the rest. Each track is replaced by a local quadratic; what that leaves beyond the track's noise is taken
    for movement, such as a blink, and comes back in that share. Shorter reaches go first, so that what moves too quickly
    for the whole strength is still calmed by half or a quarter of it.

    Convention: places [478, 2] each, in photo px; frames are their numbers, rising, with gaps where no face was seen;
    strength is the standard deviation of the weights in frames, 0 changes nothing.
    Raises: ShapeError for another number of frames than of places, or a strength below 0.
    Source: local regression (Cleveland 1979) in the place of the mean in the filter of Lee 1980.
    """
    if len(places) != len(frames) or not strength >= 0:
        raise ShapeError(
            f"{len(places)} landmarks and {len(frames)} frame numbers came with a smoothing of {strength}; give as many, "
            "and a smoothing of 0 or more frames"
        )
    if strength == 0 or len(places) < len(THIRD):
        return list(places)
    times = np.asarray(frames, dtype=np.float64)
    points = np.stack([place[:, 0] + 1j * place[:, 1] for place in places])  # [n, 478]
    turns, centres, shapes = _aligned(points)
    placed = np.column_stack([np.log(np.abs(turns)), np.unwrap(np.angle(turns)), centres.real, centres.imag])
    size = float(np.sqrt((np.abs(shapes) ** 2).mean() / 2))
    units = np.array([1.0, 1.0, 1 / size, 1 / size]) / np.array([1.0, 1.0, *[float(np.abs(turns).mean())] * 2])
    placed = _smooth(placed * units, times, strength) / units
    still = np.empty_like(shapes)
    for group in _groups(points.shape[1]):
        part = shapes[:, group]
        calm = _smooth(np.concatenate([part.real, part.imag], axis=1), times, strength)
        still[:, group] = calm[:, : len(group)] + 1j * calm[:, len(group) :]
    moved = np.exp(placed[:, :1] + 1j * placed[:, 1:2]) * still + (placed[:, 2:3] + 1j * placed[:, 3:])
    return [np.stack([place.real, place.imag], axis=1) for place in moved]


def _groups(count: int) -> list[NDArray[np.int64]]:
    named = [np.array(group) for group in (RIGHT_EYE, LEFT_EYE, LIPS)]
    return [*named, np.setdiff1d(np.arange(count), np.concatenate(named))]


def _aligned(points: Complex) -> tuple[Complex, Complex, Complex]:
    """Turn with size [n], centre [n] and what is left [n, p], so that points = turn * left + centre.

    Source: generalised Procrustes analysis (Gower 1975), two rounds, in complex numbers.
    """
    centres = points.mean(1)
    spread = points - centres[:, None]
    mean = spread[len(spread) // 2]
    for _ in range(2):
        turns = (spread @ mean.conj()) / float((np.abs(mean) ** 2).sum())
        shapes = spread / turns[:, None]
        mean = shapes.mean(0)
    return turns, centres, shapes


def _smooth(track: Array, times: Array, strength: float) -> Array:
    """A track [n, d] whose columns share one unit, smoothed over its times [n], the less the more it moves."""
    noise = _noise(track, times)
    steps = max(0, int(np.ceil(np.log2(strength / SHORTEST))))
    for reach in strength / 2.0 ** np.arange(steps, -1, -1):
        calm, misfit = _local(track, times, float(reach))
        kept = 1 - np.minimum(1.0, MISFIT * noise / np.maximum(misfit, 1e-300)) ** 2  # soon all where it moves
        track = calm + kept[:, None] * (track - calm)
    return track


def _local(track: Array, times: Array, reach: float) -> tuple[Array, Array]:
    """Local quadratics' values [n, d], and the variance that they leave around each time, [n]."""
    calm, misfit = np.empty_like(track), np.empty(len(track))
    for at, time in enumerate(times):
        away = times - time
        near = np.abs(away) <= REACH * reach
        weight = np.exp(-0.5 * (away[near] / reach) ** 2)
        powers = (away[near] / reach)[:, None] ** np.arange(min(DEGREE, int(near.sum()) - 1) + 1)
        root = np.sqrt(weight)[:, None]
        fitted = np.linalg.lstsq(powers * root, track[near] * root, rcond=None)[0]
        calm[at] = fitted[0]
        misfit[at] = float(weight @ ((track[near] - powers @ fitted) ** 2).mean(1) / weight.sum())
    return calm, misfit


def _noise(track: Array, times: Array) -> float:
    """The variance of a track's noise; 0 where no four frames came in a row."""
    runs = np.stack([track[start : len(track) - 3 + start] for start in range(4)])  # [4, n - 3, d]
    in_a_row = times[3:] - times[:-3] == 3
    if not in_a_row.any():
        return 0.0
    third = np.tensordot(THIRD, runs, 1)[in_a_row]
    return float(np.median((third**2).mean(1)) / float(THIRD @ THIRD))
