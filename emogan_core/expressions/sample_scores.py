"""What is asked of samples: how much each shows of every shape and named expression, and whether that can be read at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..face_model import FaceFit, Pose, both_sides, fit_face, load_face_model, sides_of
from ..face_model.names import mirror_order
from ..wording import counted
from .axes import ExpressionAxes, ExpressionAxis, moving_only, shape_axis
from .moves import FRONTAL, RADIUS_CM
from .reading import READ, log_odds
from .sample_file import SampleTable

Array = NDArray[np.float64]

UNMEANT = ("eyeLook", "cheekPuff", "mouthClose", "jawForward", "jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Shapes that no axis is fitted for: gaze, a jaw or mouth aside, and what fits take for a face's own build."""
SHOWN = 0.2
"""A sample shows a shape where it reads as this much or more."""
LEAST_SD, LEAST_SHOWN = 0.02, 12
ALIKE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One thing that an axis is fitted for.

    Convention: `part` is its axis without a direction; `values` [n] is how much each sample shows of it, in units of
    `link`: log odds against neutral for named expressions ("logit"), the coefficient for shapes ("identity"); `shown`
    counts the samples that show it; `why` says why it cannot be fitted, "" where it can.
    """

    part: ExpressionAxis
    values: Array
    link: str
    shown: int
    why: str = ""

    @property
    def name(self) -> str:
        return self.part.name


def scores_of(samples: SampleTable, named: ExpressionAxes) -> tuple[tuple[Score, ...], tuple[Score, ...]]:
    """The scores of every named expression that has a step of the face model, and of every shape, both sides together.

    Convention: all rows of `samples` are seen.
    """
    model = load_face_model()
    coefficients = samples.coefficients.astype(np.float64)
    shapes = [_shape(name, coefficients) for name in both_sides(model.names) if not name.startswith(UNMEANT)]
    odds = dict(zip(READ, log_odds(coefficients).T, strict=True))
    expressions = [_expression(axis, odds) for axis in named if axis.has_coefficients and axis.name in odds]
    return tuple(expressions), tuple(shapes)


def _shape(name: str, coefficients: Array) -> Score:
    model = load_face_model()
    values = coefficients[:, [model.index(side) for side in sides_of(name, model.names)]].mean(1)
    shown, spread = int(np.count_nonzero(values >= SHOWN)), float(values.std())
    why = ""
    if spread < ALIKE:
        why = f"it reads as {values.mean():.2f} in every sample"
    elif shown < LEAST_SHOWN or spread < LEAST_SD:
        why = f"{shown} of {counted(len(values), 'sample')} {'shows' if shown == 1 else 'show'} it ({SHOWN:g} or more; sd {spread:.3f}), {LEAST_SHOWN} are needed"
    return Score(shape_axis(name), values, "identity", shown, why)


def _expression(axis: ExpressionAxis, odds: Mapping[str, Array]) -> Score:
    values = odds[axis.name]
    most = np.argmax(np.stack(list(odds.values()), axis=1), axis=1)
    shown = int(np.count_nonzero(most == list(odds).index(axis.name)))
    why = ""
    if values.std() < ALIKE:
        why = "all samples read alike"
    elif _is_one_sided(axis):
        why = "it is one-sided, and what reads as it may be on either side"
    return Score(moving_only(axis), values, "logit", shown, why)


def _is_one_sided(axis: ExpressionAxis) -> bool:
    step = axis.coefficients.double().numpy()
    return not np.allclose(step, step[mirror_order(load_face_model().names)])


def shapes_in(axis: ExpressionAxis) -> dict[str, float]:
    """The shapes of a step and their levels, both sides together."""
    model = load_face_model()
    step = axis.coefficients.double().numpy()
    levels = {
        name: float(np.mean([step[model.index(side)] for side in sides_of(name, model.names)]))
        for name in both_sides(model.names)
    }
    return {name: level for name, level in levels.items() if level > 0}


def typical_rise(axis: ExpressionAxis) -> float:
    """How far a face rises in the share of an axis' step when the step is taken, as a fit to its landmarks reads it.

    Below 1: what a wide mouth is may as well be somebody's own.
    """
    step = axis.coefficients.double().numpy()
    return share_of(axis, _read_back(step).coefficients - _read_back(np.zeros(len(step))).coefficients)


def share_of(axis: ExpressionAxis, change: Array) -> float:
    """How much of an axis' step lies in a change [k] of coefficients, by least squares."""
    step = axis.coefficients.double().numpy()
    return float(step @ change / (step @ step))


def _read_back(coefficients: Array, pose: Pose = FRONTAL) -> FaceFit:
    """The fit to the mean face's landmarks as they are found when it moves so."""
    model = load_face_model()
    shape = (
        model.neutral[model.landmark_vertex]
        + model.landmark_offset
        + np.tensordot(coefficients, model.found_moves(), 1)
    )
    points = pose.project(shape)[:, :2]
    around = RADIUS_CM * pose.scale * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
    irises = [points[list(corners)].mean(0) + around for corners in ((33, 133), (362, 263))]
    return fit_face(model, np.concatenate([points, *irises]))
