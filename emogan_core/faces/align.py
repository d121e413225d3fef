"""From five landmarks to the square frame in which a generator sees a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import FaceError, ShapeError

FRAMES = {"tight": (0.62, 0.35), "ffhq": (1.0, 0.1)}
"""Size of a frame relative to FFHQ's, and how far its centre lies from the eyes towards the mouth."""

RECOGNISED_PX = 112
RECOGNISED = ((38.29, 51.7), (73.53, 51.5), (56.03, 71.74), (41.55, 92.37), (70.73, 92.2))
"""Where eyes, nose and mouth corners lie in the pictures on which recognisers of the ArcFace family were trained."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of a photo.

    Convention: photo pixels, origin at the corner of the top-left pixel. box (x0, y0, x1, y1) is an upright square of
    the tight frame's size around its centre and may reach outside the photo; landmarks [5, 2]: eye on the picture's
    left, eye on its right, nose tip, mouth corner left, right. score is 0..1; yaw_deg is positive when the nose points
    to the picture's right; roll_deg is clockwise.
    """

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float64]
    score: float
    yaw_deg: float
    pitch_deg: float = 0.0

    @property
    def roll_deg(self) -> float:
        """Clockwise turn of the head in the picture's plane, from eyes and mouth together."""
        across = frame_axis(self.landmarks)
        return math.degrees(math.atan2(across[1], across[0]))

    @property
    def size_px(self) -> float:
        """Side of the face's tight frame."""
        quad = frame_quad(self.landmarks, "tight")
        return float(np.linalg.norm(quad[1] - quad[0]))


def frame_quad(landmarks: NDArray[np.float64], frame: str) -> NDArray[np.float64]:
    """Corners of the square that a frame cuts around one face.

    Convention: landmarks [5, 2], (x, y) in pixels, origin at the corner of the top-left pixel, y down; eyes first,
    mouth corners last. Returns [4, 2]: top left, top right, bottom right, bottom left, as the face stands.
    Raises: ShapeError for another shape or frame; FaceError when eyes and mouth coincide.
    Source: the FFHQ frame (Karras et al. 2019); "tight" is the same, smaller and lower.
    """
    if np.shape(landmarks) != (5, 2):
        raise ShapeError(f"landmarks came as {np.shape(landmarks)}; give [5, 2]: two eyes, nose, two mouth corners")
    if frame not in FRAMES:
        raise ShapeError(f"the frame '{frame}' is not known; use one of {', '.join(FRAMES)}")
    share, lowered = FRAMES[frame]
    left, right, eyes, mouth = _anchors(landmarks)
    down = mouth - eyes
    across = frame_axis(landmarks)
    half = share * max(2.0 * math.hypot(*(right - left)), 1.8 * math.hypot(*down))
    x = across * half
    y = _rot90(x)
    centre = eyes + lowered * down
    return np.stack([centre - x - y, centre + x - y, centre + x + y, centre - x + y])


def recognised_quad(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of the square in which a face recogniser sees one face.

    Convention: as `frame_quad`. Turned, scaled and moved so that the five landmarks come nearest to `RECOGNISED`.
    Source: Deng et al. 2019, ArcFace, whose pictures are aligned so; Umeyama 1991 for the least squares.
    """
    wanted = np.array(RECOGNISED) + 0.5  # pixel centres were at whole numbers there
    here, there = (points @ (1.0, 1.0j) for points in (np.asarray(landmarks, dtype=np.float64), wanted))
    centred = there - there.mean()
    turn = np.vdot(centred, here - here.mean()) / np.vdot(centred, centred).real
    corners = np.array([0, 1, 1 + 1j, 1j]) * RECOGNISED_PX
    placed = (corners - there.mean()) * turn + here.mean()
    return np.stack([placed.real, placed.imag], axis=1)


def frame_axis(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vector [2] along the frame's upper edge, from the picture's left eye towards the right one.

    Raises: FaceError when eyes and mouth coincide, so that there is no such direction.
    """
    left, right, eyes, mouth = _anchors(landmarks)
    across = (right - left) - _rot90(mouth - eyes)
    length = math.hypot(*across)
    if not length > 1e-6:  # also catches NaN
        raise FaceError("the eyes and the mouth of this face lie on one point; choose a photo where they are apart")
    axis: NDArray[np.float64] = across / length
    return axis


def yaw_of(landmarks: NDArray[np.float64]) -> float:
    """How far a head is turned, in degrees, from where its nose lies between eyes and mouth; right is positive.

    Convention: landmarks as for `frame_quad`. A tip that stands out by h eye distances moves by h tan(yaw) of them;
    1 / h = 1.38 was fitted on 11,699 faces (r = 0.97, mean error 1.9 degrees).
    """
    left, right, eyes, mouth = _anchors(landmarks)
    offset = (np.asarray(landmarks, dtype=np.float64)[2] - (eyes + mouth) / 2) @ frame_axis(landmarks)
    return math.degrees(math.atan2(1.38 * offset, math.hypot(*(right - left))))


def _anchors(landmarks: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Both eyes, the point between them, and the middle of the mouth."""
    points = np.asarray(landmarks, dtype=np.float64)
    return points[0], points[1], (points[0] + points[1]) / 2, (points[3] + points[4]) / 2


def _rot90(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([-vector[1], vector[0]])
