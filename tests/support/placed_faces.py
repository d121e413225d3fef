"""The face model's mean face placed in a photo, with its landmarks where the model expects them."""

from __future__ import annotations

import numpy as np

from emogan_core.face_model import FaceFit, FaceModel, Pose

FIVE = (468, 473, 1, 61, 291)
"""MediaPipe's numbers of the five points that find a face."""


def mean_landmarks(model: FaceModel, pose: Pose) -> np.ndarray:
    """[478, 2] photo px: the mean face's landmarks; its irises look straight at the viewer."""
    points = pose.project(model.neutral[model.landmark_vertex] + model.landmark_offset)[:, :2]
    radius = pose.scale * np.ptp(model.neutral[model.part_vertices["eyeball_left"]][:, 1]) / 2
    straight = pose.project_change(np.array([*np.sin(model.gaze_rest), 0.0]))[:2] * radius / pose.scale
    irises = [points[list(corners)].mean(0) + straight for corners in ((33, 133), (362, 263))]
    ring = 0.3 * radius * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
    return np.concatenate([points, *(iris + ring for iris in irises)])


def upright_pose(*, scale: float = 8.0, middle: tuple[float, float] = (115.0, 85.0)) -> Pose:
    return Pose(scale=scale, rotation=np.eye(3), translation=np.array(middle))


def fit_at(model: FaceModel, pose: Pose, **levels: float) -> FaceFit:
    """The mean face, with these coefficients."""
    coefficients = np.zeros(len(model.names))
    for name, value in levels.items():
        coefficients[model.index(name)] = value
    points = mean_landmarks(model, pose)
    moved = np.tensordot(coefficients, model.expressions[:, model.landmark_vertex], 1)
    points[:468] += pose.project_change(moved)[:, :2]
    return FaceFit(
        pose=pose,
        identity=np.zeros(len(model.identities)),
        coefficients=coefficients,
        landmarks=points,
        residual=np.zeros((len(model.neutral), 2)),
        error_cm=0.0,
    )


def found_at(model: FaceModel, pose: Pose, **levels: float) -> np.ndarray:
    """[478, 2]: the mean face's landmarks with these coefficients, moved as those are that are found in photos."""
    points = mean_landmarks(model, pose)
    for name, value in levels.items():
        points[:468] += pose.project_change(value * model.found_moves()[model.index(name)])[:, :2]
    return points
