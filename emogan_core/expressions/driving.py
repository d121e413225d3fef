"""Another face's expressions over time, put onto a face: what a driving clip asks for, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ..errors import ExpressionError, ShapeError
from ..face_model import REGIONS, load_face_model
from ..inversion import Edit, Inversion
from ..wording import counted
from .axes import ExpressionAxes
from .editing import LIMIT, checked_regions
from .reach import within_reach

Array = NDArray[np.float64]

ALIKE = 0.01  # how much more the squares of a frame's coefficients may sum up to for it to be as neutral as another
GAZE = "eyeLook"
"""What is never driven begins so: another face's gaze looks past whoever this one looked at."""


def drive_expression(
    inversion: Inversion,
    driving: Array,
    axes: ExpressionAxes,
    *,
    regions: Sequence[str] = REGIONS,
    neutral: int | None = None,
    strength: float = 1.0,
    frames: Sequence[int] | None = None,
) -> tuple[Edit, ...]:
    """Faces that follow another face's expression: for every frame, what changed since its neutral frame is added.

    One inverted face gets an edit for every driving frame; of a clip, face i gets that of driving frame i, and the shorter
    one ends it. `frames` names other driving frames, one for each edit. Gaze and the head's turn are not driven.

    Convention: driving [n, k] are coefficients in 0..1, as `ClipFaces.coefficients` gives them; `neutral` is the
    number of the frame that counts as no expression, by default `most_neutral`; `regions` of REGIONS are driven, shading
    goes with the mouth; strength is 0..3, 0 changes nothing. Each edit is of one face.
    Raises: ShapeError for driving coefficients of another shape, a neutral frame that is not there, or an inversion
    without face fits; ExpressionError for an unknown region or strength.
    """
    model = load_face_model()
    checked_regions(regions)
    if not 0 <= strength <= LIMIT:
        raise ExpressionError(f"a strength of {strength} came; give one from 0 to {LIMIT:g}")
    if inversion.faces is None:
        raise ShapeError("an inversion of pictures that were already cut came; invert the photo itself")
    if driving.ndim != 2 or not len(driving) or driving.shape[1] != len(model.names) or not np.isfinite(driving).all():
        raise ShapeError(
            f"driving coefficients came as {driving.shape}, or not finite; needed [n, {len(model.names)}], n >= 1"
        )
    rest = most_neutral(driving) if neutral is None else neutral
    if not 0 <= rest < len(driving):
        raise ShapeError(f"the neutral frame {rest} was named, but the driving clip has 0 to {len(driving) - 1}")
    driven = [name.startswith(tuple(regions)) and not name.startswith(GAZE) for name in model.names]
    changes = np.where(driven, driving - driving[rest], 0.0)
    alone = len(inversion) == 1
    chosen = range(len(driving) if alone else min(len(inversion), len(driving))) if frames is None else frames
    if any(not 0 <= frame < len(driving) for frame in chosen) or (not alone and len(chosen) > len(inversion)):
        raise ShapeError(
            f"driving frames {list(chosen)[:8]} were named for {counted(len(inversion), 'face')}, but the driving clip has 0 to "
            f"{len(driving) - 1}; name one of these for each face"
        )
    edits = []
    for number, frame in enumerate(chosen):
        face = 0 if alone else number
        after = within_reach(model.names, inversion.faces[face].coefficients, strength * changes[frame])
        shading = strength * _shading(axes, changes[frame]) * ("mouth" in regions)
        edits.append(Edit(inversion.latent[face], coefficients=after[None], shading=shading[None]))
    return tuple(edits)


def most_neutral(driving: Array) -> int:
    """The number of the frame whose coefficients [n, k], but for the gaze, are smallest; the first of those about alike."""
    considered = [not name.startswith(GAZE) for name in load_face_model().names]
    squares = (driving[:, considered] ** 2).sum(1)
    return int((squares <= squares.min() + ALIKE).argmax())


def _shading(axes: ExpressionAxes, change: Array) -> Array:
    """[f]: the shading of the expressions that a change of coefficients [k] consists of.

    Source: non-negative least squares (Lawson & Hanson 1974), which unlike a choice of the strongest is continuous.
    """
    shaded = [axis for axis in axes if axis.has_coefficients and axis.shading.numel()]
    none = np.zeros(load_face_model().face_vertices)
    if not shaded:
        return none
    levels, _ = nnls(np.stack([axis.coefficients.double().numpy() for axis in shaded], axis=1), change)
    return np.asarray(
        sum((level * axis.shading.double().numpy() for level, axis in zip(levels, shaded, strict=True)), start=none)
    )
