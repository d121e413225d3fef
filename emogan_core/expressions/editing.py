"""Moving along expression axes: what a latent, the face model's coefficients and the shading become."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..devices import gradients_off
from ..errors import ExpressionError, ShapeError
from ..face_model import REGIONS, FaceFit, load_face_model
from ..inversion import Edit, Inversion
from ..latents import Latent, expect_same_space
from .axes import ExpressionAxes, ExpressionAxis, is_of_shape
from .reach import DRAWN_ONLY, stopped_notices, within_reach

Array = NDArray[np.float64]

LIMIT = 3.0
"""The largest intensity either way: beyond it every generator we looked at draws no face any more."""

READING_NOISE = 0.07
"""What neutral faces may read as of an expression, of its step."""


def apply_expressions(
    inversion: Inversion,
    axes: ExpressionAxes,
    intensities: Mapping[str, float],
    *,
    absolute: bool = False,
    neutral_first: bool = False,
) -> Edit:
    """Faces with other expressions: their latents and the face model's coefficients, moved along the axes together.

    Intensity 1 takes a neutral face to the typical labelled example, negative ones go the other way where there is one,
    and with all intensities at 0 nothing changes at all. `neutral_first` takes the present expression off before;
    `absolute` sets each named expression to its intensity, whatever the face shows already. Latents stay where they are
    when the axes were fitted on another generator.

    Convention: where no named axis has a part of the face model the edit has no coefficients, and `put_back` reads them
    off the redrawn face. Intensities within -3..3 by expression, or by shape of the face model ("browInnerUp" means both sides).
    Raises: ExpressionError for an unknown expression or an intensity that is no number or too large; SpaceMismatch for
    axes of another generator that have no part of the face model; ShapeError when the rows of W+ differ.
    """
    wanted = {axes[name]: checked_intensity(name, value) for name, value in intensities.items()}
    own = inversion.latent.fingerprint == axes.fingerprint
    if not own and any(not axis.has_coefficients for axis in wanted):
        expect_same_space("the latent", inversion.latent.fingerprint, "the set of axes", axes.fingerprint)
    unread = not neutral_first and any(wanted.values()) and not any(axis.has_coefficients for axis in wanted)
    if inversion.faces is None or unread:
        latent = move_latent(inversion.latent, axes, intensities) if own else inversion.latent
        return Edit(latent)
    moves = [_Move.of(face, axes, wanted, absolute=absolute, neutral_first=neutral_first) for face in inversion.faces]
    steps = [move.steps for move in moves]
    designed = [{axis: value for axis, value in row.items() if axis.designed} for row in steps]
    return Edit(
        latent=_stepped(inversion.latent, steps) if own else inversion.latent,
        coefficients=np.stack([move.coefficients for move in moves]),
        shading=np.stack([move.shading for move in moves]),
        step=_step(inversion.latent, designed) if own else None,
        designed_change=np.stack(
            [
                move.coefficients - (move.learned if own else face.coefficients)
                for move, face in zip(moves, inversion.faces, strict=True)
            ]
        ),
        notices=tuple(move.notices for move in moves),
    )


def copy_expression(
    inversion: Inversion, reference: FaceFit, axes: ExpressionAxes, *, regions: Sequence[str] = REGIONS
) -> Edit:
    """Faces with the expression of a face in another photo, its shading included; latents stay.

    Convention: `axes` say how much of an expression a fit to one picture counts to the person (`level_gain`), and what
    shading goes with it; `regions` of REGIONS say which parts are copied, by the beginnings of the shapes' names.
    Shading goes with the mouth.
    Raises: ExpressionError for an unknown region; ShapeError when the inversion has no face fits.
    """
    checked_regions(regions)
    if inversion.faces is None:
        raise ShapeError("an inversion of pictures that were already cut came; invert the photo itself")
    model = load_face_model()
    copied = np.array([name.startswith(tuple(regions)) for name in model.names])
    shown, shadow = _uncounted(axes, reference.coefficients)
    coefficients, shading = [], []
    for face in inversion.faces:
        own, shade = _uncounted(axes, face.coefficients)
        taken_off = own - face.coefficients.clip(None, 0.0)  # the latter by an earlier edit
        wanted = (reference.coefficients + shown - taken_off).clip(-1.0, 1.0)
        coefficients.append(np.where(copied, wanted, face.coefficients))
        shading.append((shadow - shade) * ("mouth" in regions))
    after, before = np.stack(coefficients), np.stack([face.coefficients for face in inversion.faces])
    return Edit(inversion.latent, coefficients=after, shading=np.stack(shading), designed_change=after - before)


def checked_regions(regions: Sequence[str]) -> None:
    """Refuse parts of a face that are not in REGIONS.

    Raises: ExpressionError.
    """
    unknown = [name for name in regions if name not in REGIONS]
    if unknown:
        raise ExpressionError(f"region '{unknown[0]}' is not known; choose from {', '.join(REGIONS)}")


def _uncounted(axes: ExpressionAxes, coefficients: Array) -> tuple[Array, Array]:
    """What a fit counted to the person of the expressions that a face shows, [k], and their shading, [f]."""
    hidden, shading = np.zeros(len(coefficients)), np.zeros(load_face_model().face_vertices)
    for axis, level in levels_of(axes, coefficients).items():
        hidden += level * (1 - 1 / axis.level_gain) * axis.coefficients.double().numpy()
        shading += level * _shading(axis, len(shading))
    return hidden, shading


def move_latent(latent: Latent, axes: ExpressionAxes, intensities: Mapping[str, float]) -> Latent:
    """Every row of the latent, moved along the named axes together; the same latent when all are 0.

    Convention: as `apply_expressions`; axes without a part in the latent do not move it; ws keep device and dtype.
    Raises: SpaceMismatch; ExpressionError; ShapeError when the rows of W+ differ in number or width.
    """
    expect_same_space("the latent", latent.fingerprint, "the set of axes", axes.fingerprint)
    wanted = {axes[name]: checked_intensity(name, value) for name, value in intensities.items()}
    return _stepped(latent, [wanted] * len(latent))


def level_of(axis: ExpressionAxis, coefficients: Array) -> float:
    """The intensity at which a face already shows an expression, by its coefficients: 0 or more."""
    slight = READING_NOISE * (1 - 1 / axis.level_gain)  # not to be multiplied by the gain
    return axis.level_gain * max(0.0, _share(axis, coefficients) - slight)


def _share(axis: ExpressionAxis, coefficients: Array) -> float:
    """How much of an axis' step lies in coefficients, by least squares; 0 or more."""
    step = axis.coefficients.double().numpy()
    length = float(step @ step)
    return max(0.0, float(step @ coefficients) / length) if length > 0 else 0.0


def levels_of(axes: ExpressionAxes, coefficients: Array) -> dict[ExpressionAxis, float]:
    """The intensities that together explain a face's coefficients best, strongest first, each taken off the rest.

    Single shapes, where a set of axes has some, explain what expressions leave.
    Source: matching pursuit (Mallat & Zhang 1993), each axis once; so that expressions alike do not count twice.
    """
    rest, found = coefficients.copy(), {}
    able = [axis for axis in axes if axis.has_coefficients]
    for shapes in (False, True):
        waiting = [axis for axis in able if is_of_shape(axis) == shapes]
        while waiting:
            lengths = {axis: _share(axis, rest) * float(axis.coefficients.norm()) for axis in waiting}
            best = max(waiting, key=lambda axis: lengths[axis])
            if not lengths[best] > 0:
                break
            found[best] = level_of(best, rest)
            rest = rest - _share(best, rest) * best.coefficients.double().numpy()
            waiting.remove(best)
    return found


def checked_intensity(name: str, value: float) -> float:
    """An intensity as a plain number within the limits.

    Raises: ExpressionError when it is no finite number from -LIMIT to LIMIT.

    >>> checked_intensity("happiness", 1)
    1.0
    >>> checked_intensity("happiness", 5)
    Traceback (most recent call last):
    emogan_core.errors.ExpressionError: the intensity of 'happiness' is 5, beyond the limit of 3; give a number from -3 to 3
    """
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ExpressionError(
            f"the intensity of '{name}' is {value!r}, which is no number; give one from -3 to 3"
        ) from error
    if not math.isfinite(number):
        raise ExpressionError(f"the intensity of '{name}' is {number}; give a finite number from -3 to 3")
    if abs(number) > LIMIT:
        raise ExpressionError(
            f"the intensity of '{name}' is {number:g}, beyond the limit of {LIMIT:g}; give a number from -3 to 3"
        )
    return number


class _Move:
    """One face's coefficients and shading after an edit, what of the coefficients axes fitted on examples come to, the steps
    its latent takes, and what there is to say."""

    def __init__(
        self,
        coefficients: Array,
        learned: Array,
        shading: Array,
        steps: Mapping[ExpressionAxis, float],
        notices: tuple[str, ...],
    ) -> None:
        self.coefficients, self.learned, self.shading = coefficients, learned, shading
        self.steps, self.notices = steps, notices

    @classmethod
    def of(
        cls,
        face: FaceFit,
        axes: ExpressionAxes,
        wanted: Mapping[ExpressionAxis, float],
        *,
        absolute: bool,
        neutral_first: bool,
    ) -> _Move:
        model = load_face_model()
        coefficients = face.coefficients.copy()
        shading = np.zeros(model.face_vertices)
        steps: dict[ExpressionAxis, float] = {}
        uncounted = np.zeros(len(coefficients))  # what the fit took for the person
        if neutral_first:
            steps = {axis: -level for axis, level in levels_of(axes, coefficients).items()}
            uncounted, shown = _uncounted(axes, coefficients)
            shading -= shown
            coefficients[[not name.startswith("eyeLook") for name in model.names]] = 0.0
        changes: dict[ExpressionAxis, Array] = {}
        for axis, value in wanted.items():
            level = level_of(axis, coefficients)
            step = value - level if absolute else value
            if axis.has_coefficients:
                own = axis.coefficients.double().numpy()
                one_shape = absolute and set(np.unique(own)) <= {0.0, 1.0}
                changes[axis] = value * own - coefficients * own if one_shape else step * own
            shading += max(step, -level) * _shading(axis, model.face_vertices)  # no less than what there is
            steps[axis] = steps.get(axis, 0.0) + step
        learned = [change for axis, change in changes.items() if axis.has_direction and not axis.designed]
        after, drawn = (
            within_reach(model.names, coefficients, np.sum([*parts, np.zeros(len(coefficients))], axis=0)) - uncounted
            for parts in (changes.values(), learned)
        )
        if not any(axis.has_direction and not axis.designed for axis, value in steps.items() if value):
            drawn = face.coefficients  # none of them moves the latent, taking off what there is included
        drawn_only = (DRAWN_ONLY,) * any(value and not axis.has_coefficients for axis, value in wanted.items())
        told = stopped_notices(model.names, coefficients, changes, wanted)
        return cls(after, drawn, shading, steps, (*told, *drawn_only))


def _shading(axis: ExpressionAxis, vertices: int) -> Array:
    return axis.shading.double().numpy() if axis.shading.numel() else np.zeros(vertices)


def _stepped(latent: Latent, steps: Sequence[Mapping[ExpressionAxis, float]]) -> Latent:
    """Each row moved by its own steps."""
    step = _step(latent, steps)
    if step is None:
        return latent
    with gradients_off():
        return replace(latent, ws=latent.ws + step)


def _step(latent: Latent, steps: Sequence[Mapping[ExpressionAxis, float]]) -> Tensor | None:
    """What each row's steps come to, [n, num_ws, w_dim]; None where nothing moves."""
    if not any(value and axis.has_direction for row in steps for axis, value in row.items()):
        return None
    moved = []
    for row in steps:
        total = torch.zeros(latent.ws.shape[1:], dtype=torch.float64)
        for axis, value in row.items():
            if not axis.has_direction:
                continue
            if axis.direction.shape != latent.ws.shape[1:]:
                raise ShapeError(
                    f"axis '{axis.name}' has rows {tuple(axis.direction.shape)}, the latent "
                    f"{tuple(latent.ws.shape[1:])}; fit the axes again on this generator"
                )
            total = total + value * axis.direction.detach().cpu().double()
        moved.append(total)
    with gradients_off():
        return torch.stack(moved).to(latent.ws)
