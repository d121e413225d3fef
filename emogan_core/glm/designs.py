"""What stands on the right-hand side of a fit: expressions against neutral, people, covariates."""

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


def standardise(values: Array, sample_weight: Array | None = None) -> tuple[Array, Array, Array]:
    """Columns with mean 0 and standard deviation 1, with the means and deviations taken out.

    Convention: values [n, c]; a constant column becomes zeros (deviation 1).
    """
    weight = np.ones(len(values)) if sample_weight is None else sample_weight
    weight = weight / weight.sum()
    mean = weight @ values
    centred = values - mean
    deviation = np.sqrt(weight @ np.square(centred))
    deviation = np.where(deviation > 1e-12 * (1.0 + np.abs(mean)), deviation, 1.0)
    return centred / deviation, mean, deviation


def group_means(values: Array, groups: Index, sample_weight: Array) -> tuple[Array, Array]:
    """Weighted mean of each group and the weight it rests on.

    Convention: values [n, c]; returns [g, c] and [g].
    """
    total = np.asarray(np.bincount(groups, weights=sample_weight), dtype=np.float64)
    sums = np.zeros((len(total), values.shape[1]))
    np.add.at(sums, groups, values * sample_weight[:, None])
    return sums / np.maximum(total, np.finfo(float).tiny)[:, None], total


def absorb(values: Array, groups: Index, *, penalty: float, sample_weight: Array) -> Array:
    """Values after a ridge-penalised intercept per group was taken out of them.

    Regressing absorbed on absorbed columns equals ridge regression with one dummy per group whose squared
    coefficients cost `penalty`: 0 is fixed effects (centring within groups; a group of one vanishes), infinity leaves
    the values alone, and between them a group of weight m keeps the share sqrt(penalty / (penalty + m)) of its mean.

    Convention: values [n, c], an intercept column among them; returns [n, c].
    Source: random effects as quasi-demeaning, Baltagi, Econometric Analysis of Panel Data, chapter 2.
    """
    if np.isinf(penalty):
        return values
    means, total = group_means(values, groups, sample_weight)
    kept = np.sqrt(penalty / (penalty + total))
    return values - (1.0 - kept)[groups, None] * means[groups]


def deal_groups(groups: Index, classes: Index, parts: int, *, rng: np.random.Generator | None = None) -> Index:
    """Deal whole groups out to `parts`, so that each part gets its share of every class.

    Groups are sorted by the make-up of their rows and dealt like cards; `rng` shuffles groups of the same make-up.
    (scikit-learn's StratifiedGroupKFold weighs every group against every part: a minute for five thousand people.)

    Convention: groups, classes [n] integers from 0; returns the part of each row, [n].
    """
    made_of = np.zeros((int(groups.max()) + 1, int(classes.max()) + 1), dtype=np.int64)
    np.add.at(made_of, (groups, classes), 1)
    tie = np.arange(len(made_of)) if rng is None else rng.permutation(len(made_of))
    rarest_last = np.argsort(-made_of.sum(axis=0), kind="stable")
    order = np.lexsort((tie, *made_of[:, rarest_last].T))
    part = np.empty(len(made_of), dtype=np.int64)
    part[order] = np.arange(len(made_of)) % parts
    return part[groups]
