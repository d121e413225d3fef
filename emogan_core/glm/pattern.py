"""The pattern model: the latent, regressed on expressions, people and covariates (Gaussian, identity link)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .designs import Array, Index, absorb


@dataclass(frozen=True, slots=True)
class PatternFit:
    """Slopes of the latent on each expression and each covariate, people held fixed.

    Convention: slopes [k, d] per expression against neutral; their sampling covariance is spread[k] times `residual`
    [d, d]; covariate_slopes [c, d]; `identified` [k] is whether the design identifies the expression's effect.
    """

    slopes: Array
    spread: Array
    residual: Array
    covariate_slopes: Array
    identified: tuple[bool, ...]


def fit_pattern(
    X: Array,
    expressions: Array,
    *,
    groups: Index,
    covariates: Array | None = None,
    group_penalty: float = 0.0,
    sample_weight: Array | None = None,
) -> PatternFit:
    """Least squares of latents on expressions and covariates, with a ridge-penalised intercept for every group.

    A group_penalty of 0 is fixed effects: only people seen with several expressions count, and what differs between
    people cannot enter. Larger ones also use the others (random effects); infinity ignores the groups.

    Convention: X [n, d]; expressions [n, k] one-hot against neutral; covariates [n, c]; groups [n].
    """
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    extra = np.zeros((len(X), 0)) if covariates is None else covariates
    design = np.concatenate([expressions, extra, np.ones((len(X), 1))], axis=1)
    size = np.linalg.norm(design, axis=0)
    design = absorb(design, groups, penalty=group_penalty, sample_weight=weight)
    target = absorb(X, groups, penalty=group_penalty, sample_weight=weight)
    varying = np.linalg.norm(design, axis=0) > 1e-9 * np.maximum(size, 1.0)
    scaled = np.sqrt(weight)[:, None]
    solved = _least_squares(scaled * design[:, varying], scaled * target, rows=_freedom(weight, groups, group_penalty))
    coefficients, spread = np.zeros((design.shape[1], X.shape[1])), np.zeros(design.shape[1])
    coefficients[varying], spread[varying] = solved[0], solved[1]
    k, c = expressions.shape[1], extra.shape[1]
    return PatternFit(
        slopes=coefficients[:k],
        spread=spread[:k],
        residual=solved[2],
        covariate_slopes=coefficients[k : k + c],
        identified=tuple(bool(flag) for flag in varying[:k]),
    )


def _freedom(weight: Array, groups: Index, group_penalty: float) -> float:
    """Degrees of freedom left after the groups' intercepts."""
    total = np.bincount(groups, weights=weight)
    taken = 0.0 if np.isinf(group_penalty) else float(np.sum(total / (total + group_penalty)))
    return float(weight.sum()) - taken


def _least_squares(design: Array, target: Array, *, rows: float) -> tuple[Array, Array, Array]:
    """Coefficients [p, d], their spread [p], the residual covariance [d, d]."""
    d = target.shape[1]
    if design.shape[1] == 0:
        return np.zeros((0, d)), np.zeros(0), target.T @ target / max(rows, 1.0)
    coefficients = np.asarray(np.linalg.lstsq(design, target, rcond=None)[0], dtype=np.float64)
    left = target - design @ coefficients
    residual = left.T @ left / max(rows - design.shape[1], 1.0)
    spread = np.diag(np.linalg.pinv(design.T @ design)).copy()
    return coefficients, spread, residual
