"""The host's FACE_LANDMARKS: as arrays, and made of our own faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..emogan_core import Face, FaceFit, ShapeError, as_mediapipe, counted, mediapipe_connections

FROM = "connect the face_landmarks of Find Faces, or of Detect Face Landmarks (MediaPipe), found in this very image"
NUMBERED = "emotiongan_number"  # in every face of Find Faces, and in none of the host's own


def landmarks_from(
    frames: Sequence[Sequence[tuple[Face, FaceFit]]], *, size: tuple[int, int]
) -> tuple[dict[str, object], list[list[dict[str, object]]]]:
    """The host's FACE_LANDMARKS and its BOUNDING_BOX, of the faces of every picture.

    Convention: `size` (height, width) of the pictures; faces keep their order, which is that of their numbers.
    """
    faces = [
        [
            {**as_mediapipe(fit, score=face.score, size=size), NUMBERED: number}
            for number, (face, fit) in enumerate(frame)
        ]
        for frame in frames
    ]
    landmarks: dict[str, object] = {
        "frames": faces,
        "image_size": size,
        "connection_sets": dict(mediapipe_connections()),
    }
    return landmarks, [[_box(fit, face.score) for face, fit in frame] for frame in frames]


def _box(fit: FaceFit, score: float) -> dict[str, object]:
    (left, top), (right, bottom) = fit.landmarks.min(0).tolist(), fit.landmarks.max(0).tolist()
    size = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return {**size, "label": "face", "score": score}


def landmarks_of(payload: object, *, count: int, size: tuple[int, int]) -> list[list[NDArray[np.float64]]]:
    """The points of every face of every picture, in the order of their numbers: largest face first.

    Convention: the payload holds "frames", a list of faces for each picture, each with "landmarks_xy" [478 or 468, 2] in
    px, and "image_size" (height, width); `count` and `size` are those of the IMAGE they belong to.
    Raises: ShapeError for anything else.
    """
    frames = payload.get("frames") if isinstance(payload, Mapping) else None
    if not isinstance(frames, Sequence):
        raise ShapeError(f"landmarks came without frames; {FROM}")
    if len(frames) != count:
        raise ShapeError(f"landmarks of {counted(len(frames), 'picture')} came for an image of {count}; {FROM}")
    came = payload.get("image_size", size) if isinstance(payload, Mapping) else size
    if tuple(came) != size:
        raise ShapeError(f"landmarks of pictures of {came[1]} x {came[0]} px came for {size[1]} x {size[0]} px; {FROM}")
    return [_in_order(faces) for faces in frames]


def _in_order(faces: Sequence[object]) -> list[NDArray[np.float64]]:
    """Faces that Find Faces numbered keep their order; others are numbered by the extent of their points."""
    points = [_points(face) for face in faces]
    if all(isinstance(face, Mapping) and NUMBERED in face for face in faces):
        return points
    return sorted(points, key=_extent, reverse=True)


def _points(face: object) -> NDArray[np.float64]:
    if not isinstance(face, Mapping) or "landmarks_xy" not in face:
        raise ShapeError(f"a face came without landmarks_xy; {FROM}")
    try:
        return np.asarray(face["landmarks_xy"], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"landmarks came that are no numbers; {FROM}") from error


def _extent(points: NDArray[np.float64]) -> float:
    return float(np.prod(np.ptp(points, axis=0))) if points.ndim == 2 and len(points) else 0.0
