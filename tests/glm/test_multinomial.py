"""Several classes at once: the slopes they were drawn from, and one class alone is the binary fit."""

from __future__ import annotations

import numpy as np
import pytest

from emogan_core.glm import covariance, fit_classes, fit_readout, read_response


def test_golden_classes_find_their_slopes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 6)) * [1, 1, 2, 0.5, 1, 1]
    slopes = np.stack([np.zeros(6), [1.5, 0, 0.3, 0, 0, 0], [0, 1.0, 0, 2.0, 0, 0]])
    classes = np.argmax(X @ slopes.T + rng.gumbel(size=(4000, 3)), axis=1)
    fits = fit_classes(X, classes, groups=np.arange(4000) // 2, metric=covariance(X), candidates=(1.0, 10.0))
    for fit, slope in zip(fits, slopes[1:], strict=True):
        np.testing.assert_allclose(fit.beta, slope, atol=0.2)
        assert fit.auc[1] < fit.auc[0] < fit.auc[2]
        assert fit.converged


def test_golden_one_class_is_the_binary_fit():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 4))
    smiles = rng.random(400) < 1 / (1 + np.exp(-X[:, 0]))
    given = {"groups": np.arange(400), "metric": np.eye(4), "candidates": (3.0,)}
    (together,) = fit_classes(X, smiles.astype(int), **given)
    alone = fit_readout(X, read_response(smiles.astype(float)), **given)
    np.testing.assert_allclose(together.beta, alone.beta, rtol=1e-3, atol=1e-4)
    assert together.intercept == pytest.approx(alone.intercept, abs=1e-3)


def test_error_a_class_of_one_person():
    with pytest.raises(ValueError, match="two or more of each"):
        fit_classes(np.eye(4), np.array([0, 0, 1, 1]), groups=np.array([0, 1, 2, 2]), metric=np.eye(4))
