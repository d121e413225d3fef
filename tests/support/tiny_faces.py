"""A small synthetic photo, and the face model fitted to it exactly: for tests of what moves a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emogan_core.compose.frames import frame_between, shares
from emogan_core.compose.openings import MOUTH, mesh_edges
from emogan_core.face_model import FaceFit, FaceModel, Pose, load_face_model
from emogan_core.images import Photo

SIDE, SCALE = 176, 8.0  # px; px per cm
IRIS_CM, PUPIL_PX = 0.6, 3.2


def tiny_face(coefficients: dict[str, float] | None = None) -> tuple[FaceModel, FaceFit]:
    """The mean face, straight from the front in the middle of a photo of SIDE px, with the coefficients given."""
    model = load_face_model()
    levels = coefficients_of(model, coefficients or {})
    middle = model.neutral[model.part_vertices["face"]].mean(0)
    shift = np.array([SIDE / 2 - SCALE * middle[0], SIDE / 2 + SCALE * middle[1]])
    pose = Pose(scale=SCALE, rotation=np.eye(3), translation=shift)
    shape = model.shape(np.zeros(len(model.identities)), levels)
    points = _with_lips(model, pose.project(shape), pose.project(shape[model.landmark_vertex])[:, :2])
    irises = [_iris(model, pose, shape, part) for part in ("eyeball_right", "eyeball_left")]
    fit = FaceFit(
        pose=pose,
        identity=np.zeros(len(model.identities)),
        coefficients=levels,
        landmarks=np.concatenate([points, *irises]),
        residual=np.zeros((len(model.neutral), 2)),
        error_cm=0.0,
    )
    return model, fit


def coefficients_of(model: FaceModel, named: dict[str, float]) -> NDArray[np.float64]:
    """Coefficients in the model's order; a name without a side means both."""
    values = np.zeros(len(model.names))
    for name, value in named.items():
        found = [i for i, known in enumerate(model.names) if known in (name, f"{name}Left", f"{name}Right")]
        assert found, name
        values[found] = value
    return values


def tiny_photo(seed: int = 0, *, gray: bool = False) -> Photo:
    """Smooth random colours about a skin tone, with dark pupils: no veil lies over it."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1, (12, 12, 1 if gray else 3))
    rows = np.linspace(0, 10.99, SIDE)
    low, share = rows.astype(int), rows - rows.astype(int)
    tall = coarse[low] * (1 - share)[:, None, None] + coarse[low + 1] * share[:, None, None]
    wide = tall[:, low] * (1 - share)[None, :, None] + tall[:, low + 1] * share[None, :, None]
    tone = np.array([128.0]) if gray else np.array([180.0, 140.0, 120.0])
    pixels = np.clip(tone + 18 * wide, 0, 255).astype(np.uint8)
    rows, columns = (np.arange(SIDE) + 0.5)[:, None, None], (np.arange(SIDE) + 0.5)[None, :, None]
    for x, y in tiny_face()[1].landmarks[[468, 473]]:
        pixels = np.where(np.hypot(columns - x, rows - y) < PUPIL_PX, np.uint8(8), pixels)
    return Photo(np.ascontiguousarray(np.broadcast_to(pixels, (SIDE, SIDE, 3))))


def _with_lips(model: FaceModel, vertices: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Landmarks whose inner lips lie where the mesh's lips part (some of both lips share a vertex of the model)."""
    frame = frame_between(points[MOUTH.upper[0]], points[MOUTH.upper[-1]])
    edges = mesh_edges(model, vertices, MOUTH, frame, SCALE)
    result = points.copy()
    for row, line in ((MOUTH.upper, edges.upper), (MOUTH.lower, edges.lower)):
        place = np.linspace(0, 1, len(row))
        along, down = place * frame.length, np.interp(place, shares(), line)
        result[list(row[1:-1])] = (frame.origin + np.column_stack([along, down]) @ frame.axes)[1:-1]
    return result


def _iris(model: FaceModel, pose: Pose, shape: NDArray[np.float64], part: str) -> NDArray[np.float64]:
    """Five points of an iris: the middle of the eyeball's front, and four on its rim."""
    ball = shape[model.part_vertices[part]]
    front = ball[int(np.argmax(ball[:, 2]))]
    around = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]]) * IRIS_CM
    return pose.project(front + around)[:, :2]
