"""Ridge regression over folds: every fold from the sums of the others, every penalty from one eigendecomposition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .designs import Array


def cross_ridge(
    X: Array, y: Array, weight: Array, starts: Sequence[int], penalties: Sequence[float]
) -> tuple[float, Array, float, Array]:
    """The penalty with the least cross-validated squared error, slope [d] and offset on all rows, prediction across folds [n].

    The weight of |slope|^2 is `penalty`, against the squared error. scikit-learn's RidgeCV has this shortcut for single
    rows left out, not for groups.

    Convention: X [n, d] in the order of the folds, fold j being rows starts[j] to starts[j + 1]; y [n]; weight [n].
    """
    sums = [_sums(X[begin:end], y[begin:end], weight[begin:end]) for begin, end in pairwise(starts)]
    whole = np.sum(sums, axis=0)
    cross = np.empty((len(y), len(penalties)))
    for fold, (begin, end) in enumerate(pairwise(starts)):
        slopes, offsets = _path(whole - sums[fold], penalties)
        cross[begin:end] = X[begin:end] @ slopes + offsets
    best = int(np.argmin(weight @ np.square(cross - y[:, None])))
    slopes, offsets = _path(whole, penalties)
    return float(penalties[best]), slopes[:, best], float(offsets[best]), cross[:, best]


def bootstrapped_ridge(X: Array, y: Array, counts: Array, penalty: float) -> tuple[Array, Array]:
    """Slopes [d, v] and offsets [v] of versions in which rows count `counts` [n, v] times."""
    paths = [_path(_sums(X, y, column), [penalty]) for column in counts.T]
    return np.concatenate([slopes for slopes, _ in paths], axis=1), np.concatenate([offsets for _, offsets in paths])


def _sums(X: Array, y: Array, weight: Array) -> Array:
    """[d + 2, d + 2]: weighted products of columns X, y and 1."""
    columns = np.column_stack([X, y, np.ones(len(y))])
    return np.asarray(columns.T @ (columns * weight[:, None]))


def _path(sums: Array, penalties: Sequence[float]) -> tuple[Array, Array]:
    """Slopes [d, p] and offsets [p] at every penalty."""
    mean = sums[-1, :-1] / sums[-1, -1]
    centred = sums[:-1, :-1] - sums[-1, -1] * np.outer(mean, mean)
    values, vectors = np.linalg.eigh(centred[:-1, :-1])
    shrunk = (vectors.T @ centred[:-1, -1])[:, None] / (values.clip(0.0)[:, None] + np.asarray(penalties))
    slopes = vectors @ shrunk
    return slopes, mean[-1] - mean[:-1] @ slopes
