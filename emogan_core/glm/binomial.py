"""Penalised logistic regression of many versions of one data set at once: all folds, or all draws of a bootstrap.

Versions differ only in how much each row counts, so they share their passes over the rows, and nearly share their
curvature: Newton's steps take a common one and renew it when they slow down. Ordered labels are one logit per
threshold with a common slope, soft ones targets between 0 and 1. scikit-learn's LogisticRegression, the reference in
the tests, solves one version at a time, from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .designs import Array, Index

Floats = NDArray[np.floating]

MAX_STEPS = 100
DRAWN_STEPS = 25  # of a bootstrap's draws, which need not be exact
SLOW = 0.1  # the decrement must fall below this share of the one before, or the curvature is renewed


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """Slopes [d, v] and offsets [t, v] of v versions, and whether each converged [v]."""

    slopes: Array
    offsets: Array
    converged: Array


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What is fitted.

    Convention: X [n, d] centred; targets [n, t] in [0, 1], one column per threshold; weight [n]; `starts` parts the rows
    into folds, rows starts[j] to starts[j + 1] being fold j; `counts` [n, v] says how often a row counts in a version,
    None for one version per fold, which lacks it, and a last one with all.
    """

    X: Floats
    targets: Floats
    weight: Floats
    starts: tuple[int, ...]
    counts: Array | None = None

    @property
    def versions(self) -> int:
        return len(self.starts) if self.counts is None else self.counts.shape[1]

    def weighed(self, values: Array) -> Array:
        """Values [n, v] by the weight of each row in each version."""
        values = values * self.weight[:, None]
        if self.counts is not None:
            return np.asarray(values * self.counts)
        for fold, (begin, end) in enumerate(pairwise(self.starts)):
            values[begin:end, fold] = 0.0
        return np.asarray(values)


class _Curvature:
    """The information of every version, factored for one penalty at a time."""

    def __init__(self, rows: Rows, weights: Array) -> None:
        """Weights [n, t]: of the working responses, without the rows' own."""
        parts = [
            _information(rows.X[begin:end], (weights[begin:end] * rows.weight[begin:end, None]).astype(rows.X.dtype))
            for begin, end in pairwise(rows.starts)
        ]
        whole = np.sum(parts, axis=0)
        self._informations = [whole] if rows.counts is not None else [*(whole - part for part in parts), whole]
        self._d = rows.X.shape[1]
        self._factors: list[tuple[Array, bool]] = []
        self._penalty = -1.0

    def steps(self, gradient: Array, penalty: float) -> Array:
        """[d + t, v]: Newton's steps."""
        from scipy.linalg import cho_factor, cho_solve

        if penalty != self._penalty:
            ridge = np.full(len(gradient), 1e-9)  # offsets are not penalised
            ridge[: self._d] = penalty
            self._factors = [cho_factor(one + np.diag(ridge), check_finite=False) for one in self._informations]
            self._penalty = penalty
        if len(self._factors) == 1:
            return np.asarray(cho_solve(self._factors[0], gradient, check_finite=False))
        columns = zip(self._factors, gradient.T, strict=True)
        return np.stack([cho_solve(factor, column, check_finite=False) for factor, column in columns], axis=1)


def _information(X: Floats, weights: Floats) -> Array:
    """[d + t, d + t] of rows X [n, d] with weights [n, t]."""
    d, t = X.shape[1], weights.shape[1]
    result = np.empty((d + t, d + t))  # float64, whatever the rows are
    result[:d, :d] = X.T @ (X * weights.sum(1)[:, None])
    result[:d, d:] = X.T @ weights
    result[d:, :d] = result[:d, d:].T
    result[d:, d:] = np.diag(weights.sum(0))
    return result


def fit_logits(
    rows: Rows, penalty: float, *, start: Logits | None = None, curvature: _Curvature | None = None, tol: float
) -> tuple[Logits, Array, _Curvature | None]:
    """Slopes and offsets of every version at one penalty, X @ slopes [n, v], and the curvature that was used last.

    The weight of |slope|^2 / 2 is `penalty`, against the negative log likelihood. Converged is a version whose Newton
    decrement is below tol times the total weight.
    """
    from scipy.special import expit

    d, t, v = rows.X.shape[1], rows.targets.shape[1], rows.versions
    state = np.zeros((d + t, v)) if start is None else np.concatenate([start.slopes, start.offsets])
    if start is None:
        share = np.average(rows.targets, axis=0, weights=rows.weight).clip(1e-6, 1 - 1e-6)
        state[d:] = np.log(share / (1.0 - share))[:, None]
    linear = _times(rows, state[:d])
    loss = _loss(rows, state, linear, penalty)
    before, converged = np.inf, np.zeros(v, dtype=bool)
    for _ in range(MAX_STEPS if rows.counts is None or v == 1 else DRAWN_STEPS):
        mu = [expit(linear + state[d + k].astype(linear.dtype)) for k in range(t)]
        residuals = [rows.weighed(mu[k] - rows.targets[:, k : k + 1]) for k in range(t)]
        gradient = np.concatenate(
            [
                rows.X.T @ np.sum(residuals, axis=0) + penalty * state[:d],
                [one.sum(0, dtype=np.float64) for one in residuals],
            ]
        )
        if curvature is None:
            curvature = _Curvature(rows, np.stack([(one * (1.0 - one)).mean(1) for one in mu], axis=1))
        steps = curvature.steps(gradient, penalty)
        decrement = np.einsum("pv,pv->v", gradient, steps)
        converged = decrement <= tol * rows.weight.sum()
        if converged.all():
            break
        if decrement.max() > SLOW * before:
            curvature = None
        before = float(decrement.max())
        state, linear, loss = _descend(rows, (state, linear, loss), steps, penalty)
    return Logits(state[:d], state[d:], converged), linear, curvature


def _descend(rows: Rows, at: tuple[Array, Array, Array], steps: Array, penalty: float) -> tuple[Array, Array, Array]:
    """Each version moved by its step, halved until its loss does not rise."""
    state, linear, loss = at
    d = rows.X.shape[1]
    moved = -_times(rows, steps[:d])
    share = np.ones(steps.shape[1])
    for _ in range(20):
        new, ahead = state - share * steps, linear + share.astype(linear.dtype) * moved
        reached = _loss(rows, new, ahead, penalty)
        worse = reached > loss + 10.0 * np.finfo(linear.dtype).eps * np.abs(loss)
        if not worse.any():
            break
        share = np.where(worse, share / 2.0, share)
    return new, ahead, reached


def _loss(rows: Rows, state: Array, linear: Array, penalty: float) -> Array:
    """[v]: penalised negative log likelihoods."""
    d = rows.X.shape[1]
    total = penalty / 2.0 * np.square(state[:d]).sum(0)
    for k in range(rows.targets.shape[1]):
        eta = linear + state[d + k].astype(linear.dtype)
        lost = np.logaddexp(0.0, eta, dtype=eta.dtype) - rows.targets[:, k : k + 1] * eta
        total = total + rows.weighed(lost).sum(0, dtype=np.float64)
    return np.asarray(total)


def _times(rows: Rows, columns: Array) -> Array:
    """X @ columns, as precise as X is."""
    return np.asarray(rows.X @ columns.astype(rows.X.dtype))


def cross_logits(rows: Rows, penalties: Sequence[float], *, tol: float = 1e-6) -> tuple[float, Logits, Array]:
    """The penalty with the lowest cross-validated deviance, its versions, and the linear part [n] across folds.

    Penalties are tried from the largest down, each starting where the one before ended, until two in a row are worse.
    """
    # half the time of float64, and enough to compare penalties
    X, targets, weight = (one.astype(np.float32) for one in (rows.X, rows.targets, rows.weight))
    rows = Rows(X, targets, weight, rows.starts)
    best: tuple[float, float, Logits, Array] | None = None
    now, curvature, rises, before = None, None, 0, np.inf
    for penalty in sorted(penalties, reverse=True):
        now, linear, curvature = fit_logits(rows, penalty, start=now, curvature=curvature, tol=tol)
        fold = fold_of(rows.starts)
        cross = linear[np.arange(len(linear)), fold].astype(np.float64)
        eta = cross[:, None] + now.offsets[:, fold].T
        loss = float(rows.weight @ (np.logaddexp(0.0, eta) - rows.targets * eta).sum(1))
        if best is None or loss < best[0]:
            best = (loss, penalty, now, cross)
        rises, before = (rises + 1 if loss > before else 0), loss
        if rises == 2:
            break
    assert best is not None
    return best[1:]


def fold_of(starts: Sequence[int]) -> Index:
    """[n]: the fold of each row."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))
