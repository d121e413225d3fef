"""Diagnostics of a fit: area under the ROC curve with its interval, its like for other labels, separation, conditioning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .designs import Array, Index

Flags = NDArray[np.bool_]

MOST_COMPARED = 3000
DRAWS = 200


class FitWarning(UserWarning):
    """A fit that did not converge; the message has the numbers and what to do."""


def auc_with_interval(eta: Array, positive: Flags, groups: Index) -> tuple[float, float, float]:
    """Area under the ROC curve and its 95 % interval, with rows of one group (a person) treated as a cluster.

    Convention: eta [n], positive [n] bool with both kinds present; returns (area, low, high) within [0, 1].
    Source: Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 53 (1997) 567-578; the interval
    is taken on the logit of the area so that it stays inside.
    """
    pos, neg = eta[positive], eta[~positive]
    from scipy.special import expit, logit  # slow to import, and only fits need it
    from scipy.stats import norm, rankdata

    everyone = rankdata(np.concatenate([pos, neg]))
    place_pos = (everyone[: len(pos)] - rankdata(pos)) / len(neg)  # share of the other class below each row
    place_neg = 1.0 - (everyone[len(pos) :] - rankdata(neg)) / len(pos)
    area = float(place_pos.mean())
    g = int(groups.max()) + 1
    s_pos = np.bincount(groups[positive], weights=place_pos - area, minlength=g) / len(pos)
    s_neg = np.bincount(groups[~positive], weights=place_neg - area, minlength=g) / len(neg)
    deviation = float(np.sqrt(np.sum(np.square(s_pos + s_neg))))
    if deviation == 0.0 or not 0.0 < area < 1.0:
        return area, area, area
    half = norm.ppf(0.975) * deviation / (area * (1.0 - area))
    return area, float(expit(logit(area) - half)), float(expit(logit(area) + half))


def is_separated(eta: Array, positive: Flags) -> bool:
    """Whether one threshold on the fitted eta splits the classes without an error: the plain slope is then infinite."""
    return bool(eta[positive].min() > eta[~positive].max())


def condition_number(X: Array, weight: Array, penalty: float, eta: Array | None) -> float:
    """Condition number of the penalised information matrix X'WX + penalty at the solution.

    Convention: X [n, d] centred as it was fitted, weight [n]; eta [n] of a logit, None where the variance is constant.
    """
    from scipy.special import expit

    variance = np.ones(len(X)) if eta is None else expit(eta) * (1.0 - expit(eta))
    information = X.T @ (X * (weight * variance)[:, None]) + penalty * np.eye(X.shape[1])
    return float(np.linalg.cond(information))


def concordance(eta: Array, y: Array, groups: Index, *, seed: int = 0) -> tuple[float, float, float]:
    """The chance that of two rows with different labels the one with more has the larger eta, and its 95 % interval.

    The same as the area under the ROC curve where there are two labels. The interval is a bootstrap over groups
    (people), of at most `MOST_COMPARED` rows.

    Convention: eta, y [n]; returns (chance, low, high) within [0, 1].
    """
    draws, chosen = [], np.arange(len(y))
    rng = np.random.default_rng(seed)
    if len(y) > MOST_COMPARED:
        share = MOST_COMPARED / len(y)
        chosen = np.flatnonzero((rng.random(int(groups.max()) + 1) < share)[groups])
    members = np.split(chosen[np.argsort(groups[chosen], kind="stable")], np.cumsum(np.bincount(groups[chosen]))[:-1])
    members = [rows for rows in members if len(rows)]
    for _ in range(DRAWS):
        rows = np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
        draws.append(_concordance(eta[rows], y[rows]))
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return _concordance(eta, y), float(low), float(high)


def _concordance(eta: Array, y: Array) -> float:
    """NaN where all labels are the same."""
    from scipy.stats import kendalltau

    def pairs(values: Array) -> float:
        counts = np.unique(values, return_counts=True)[1]
        return float(len(values) * (len(values) - 1) - (counts * (counts - 1.0)).sum())

    different = pairs(y)
    if not different:
        return float("nan")
    if np.ptp(eta) == 0.0:
        return 0.5
    agreed = float(kendalltau(eta, y).statistic) * np.sqrt(different * pairs(eta))
    return float(0.5 + 0.5 * agreed / different)
