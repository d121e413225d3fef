"""Diagnostics of a fit: area under the ROC curve with its interval, separation, conditioning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .designs import Array, Index

Flags = NDArray[np.bool_]


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


def logistic_condition(X: Array, eta: Array, penalty: float) -> float:
    """Condition number of the penalised information matrix X'WX + penalty at the solution.

    Convention: X [n, d] centred as it was fitted, eta [n].
    """
    from scipy.special import expit

    mu = expit(eta)
    information = (X * (mu * (1.0 - mu))[:, None]).T @ X + penalty * np.eye(X.shape[1])
    return float(np.linalg.cond(information))
