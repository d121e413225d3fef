"""The host's FACE_LANDMARKS, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..emogan_core import ShapeError

FROM = "connect the face_landmarks of Detect Face Landmarks (MediaPipe), found in this very image"


def landmarks_of(payload: object, *, count: int, size: tuple[int, int]) -> list[list[NDArray[np.float64]]]:
    """The points of every face of every picture, largest face first.

    Convention: the payload holds "frames", a list of faces for each picture, each with "landmarks_xy" [478 or 468, 2] in
    px, and "image_size" (height, width); `count` and `size` are those of the IMAGE they belong to.
    Raises: ShapeError for anything else.
    """
    frames = payload.get("frames") if isinstance(payload, Mapping) else None
    if not isinstance(frames, Sequence):
        raise ShapeError(f"landmarks came without frames; {FROM}")
    if len(frames) != count:
        raise ShapeError(f"landmarks of {len(frames)} pictures came for an image of {count}; {FROM}")
    came = payload.get("image_size", size) if isinstance(payload, Mapping) else size
    if tuple(came) != size:
        raise ShapeError(f"landmarks of pictures of {came[1]} x {came[0]} px came for {size[1]} x {size[0]} px; {FROM}")
    return [sorted((_points(face) for face in faces), key=_extent, reverse=True) for faces in frames]


def _points(face: object) -> NDArray[np.float64]:
    if not isinstance(face, Mapping) or "landmarks_xy" not in face:
        raise ShapeError(f"a face came without landmarks_xy; {FROM}")
    try:
        return np.asarray(face["landmarks_xy"], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"landmarks came that are no numbers; {FROM}") from error


def _extent(points: NDArray[np.float64]) -> float:
    return float(np.prod(np.ptp(points, axis=0))) if points.ndim == 2 and len(points) else 0.0
