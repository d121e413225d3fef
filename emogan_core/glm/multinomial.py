"""Several exclusive expressions and neutral in one multinomial logit, instead of each against neutral alone."""

from __future__ import annotations

import warnings

import numpy as np

from .designs import Array, Index
from .diagnostics import FitWarning, auc_with_interval, condition_number, is_separated
from .folds import group_folds
from .geometry import inverse_root
from .readout import FOLDS, PENALTIES, ReadoutFit
from .validation import validate


def fit_classes(
    X: Array,
    classes: Index,
    *,
    groups: Index,
    metric: Array,
    sample_weight: Array | None = None,
    candidates: tuple[float, ...] = PENALTIES,
) -> list[ReadoutFit]:
    """Fit the log odds of every class against class 0 together, at one penalty that cross-validation over groups chooses.

    A rare class borrows the common spread of the others, but cannot have a penalty of its own. beta of class k is the
    difference of its coefficients and those of class 0.

    Convention: X [n, d]; classes [n] from 0, all of 0..k there; metric as fit_readout. Returns k fits; cross_eta of each
    covers the rows of its own class and of class 0, in their order.
    Raises: ValueError when a class comes from fewer than two groups.
    """
    from sklearn.exceptions import ConvergenceWarning  # slow to import, and only fits need it
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    count = int(classes.max()) + 1
    holders = [len(np.unique(groups[classes == one])) for one in range(count)]
    if min(holders) < 2:
        raise ValueError(f"the classes come from {', '.join(map(str, holders))} groups; needed are two or more of each")
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    root = inverse_root(metric)
    centre = np.average(X, axis=0, weights=weight)
    white = (X - centre) @ root  # [n, d]
    folds = group_folds(groups, classes, min(FOLDS, *holders))
    losses: list[float] = []
    best, cross = candidates[0], np.zeros((len(X), count))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for penalty in sorted(candidates, reverse=True):
            model = LogisticRegression(C=1.0 / penalty, max_iter=500, tol=1e-5)
            told = cross_val_predict(
                model, white, classes, cv=folds, method="predict_log_proba", params={"sample_weight": weight}
            )
            losses.append(-float(weight @ told[np.arange(len(X)), classes]))
            if losses[-1] == min(losses):
                best, cross = penalty, told
            if len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]:
                break
        final = LogisticRegression(C=1.0 / best, max_iter=500, tol=1e-6).fit(white, classes, sample_weight=weight)
    converged = bool(final.n_iter_.max() < 500)
    note = "the classes together did not converge in 500 steps; look for pictures labelled wrongly, or fit each alone"
    if not converged:
        warnings.warn(note, FitWarning, stacklevel=2)
    slopes = np.atleast_2d(final.coef_)
    if count == 2:  # scikit-learn then gives the difference itself
        slopes, offsets = np.concatenate([0.0 * slopes, slopes]), np.array([0.0, float(final.intercept_[0])])
    else:
        offsets = final.intercept_
    fits = []
    for one in range(1, count):
        rows = (classes == one) | (classes == 0)
        slope, offset = slopes[one] - slopes[0], float(offsets[one] - offsets[0])
        positive, eta = classes[rows] == one, white[rows] @ slope + offset
        across = cross[rows, one] - cross[rows, 0]
        beta = root @ slope
        fits.append(
            ReadoutFit(
                family="binary",
                beta=beta,
                intercept=float(offset - centre @ beta),
                penalties=(best,),
                cross_eta=across,
                auc=auc_with_interval(across, positive, np.unique(groups[rows], return_inverse=True)[1]),
                converged=converged,
                separated=is_separated(eta, positive),
                condition_number=condition_number(white[rows], weight[rows], best, eta),
                validation=validate(across, positive, found=positive.astype(np.float64), is_logit=True),
                notes=() if converged else (note,),
            )
        )
    return fits
