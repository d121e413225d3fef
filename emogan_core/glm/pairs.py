"""Pairs of pictures of one person, before and after: conditional logistic regression, in which the person drops out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..wording import counted
from .designs import Array, Index
from .diagnostics import Flags
from .families import Response
from .readout import PENALTIES, ReadoutFit, fit_readout


def pair_rows(positive: Flags, pairs: Index) -> tuple[Index, Index]:
    """Rows before and rows after, one of each for every pair.

    Convention: positive [n] is after; pairs [n] integers, below 0 for rows that are in none.
    Raises: ValueError for a pair that has not just one row of each kind, or no pair at all.
    """
    paired = pairs >= 0
    after, before = (np.flatnonzero(paired & kind) for kind in (positive, ~positive))
    after, before = after[np.argsort(pairs[after])], before[np.argsort(pairs[before])]
    odd = np.setxor1d(pairs[after], pairs[before])
    repeated = [rows[1:][np.diff(pairs[rows]) == 0] for rows in (after, before)]
    alone = len(odd) + sum(len(rows) for rows in repeated)
    if alone or not len(after):
        raise ValueError(
            f"{counted(len(after), 'picture')} with the expression and {len(before)} without are in pairs, and "
            f"{alone} of them {'has' if alone == 1 else 'have'} no partner of {'its' if alone == 1 else 'their'} own; a pair is one "
            "picture with and one without"
        )
    return before, after


def fit_pairs(
    X: Array,
    positive: Flags,
    pairs: Index,
    *,
    groups: Index,
    metric: Array,
    sample_weight: Array | None = None,
    candidates: tuple[float, ...] = PENALTIES,
) -> ReadoutFit:
    """Fit the log odds of which picture of a pair shows the expression, from the difference of their codes.

    The likelihood conditional on the pair is a logit of differences without intercept: every difference is taken both
    ways round. cross_eta [2 p] and the area under the ROC curve are about these; the intercept is such that eta is 0 half
    way between the means before and after.

    Convention: as fit_readout; pairs as pair_rows. A pair weighs the mean of its rows.
    Raises: ValueError.
    Source: Breslow and Day, Statistical Methods in Cancer Research I (1980), chapter VII.
    """
    before, after = pair_rows(positive, pairs)
    change = X[after] - X[before]
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    both = np.arange(2 * len(change)) < len(change)
    fit = fit_readout(
        np.concatenate([change, -change]),
        Response("binary", both.astype(np.float64), both.astype(np.float64)),
        groups=np.tile(groups[after], 2),
        metric=metric,
        sample_weight=np.tile((weight[after] + weight[before]) / 2.0, 2) / 2.0,
        candidates=candidates,
    )
    middle = (X[after].mean(axis=0) + X[before].mean(axis=0)) / 2.0
    return replace(fit, intercept=float(-middle @ fit.beta))
