"""Design matrices: expressions against neutral, people as groups, covariates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def one_hot(labels: Sequence[str], names: Sequence[str]) -> Array:
    """Treatment coding: column k is 1 where the label is names[k]; a row of zeros is the reference (neutral).

    Convention: returns [n, k].
    """
    given = np.asarray(labels, dtype=object)
    return np.stack([(given == name).astype(np.float64) for name in names], axis=1)


def group_index(groups: Sequence[str] | None, n: int) -> Index:
    """Groups as integers 0..g-1 in order of name; without groups every row is its own.

    Convention: returns [n].
    """
    if groups is None:
        return np.arange(n)
    return np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1].astype(np.int64)


def standardise(values: Array) -> Array:
    """Columns with mean 0 and standard deviation 1; a constant column becomes zeros.

    Convention: values [n, c], c may be 0.
    """
    if not values.shape[1]:
        return values  # scikit-learn refuses to scale nothing
    from sklearn.preprocessing import StandardScaler  # slow to import, and only fits need it

    return np.asarray(StandardScaler().fit_transform(values), dtype=np.float64)


def group_means(values: Array, groups: Index, sample_weight: Array) -> tuple[Array, Array]:
    """Weighted mean of each group, and its total weight.

    Convention: values [n, c]; returns [g, c] and [g].
    """
    total = np.asarray(np.bincount(groups, weights=sample_weight), dtype=np.float64)
    sums = np.zeros((len(total), values.shape[1]))
    np.add.at(sums, groups, values * sample_weight[:, None])
    return sums / np.maximum(total, np.finfo(float).tiny)[:, None], total


def absorb(values: Array, groups: Index, *, penalty: float, sample_weight: Array) -> Array:
    """Values less a ridge-penalised intercept per group.

    Regressing absorbed on absorbed columns equals ridge regression with one dummy per group whose squared
    coefficients cost `penalty`: 0 is fixed effects (centring within groups; a group of one vanishes), infinity leaves
    the values unchanged, and between them a group of weight m keeps the share sqrt(penalty / (penalty + m)) of its mean.

    Convention: values [n, c], an intercept column among them; returns [n, c].
    Source: random effects as quasi-demeaning, Baltagi, Econometric Analysis of Panel Data, chapter 2.
    """
    if np.isinf(penalty):
        return values
    means, total = group_means(values, groups, sample_weight)
    kept = np.sqrt(penalty / (penalty + total))
    return values - (1.0 - kept)[groups, None] * means[groups]
