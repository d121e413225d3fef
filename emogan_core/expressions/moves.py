"""What expressions do to the face model's coefficients in labelled pictures: a step of intensity 1 for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from ..face_model import FaceModel, Pose, fit_face, load_face_model
from ..glm import fit_pattern, group_index, one_hot
from ..wording import counted
from .axes import REFERENCE

Array = NDArray[np.float64]

LEAST_T = 2.0  # a shape whose change is less sure stays still
LEAST_LEVEL = 0.02
MOST_STRETCH = 3.0
ARTEFACTS = ("cheekPuff", "mouthClose", "jawForward", "eyeLook")
"""Shapes by which a fit explains what no muscle did, and gaze, which no expression is about."""
FRONTAL = Pose(scale=20.0, rotation=np.eye(3), translation=np.array([300.0, 300.0]))
RADIUS_CM = 0.6  # of an iris


def fit_moves(
    coefficients: Array, labels: Sequence[str], names: Sequence[str], *, people: Sequence[str] | None, floor: int
) -> dict[str, Array]:
    """Steps [k] of the face model's coefficients for those of the named expressions that enough pictures show.

    The pattern model with people as fixed effects (without people, and for expressions that nobody shows beside a neutral
    face, the mean difference). Unsure shapes are left out. The fit's prior draws coefficients towards 0, so each step is
    stretched until the mean face, moved by it and fitted, reads as the examples do.

    Convention: coefficients [n, k], a row of NaN where no face was fitted; labels and people one per row.
    Raises: ShapeError for rows that differ in number, or coefficients of another face model.
    """
    model = load_face_model()
    if coefficients.shape != (len(labels), len(model.names)):
        raise ShapeError(
            f"coefficients came as {coefficients.shape} for {counted(len(labels), 'label')}; give [{len(labels)}, "
            f"{len(model.names)}], as label_latents does"
        )
    found = np.isfinite(coefficients).all(1)
    given, who = np.asarray(labels, dtype=str)[found], None if people is None else np.asarray(people, dtype=str)[found]
    if np.count_nonzero(given == REFERENCE) < floor:
        return {}
    steps = {}
    for name in names:
        chosen = (given == name) | (given == REFERENCE)
        if np.count_nonzero(given == name) >= floor:
            groups = None if who is None else list(who[chosen])
            step = _step(model, coefficients[found][chosen], list(given[chosen]), name, groups)
            if step.any():
                steps[name] = _stretched(model, step)
    return steps


def _step(model: FaceModel, seen: Array, labels: list[str], name: str, people: list[str] | None) -> Array:
    groups = group_index(people, len(labels))
    pattern = fit_pattern(seen, one_hot(labels, [name]), groups=groups, group_penalty=np.inf if people is None else 0.0)
    if not pattern.identified[0]:
        pattern = fit_pattern(seen, one_hot(labels, [name]), groups=groups, group_penalty=np.inf)
    sd = np.sqrt(pattern.spread[0] * np.diag(pattern.residual))
    slope = pattern.slopes[0]
    kept = (slope >= LEAST_LEVEL) & (slope >= LEAST_T * sd)
    kept &= [not shape.startswith(ARTEFACTS) for shape in model.names]
    return np.asarray(np.where(kept, slope, 0.0))


def _stretched(model: FaceModel, step: Array) -> Array:
    """The step that reads as `step` does, in 0..1."""
    length = float(step @ step)
    read = float(step @ (_read_back(model, step) - _read_back(model, np.zeros(len(step))))) / length
    return np.asarray(np.clip(step * np.clip(1.0 / max(read, 1e-3), 1.0, MOST_STRETCH), 0.0, 1.0))


def _read_back(model: FaceModel, coefficients: Array) -> Array:
    """Coefficients that a fit reads off the mean face with these."""
    at = model.landmark_vertex
    shape = model.neutral[at] + model.landmark_offset + np.tensordot(coefficients, model.expressions[:, at], 1)
    points = FRONTAL.project(shape)[:, :2]
    around = RADIUS_CM * FRONTAL.scale * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
    irises = [points[list(corners)].mean(0) + around for corners in ((33, 133), (362, 263))]
    return fit_face(model, np.concatenate([points, *irises])).coefficients
