"""What rows that took no part in a fit say about it: its ROC curve and how far its numbers can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .designs import Array
from .diagnostics import Flags

MOST_POINTS, MOST_BINS = 50, 10
LEAST_IN_BIN = 8
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Validation:
    """A ROC curve and a calibration curve of cross-validated readouts, small enough to be kept with an axis.

    Convention: `false_rate` and `true_rate` are the shares of rows without and with the expression that lie above a
    falling threshold, from 0 to 1. Rows are put into groups of about the same number, in order of what the readout tells
    of them: `told` is the mean of that, `found` the mean of what their labels say, `rows` how many they are. `unit` is
    "probability", or "label" where the label itself is told. All are empty where nothing was validated.
    """

    false_rate: tuple[float, ...] = ()
    true_rate: tuple[float, ...] = ()
    told: tuple[float, ...] = ()
    found: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()
    unit: str = "probability"


def roc(eta: Array, shown: Flags) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The shares of rows without and with the expression above a falling threshold, at up to `MOST_POINTS` thresholds.

    Convention: eta [n]; shown [n] with both kinds present.
    """
    from sklearn.metrics import roc_curve  # slow to import, and only fits need it

    false, true, _ = roc_curve(shown, eta)
    if len(false) > MOST_POINTS:
        along = false + true  # how far along the curve: corners lie close, flat stretches apart
        kept = np.unique(np.searchsorted(along, np.linspace(0.0, 2.0, MOST_POINTS)).clip(0, len(along) - 1))
        false, true = false[kept], true[kept]
    return _short(false), _short(true)


def calibration(told: Array, found: Array) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
    """Means of what was told and of what was found, in up to `MOST_BINS` groups of rows, and how many rows each has.

    Convention: told, found [n] in one unit; fewer groups where rows are few.
    """
    groups = np.array_split(np.argsort(told, kind="stable"), max(1, min(MOST_BINS, len(told) // LEAST_IN_BIN)))
    told_means, found_means = ([values[group].mean() for group in groups] for values in (told, found))
    return _short(told_means), _short(found_means), tuple(len(group) for group in groups)


def validate(eta: Array, shown: Flags, *, found: Array, is_logit: bool) -> Validation:
    """Both curves of cross-validated eta [n]: log odds of `found` [n] in 0..1 for logits, otherwise `found` itself."""
    from scipy.special import expit

    false, true = roc(eta, shown)
    told, means, rows = calibration(expit(eta) if is_logit else eta, found)
    return Validation(false, true, told, means, rows, "probability" if is_logit else "label")


def _short(values: Array | list[float]) -> tuple[float, ...]:
    return tuple(round(float(value), _DIGITS) for value in values)
