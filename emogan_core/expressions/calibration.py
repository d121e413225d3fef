"""Reading expressions off a latent."""

from __future__ import annotations

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
