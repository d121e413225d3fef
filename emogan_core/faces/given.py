"""A face whose landmarks somebody else found, as MediaPipe's face landmarker and its ports give them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import FaceError, ShapeError
from ..face_model.contours import EYES
from ..images import Photo
from .align import Face, frame_quad, yaw_of
from .dense import dense_landmarks
from .find import expect_editable

POINTS, WITHOUT_IRISES = 478, 468
LEAST_INSIDE = 0.8
"""The share of the landmarks that must lie on the photo."""
NOSE_TIP, MOUTH_CORNERS = 1, (61, 291)


def face_from(photo: Photo, landmarks: NDArray[np.floating]) -> tuple[Face, NDArray[np.float64]]:
    """The face with given landmarks, and all 478 of them, for `fit_to_photo`.

    Convention: landmarks [478 or 468, 2 or more], MediaPipe's order, x and y first, in photo px from the corner of the
    top-left pixel; of 468 the irises are missing, and our own net finds them.
    Raises: ShapeError for another shape; FaceError for points that are not finite, lie elsewhere, or are of a face that
    is too small or seen too much from the side.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    if points.ndim != 2 or points.shape[0] not in (POINTS, WITHOUT_IRISES) or points.shape[1] < 2:
        raise ShapeError(
            f"landmarks came as {points.shape}; give [{POINTS}, 2] or [{WITHOUT_IRISES}, 2], MediaPipe's points in "
            "pixels of the photo"
        )
    points = points[:, :2].copy()
    if not np.isfinite(points).all():
        raise FaceError("landmarks came with NaN or infinite values; find the face again")
    height, width = photo.pixels.shape[:2]
    inside = float(((points >= 0) & (points <= (width, height))).all(1).mean())
    if inside < LEAST_INSIDE:
        raise FaceError(
            f"{inside:.0%} of the landmarks lie on the photo of {width} x {height} px, needed are {LEAST_INSIDE:.0%}; give "
            "those that were found in this photo, in its pixels"
        )
    face = _face(points)
    expect_editable(face, "the face of these landmarks")
    if len(points) == WITHOUT_IRISES:
        points = np.concatenate([points, dense_landmarks(photo, face)[WITHOUT_IRISES:]])
    return face, points


def _face(points: NDArray[np.float64]) -> Face:
    """The five points of a face from its many.

    Raises: FaceError when eyes and mouth coincide.
    """
    eyes = [points[list(lids)].mean(0) for lids in EYES]
    five = np.stack([*eyes, points[NOSE_TIP], *points[list(MOUTH_CORNERS)]])
    quad = frame_quad(five, "tight")
    middle, half = quad.mean(0), float(np.linalg.norm(quad[1] - quad[0])) / 2
    low, high = middle - half, middle + half
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Face(box=box, landmarks=five, score=1.0, yaw_deg=yaw_of(five))
