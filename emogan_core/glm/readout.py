"""The readout model: an expression regressed on the latent, by the family of its label."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from .binomial import MAX_STEPS, Logits, Rows, cross_logits, fit_logits, fold_of
from .designs import Array, Index
from .diagnostics import FitWarning, auc_with_interval, concordance, condition_number, is_separated
from .families import Family, Response
from .folds import group_folds
from .gaussian import bootstrapped_ridge, cross_ridge
from .geometry import inverse_root
from .validation import Validation, validate

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""Candidate weights of |beta|^2 / 2 in the whitened space; the one with the lowest cross-validated deviance wins."""
FOLDS = 5
LOGITS = ("binary", "soft", "ordered")
EXACT, DRAWN = 1e-15, 1e-5  # decrements at which the final fit ends, and a bootstrap's
IMBALANCED = 20  # one in so many of the rarer kind is told


@dataclass(frozen=True, slots=True)
class ReadoutFit:
    """A fitted readout: eta = latent @ beta + intercept.

    Convention: beta [d]; eta is the log odds of the expression against neutral (binary, soft), of lying above the middle
    threshold (ordered), or the label itself: expected (gaussian), or expected to first order (two-part). cross_eta [n]
    comes from fits that never saw the row's group. `auc` with its 95 % interval is the chance that of two rows with
    different labels the one with more has the larger cross_eta. `validation` has the curves of cross_eta. `notes` say in
    words what is wrong with the fit.
    """

    family: Family
    beta: Array
    intercept: float
    penalties: tuple[float, ...]
    cross_eta: Array
    auc: tuple[float, float, float]
    converged: bool
    separated: bool
    condition_number: float
    validation: Validation
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Solved:
    """Slope [d] in the whitened space, offset, each part's penalty, eta [n] across folds, and how it went."""

    slope: Array
    offset: float
    penalties: tuple[float, ...]
    cross: Array
    converged: bool = True


def fit_readout(
    X: Array,
    response: Response,
    *,
    groups: Index,
    metric: Array,
    sample_weight: Array | None = None,
    candidates: tuple[float, ...] = PENALTIES,
    folds: int = FOLDS,
) -> ReadoutFit:
    """Fit a label on latents whitened by `metric`, the penalty chosen by cross-validation over groups.

    Binary, soft and ordered labels: logits, those of ordered levels with one slope. Gaussian: ridge regression. Two-part: a
    logit of whether the label is above 0, ridge regression of how much where it is, and as beta the gradient of the
    expected label, averaged over the rows.

    Convention: X [n, d]; groups [n]; metric [d, d], the covariance whose whitened space is penalised, so that an affine
    change of X and metric together changes nothing but the coordinates of beta.
    Raises: ValueError when fewer groups than two hold the expression, or none of it.
    """
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    root = inverse_root(metric)
    centre = np.average(X, axis=0, weights=weight)
    order, starts = _in_folds(response, groups, folds)
    white = ((X - centre) @ root)[order]  # [n, d]
    own, weighed = response.y[order], weight[order]
    solved = _solve(response.family, white, own, weighed, starts, candidates)
    cross = np.empty(len(X))
    cross[order] = solved.cross
    eta = white @ solved.slope + solved.offset
    beta = root @ solved.slope
    positive = response.shown > 0.5
    separated = response.family in LOGITS and is_separated(eta, positive[order])
    fit = ReadoutFit(
        family=response.family,
        beta=beta,
        intercept=float(solved.offset - centre @ beta),
        penalties=solved.penalties,
        cross_eta=cross,
        auc=(
            auc_with_interval(cross, positive, groups)
            if response.family == "binary"
            else concordance(cross, response.y, groups)
        ),
        converged=solved.converged,
        separated=separated,
        condition_number=condition_number(
            white, weighed, solved.penalties[0], eta if response.family in LOGITS else None
        ),
        validation=validate(cross, positive, found=_found(response), is_logit=response.family in LOGITS),
    )
    fit = replace(fit, notes=_notes(fit, response))
    if not fit.converged:
        warnings.warn(fit.notes[0], FitWarning, stacklevel=2)
    return fit


def fit_slope(
    X: Array,
    response: Response,
    *,
    metric: Array,
    penalties: tuple[float, ...],
    sample_weight: Array | None = None,
) -> Array:
    """The slope beta alone, at penalties that a fit_readout chose and without cross-validation.

    Convention: as fit_readout; returns [d].
    """
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    return slopes_of(X, response, metric=metric, penalties=penalties, counts=weight[:, None])[:, 0]


def slopes_of(X: Array, response: Response, *, metric: Array, penalties: tuple[float, ...], counts: Array) -> Array:
    """Slopes beta [d, v] of versions in which rows count `counts` [n, v] times, a bootstrap's draws for one.

    Convention: as fit_readout.
    """
    root = inverse_root(metric)
    white = (X - np.average(X, axis=0, weights=counts.sum(1))) @ root  # [n, d]
    return np.asarray(root @ _slopes(response.family, white, response.y, counts, penalties))


def _in_folds(response: Response, groups: Index, folds: int) -> tuple[Index, tuple[int, ...]]:
    """The order of rows in which folds lie one after another, and where each begins."""
    positive = response.shown > 0.5
    holders = [len(np.unique(groups[positive])), len(np.unique(groups[~positive]))]
    if min(holders) < 2:
        raise ValueError(
            f"the pictures with the expression come from {holders[0]} groups (people, where they are named), those "
            f"without from {holders[1]}; two or more of each are needed: add people"
        )
    parts = [test for _, test in group_folds(groups, positive.astype(np.int64), min(folds, *holders))]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    return np.concatenate(parts), tuple(int(start) for start in starts)


def _targets(family: Family, y: Array) -> Array:
    """[n, t]: the logits' targets, one for each threshold between ordered levels."""
    if family == "ordered":
        return np.asarray(y[:, None] > np.arange(y.max()), dtype=np.float64)
    return y[:, None]


def _found(response: Response) -> Array:
    """What eta is about, [n]: of ordered levels whether they lie above the middle threshold."""
    if response.family != "ordered":
        return response.y
    targets = _targets("ordered", response.y)
    return np.asarray(targets[:, targets.shape[1] // 2])


def _solve(
    family: Family, X: Array, y: Array, weight: Array, starts: tuple[int, ...], candidates: tuple[float, ...]
) -> _Solved:
    if family == "gaussian":
        penalty, slope, offset, cross = cross_ridge(X, y, weight, starts, candidates)
        return _Solved(slope, offset, (penalty,), cross)
    if family == "two-part":
        return _two_part(X, y, weight, starts, candidates)
    targets = _targets(family, y)
    penalty, versions, cross = cross_logits(Rows(X, targets, weight, starts), candidates)
    full = Logits(versions.slopes[:, -1:], versions.offsets[:, -1:], versions.converged[-1:])
    final = fit_logits(_versions(X, targets, weight[:, None]), penalty, start=full, tol=EXACT)[0]
    middle = final.offsets.shape[0] // 2  # of the thresholds between ordered levels
    across = cross + versions.offsets[middle, fold_of(starts)]
    return _Solved(final.slopes[:, 0], float(final.offsets[middle, 0]), (penalty,), across, bool(final.converged[0]))


def _versions(X: Array, targets: Array, counts: Array) -> Rows:
    """Rows that count as often as they weigh, in versions of their own."""
    return Rows(X, targets, np.ones(len(X)), (0, len(X)), counts)


def _two_part(X: Array, y: Array, weight: Array, starts: tuple[int, ...], candidates: tuple[float, ...]) -> _Solved:
    """Both parts, and the gradient of the expected label averaged over the rows."""
    from scipy.special import expit

    above = (y > 0.0).astype(np.float64)
    whether = _solve("binary", X, above, weight, starts, candidates)
    much = _solve("gaussian", X, y, weight * above, starts, candidates)  # a row of weight 0 is predicted all the same
    slope = _gradient(X, weight, (whether.slope, whether.offset), (much.slope, much.offset))
    cross = expit(whether.cross) * np.maximum(much.cross, 0.0)
    offset = float(np.average(y - X @ slope, weights=weight))
    return _Solved(slope, offset, (*whether.penalties, *much.penalties), cross, whether.converged)


def _gradient(X: Array, weight: Array, whether: tuple[Array, float], much: tuple[Array, float]) -> Array:
    """[d]: the mean gradient of P(y > 0) E(y | y > 0); each part is its slope and offset."""
    from scipy.special import expit

    chance, amount = expit(X @ whether[0] + whether[1]), np.maximum(X @ much[0] + much[1], 0.0)
    first = float(np.average(chance * (1.0 - chance) * amount, weights=weight))
    return np.asarray(first * whether[0] + float(np.average(chance, weights=weight)) * much[0])


def _slopes(family: Family, X: Array, y: Array, counts: Array, penalties: tuple[float, ...]) -> Array:
    """[d, v] in the whitened space."""
    if family == "gaussian":
        return bootstrapped_ridge(X, y, counts, penalties[0])[0]
    tol = EXACT if counts.shape[1] == 1 else DRAWN
    if family != "two-part":
        return fit_logits(_versions(X, _targets(family, y), counts), penalties[0], tol=tol)[0].slopes
    above = (y > 0.0).astype(np.float64)
    whether = fit_logits(_versions(X, above[:, None], counts), penalties[0], tol=tol)[0]
    slopes, offsets = bootstrapped_ridge(X, y, counts * above[:, None], penalties[1])
    parts = zip(counts.T, whether.slopes.T, whether.offsets[0], slopes.T, offsets, strict=True)
    return np.stack([_gradient(X, own, (a, float(b)), (c, float(d))) for own, a, b, c, d in parts], axis=1)


def _notes(fit: ReadoutFit, response: Response) -> tuple[str, ...]:
    """What is wrong with a fit, and what to do."""
    notes = []
    shown = int(response.shown.sum())
    rare = min(shown, len(response.y) - shown)
    if not fit.converged:
        notes.append(
            f"the readout did not converge in {MAX_STEPS} steps; look for pictures labelled wrongly, or for codes far "
            "from all others"
        )
    if fit.separated:
        notes.append(
            f"the codes tell all {len(response.y)} pictures apart without an error, so only the penalty "
            f"({fit.penalties[0]:g}) bounds the readout and its log odds are no probabilities; more pictures, slighter "
            "ones among them, would settle it"
        )
    if rare * IMBALANCED < len(response.y):
        notes.append(
            f"only {rare} of {len(response.y)} pictures {'is' if rare == 1 else 'are'} of the rarer kind; the intervals are wide: add such pictures"
        )
    if fit.auc[1] <= 0.5:
        notes.append(
            "on people it was not fitted on the readout may know no more than chance; check the labels, or add pictures"
        )
    return tuple(notes)
