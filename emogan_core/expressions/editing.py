"""Moving a latent along expression axes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch

from ..devices import gradients_off
from ..errors import ExpressionError, ShapeError
from ..latents import Latent, expect_same_space
from .axes import ExpressionAxes

LIMIT = 3.0
"""The largest intensity either way: beyond it every generator we looked at draws no face any more."""


def apply_expressions(latent: Latent, axes: ExpressionAxes, intensities: Mapping[str, float]) -> Latent:
    """Every row of the latent, moved along the named axes together.

    Intensity 1 takes a neutral face to the typical labelled example, negative ones go the other way, and when all are
    0 the very same latent comes back.

    Convention: intensities by expression, within -3..3; ws keep their device and dtype.
    Raises: SpaceMismatch; ExpressionError for an unknown expression or an intensity that is no number or too large;
    ShapeError when the rows of W+ differ in number or width.
    """
    expect_same_space("the latent", latent.fingerprint, "the set of axes", axes.fingerprint)
    wanted = {axes[name]: checked_intensity(name, value) for name, value in intensities.items()}
    step = torch.zeros(latent.ws.shape[1:], dtype=torch.float64)
    for axis, value in wanted.items():
        if axis.direction.shape != latent.ws.shape[1:]:
            raise ShapeError(
                f"axis '{axis.name}' has rows {tuple(axis.direction.shape)}, the latent {tuple(latent.ws.shape[1:])}; "
                "fit the axes again on this generator"
            )
        step = step + value * axis.direction.detach().cpu().double()
    if not any(wanted.values()):
        return latent
    with gradients_off():
        return replace(latent, ws=latent.ws + step.to(latent.ws))


def checked_intensity(name: str, value: float) -> float:
    """An intensity as a plain number within the limits.

    Raises: ExpressionError.
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
