"""Where an encoder's training begins: the linear map from small pictures to codes, by ridge regression on samples."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
"""Penalties that are tried, in units of the mean of the pictures' squared distances from their centre."""


def fit_projection(pictures: Tensor, codes: Tensor, worn: Tensor) -> tuple[Tensor, Tensor]:
    """Weight [d, p] and bias [d] of codes [n, d] from pictures [n, p].

    The penalty is the best one for the first m pictures as they are after degradation, `worn` [m, p], when these are not
    fitted on: the best one for clean samples read photos 2 dB worse.
    """
    x, y, bad = (part.double().cpu() for part in (pictures, codes, worn))
    out = len(bad)
    fits = [_ridge(x[out:], y[out:], ridge) for ridge in RIDGES]
    errors = [float((bad @ weight.T + bias - y[:out]).square().mean()) for weight, bias in fits]
    weight, bias = _ridge(x, y, RIDGES[errors.index(min(errors))])
    return weight.float(), bias.float()


def _ridge(x: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """In the dual, as there are fewer pictures than pixels."""
    centre, middle = x.mean(0), y.mean(0)
    x, y = x - centre, y - middle
    gram = x @ x.T  # [n, n]
    penalty = ridge * gram.diagonal().mean().clamp_min(1e-9)
    weight = torch.linalg.solve(gram + penalty * torch.eye(len(x), dtype=x.dtype), y).T @ x
    return weight, middle - weight @ centre
