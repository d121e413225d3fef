"""The readout model: one expression against neutral, regressed on the latent (binomial, logit link)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from .designs import Array, Index
from .diagnostics import FitWarning, Flags, auc_with_interval, is_separated, logistic_condition
from .geometry import inverse_root


@dataclass(frozen=True, slots=True)
class ReadoutConfig:
    """How a readout is fitted.

    Convention: `penalties` are candidate weights of |beta|^2 / 2 in the whitened space against the summed deviance / 2;
    the one with the lowest cross-validated deviance wins. Folds keep groups (people) whole.
    """

    penalties: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    folds: int = 5
    max_steps: int = 500


@dataclass(frozen=True, slots=True)
class ReadoutFit:
    """A fitted readout: eta = latent @ beta + intercept is the log odds of the expression against neutral.

    Convention: beta [d]; `cross_eta` [n] comes from fits that never saw the row's group.
    """

    beta: Array
    intercept: float
    penalty: float
    cross_eta: Array
    auc: tuple[float, float, float]
    converged: bool
    separated: bool
    condition_number: float


def fit_readout(
    X: Array,
    positive: Flags,
    *,
    groups: Index,
    metric: Array,
    sample_weight: Array | None = None,
    config: ReadoutConfig = ReadoutConfig(),
) -> ReadoutFit:
    """Fit the log odds of an expression against neutral, whitened by `metric`, classes at their natural weights.

    Convention: X [n, d]; positive [n] bool; groups [n]; metric [d, d], the covariance whose whitened space is
    penalised, so that an affine change of X and metric together changes nothing but the coordinates of beta.
    Raises: ValueError when fewer groups than two hold the expression, or hold neutral.
    """
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    root = inverse_root(metric)
    centre = np.average(X, axis=0, weights=weight)
    white = (X - centre) @ root  # [n, d]
    folds = _folds(positive, groups, config.folds)
    best_loss, best_penalty, cross_eta = np.inf, config.penalties[0], np.zeros(len(X))
    for penalty in sorted(config.penalties, reverse=True):
        eta = _cross_eta(white, positive, weight, folds, penalty=penalty, max_steps=config.max_steps)
        loss = float(np.average(np.logaddexp(0.0, np.where(positive, -eta, eta)), weights=weight))
        if loss < best_loss:
            best_loss, best_penalty, cross_eta = loss, penalty, eta
    slope, offset, converged = _solve(white, positive, weight, penalty=best_penalty, max_steps=config.max_steps)
    eta = white @ slope + offset
    beta = root @ slope
    if not converged:
        warnings.warn(
            f"the readout did not converge in {config.max_steps} steps at penalty {best_penalty:g}; "
            "raise the penalty or max_steps",
            FitWarning,
            stacklevel=2,
        )
    return ReadoutFit(
        beta=beta,
        intercept=float(offset - centre @ beta),
        penalty=best_penalty,
        cross_eta=cross_eta,
        auc=auc_with_interval(cross_eta, positive, groups),
        converged=converged,
        separated=is_separated(eta, positive),
        condition_number=logistic_condition(white, eta, best_penalty),
    )


def fit_slope(
    X: Array,
    positive: Flags,
    *,
    metric: Array,
    penalty: float,
    sample_weight: Array | None = None,
) -> Array:
    """The slope beta alone, at one penalty and without cross-validation.

    Convention: as fit_readout; returns [d].
    """
    root = inverse_root(metric)
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    white = (X - np.average(X, axis=0, weights=weight)) @ root  # [n, d]
    return root @ _solve(white, positive, weight, penalty=penalty, max_steps=ReadoutConfig().max_steps)[0]


def group_folds(groups: Index, classes: Index, parts: int, *, seed: int | None = None) -> list[tuple[Index, Index]]:
    """Rows to fit on and rows to test on, once for each part; groups stay whole, classes are spread evenly.

    Convention: groups, classes [n] integers from 0; `seed` shuffles the groups first, None leaves their order.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import, and only fits need it

    splitter = StratifiedGroupKFold(parts, shuffle=seed is not None, random_state=seed)
    return list(splitter.split(classes, classes, groups))


def _folds(positive: Flags, groups: Index, folds: int) -> list[tuple[Index, Index]]:
    holders = [len(np.unique(groups[positive])), len(np.unique(groups[~positive]))]
    if min(holders) < 2:
        raise ValueError(f"the two classes come from {holders[0]} and {holders[1]} groups; two or more are needed")
    return group_folds(groups, positive.astype(np.int64), min(folds, *holders))


def _cross_eta(
    white: Array,
    positive: Flags,
    weight: Array,
    folds: list[tuple[Index, Index]],
    *,
    penalty: float,
    max_steps: int,
) -> Array:
    """eta [n] of fits that never saw the row's group."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import cross_val_predict

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        eta = cross_val_predict(
            _logistic(penalty, max_steps),
            white,
            positive,
            cv=folds,
            method="decision_function",
            params={"sample_weight": weight},
        )
    return np.asarray(eta, dtype=np.float64)


def _solve(
    white: Array, positive: Flags, weight: Array, *, penalty: float, max_steps: int
) -> tuple[Array, float, bool]:
    """Slope, offset and whether the solver converged."""
    from sklearn.exceptions import ConvergenceWarning

    model = _logistic(penalty, max_steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(white, positive, sample_weight=weight)
    return np.asarray(model.coef_[0]), float(model.intercept_[0]), bool(model.n_iter_[0] < max_steps)


def _logistic(penalty: float, max_steps: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0 / penalty, max_iter=max_steps, tol=1e-6, solver="lbfgs")
