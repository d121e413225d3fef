"""Reading expressions off a latent, and the intensity that reaches a wanted reading."""

from __future__ import annotations

import math

import torch

from ..errors import ExpressionError
from ..latents import Latent, expect_same_space
from .axes import ExpressionAxes


def read_eta(latent: Latent, axes: ExpressionAxes, name: str) -> torch.Tensor:
    """Log odds of an expression against neutral, as the axis' own readout sees each row.

    Convention: returns [n] float64 on the CPU.
    Raises: SpaceMismatch; ExpressionError when the axes do not know the expression, or it has no part in the latent.
    """
    expect_same_space("the latent", latent.fingerprint, "the set of axes", axes.fingerprint)
    axis = axes[name]
    if not axis.has_direction:
        raise ExpressionError(
            f"'{name}' moves the face model only and cannot be read off a latent; read the photo instead"
        )
    rows = latent.mean_row().detach().cpu().double()  # [n, w_dim]
    return rows @ axis.readout.detach().cpu().double() + axis.intercept


def intensity_to_reach(latent: Latent, axes: ExpressionAxes, name: str, probability: float) -> torch.Tensor:
    """The intensity at which the readout gives each row the wanted probability of the expression against neutral.

    Unlike a plain intensity this is absolute: a face that already smiles needs less. It holds in the latent space;
    what the picture then shows depends on the generator.

    Convention: probability strictly between 0 and 1; returns [n] float64, not limited.
    Raises: SpaceMismatch; ExpressionError.
    """
    if not 0.0 < probability < 1.0:
        raise ExpressionError(f"the wanted probability is {probability}; give one strictly between 0 and 1")
    axis = axes[name]
    if axis.link != "logit":
        raise ExpressionError(
            f"'{name}' is read as a level, not as a probability; give an intensity, or a named expression"
        )
    mean_weight = sum(axis.layer_weights) / len(axis.layer_weights)
    target = math.log(probability / (1.0 - probability))
    return (target - read_eta(latent, axes, name)) / (axis.eta_per_unit * mean_weight)
