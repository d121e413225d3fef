"""ROC and calibration curves: where they begin and end, what they measure, and that they stay small."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from emogan_core.glm import calibration, read_response, roc
from emogan_core.glm.diagnostics import auc_with_interval
from emogan_core.glm.readout import fit_readout
from emogan_core.glm.validation import MOST_BINS, MOST_POINTS, validate


def drawn(n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Log odds, and labels that come true as often as they say."""
    rng = np.random.default_rng(3)
    eta = rng.normal(0, 2, n)
    return eta, rng.random(n) < expit(eta)


def test_golden_area_under_the_curve_is_the_auc() -> None:
    eta, shown = drawn()
    false, true = roc(eta, shown)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert len(false) == len(true) <= MOST_POINTS
    assert np.all(np.diff(false) >= 0)
    assert np.all(np.diff(true) >= 0)
    area = auc_with_interval(eta, shown, np.arange(len(eta)))[0]
    assert np.trapezoid(true, false) == pytest.approx(area, abs=0.005)


def test_golden_what_comes_true_lies_on_the_line_and_overconfidence_does_not() -> None:
    eta, shown = drawn()
    honest = validate(eta, shown, found=shown.astype(float), is_logit=True)
    loud = validate(4 * eta, shown, found=shown.astype(float), is_logit=True)
    assert np.abs(np.subtract(honest.told, honest.found)).max() < 0.08
    assert np.abs(np.subtract(loud.told, loud.found)).max() > 0.15
    assert sum(honest.rows) == len(eta)
    assert len(honest.rows) == MOST_BINS
    assert honest.unit == "probability"


def test_shape_few_rows_make_few_groups() -> None:
    told, found, rows = calibration(np.arange(20.0), np.arange(20.0))
    assert rows == (10, 10)
    assert told == found == (4.5, 14.5)
    assert calibration(np.zeros(3), np.ones(3)) == ((0.0,), (1.0,), (3,))


@pytest.mark.parametrize("family", ["binary", "ordered", "gaussian", "two-part", "soft"])
def test_shape_every_family_has_both_curves(family: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    level = X[:, 0] + 0.5 * rng.normal(size=200)
    labels = {
        "binary": (level > 0).astype(float),
        "ordered": np.clip(np.round(level + 1), 0, 2),
        "gaussian": 10 * level,
        "two-part": np.maximum(level, 0),
        "soft": expit(level),
    }[family]
    fit = fit_readout(X, read_response(labels, family), groups=np.arange(200), metric=np.eye(3))
    told = fit.validation
    assert np.trapezoid(told.true_rate, told.false_rate) > 0.8
    assert told.unit == ("probability" if family in ("binary", "ordered", "soft") else "label")
    assert np.corrcoef(told.told, told.found)[0, 1] > 0.9
    assert np.abs(np.subtract(told.told, told.found)).mean() < 0.15 * np.ptp(told.found)
