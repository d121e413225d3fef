"""The readout model against statsmodels and scikit-learn, and its invariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from toy import toy

from emogan_core.glm import (
    FitWarning,
    auc_with_interval,
    covariance,
    fit_readout,
    fit_slope,
    group_folds,
    read_response,
)


@pytest.fixture(scope="module")
def world():
    """Two classes that overlap: half of what separates them is taken away."""
    made = toy(np.random.default_rng(5), people=150, pictures=2, dims=5, noise=1.5)
    positive = np.array([label == "smile" for label in made.labels])
    return replace(made, X=made.X - 0.5 * np.outer(positive, made.truth)), positive


def test_golden_statsmodels_without_penalty(world):
    """A vanishing penalty is plain maximum likelihood, whatever the metric."""
    sm = pytest.importorskip("statsmodels.api")
    made, positive = world
    reference = sm.GLM(positive.astype(float), sm.add_constant(made.X), family=sm.families.Binomial()).fit()
    fit = fit_readout(
        made.X, read_response(positive), groups=made.people, metric=covariance(made.X), candidates=(1e-6,)
    )
    np.testing.assert_allclose(fit.beta, reference.params[1:], rtol=1e-3, atol=1e-4)
    assert fit.intercept == pytest.approx(reference.params[0], rel=1e-3, abs=1e-4)
    assert fit.converged
    assert not fit.separated


def test_invariance_weight_two_is_row_twice(world):
    made, positive = world
    weight = 1 + (np.arange(len(positive)) % 2)
    metric = covariance(made.X)
    weighted = fit_readout(
        made.X,
        read_response(positive),
        groups=made.people,
        metric=metric,
        sample_weight=weight.astype(float),
        candidates=(3.0,),
    )
    doubled = fit_readout(
        made.X.repeat(weight, axis=0),
        read_response(positive.repeat(weight)),
        groups=made.people.repeat(weight),
        metric=metric,
        candidates=(3.0,),
    )
    np.testing.assert_allclose(weighted.beta, doubled.beta, rtol=1e-4)
    assert weighted.intercept == pytest.approx(doubled.intercept, rel=1e-4)


def test_invariance_affine_change_of_coordinates(world):
    """Whitened by a covariance that moves along, eta is the same in any coordinates."""
    made, positive = world
    A = np.random.default_rng(1).normal(size=(5, 5)) + 3.0 * np.eye(5)
    metric = covariance(made.X)
    plain = fit_readout(made.X, read_response(positive), groups=made.people, metric=metric)
    moved = fit_readout(made.X @ A.T + 4.0, read_response(positive), groups=made.people, metric=A @ metric @ A.T)
    np.testing.assert_allclose(moved.cross_eta, plain.cross_eta, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(A.T @ moved.beta, plain.beta, rtol=1e-3, atol=1e-3)


def test_invariance_order_of_rows(world):
    made, positive = world
    order = np.random.default_rng(2).permutation(len(positive))
    plain = fit_readout(made.X, read_response(positive), groups=made.people, metric=covariance(made.X))
    mixed = fit_readout(
        made.X[order], read_response(positive[order]), groups=made.people[order], metric=covariance(made.X)
    )
    np.testing.assert_allclose(mixed.beta, plain.beta, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(mixed.cross_eta, plain.cross_eta[order], rtol=1e-3, atol=1e-4)


def test_golden_slope_alone_is_the_same(world):
    made, positive = world
    metric = covariance(made.X)
    whole = fit_readout(made.X, read_response(positive), groups=made.people, metric=metric, candidates=(2.0,))
    np.testing.assert_allclose(
        fit_slope(made.X, read_response(positive), metric=metric, penalties=(2.0,)), whole.beta, rtol=1e-6
    )


def test_golden_area_and_cluster_interval(world):
    """The area is scikit-learn's; copies of a person must not make the interval narrower."""
    made, positive = world
    eta = made.X @ made.truth
    area, low, high = auc_with_interval(eta, positive, made.people)
    assert area == pytest.approx(roc_auc_score(positive, eta))
    assert low < area < high
    copied = auc_with_interval(eta.repeat(3), positive.repeat(3), made.people.repeat(3))
    np.testing.assert_allclose(copied, (area, low, high), rtol=1e-6)


def test_golden_perfect_area_has_no_interval():
    assert auc_with_interval(np.array([0.0, 1.0]), np.array([False, True]), np.arange(2)) == (1.0, 1.0, 1.0)


def test_golden_separation_is_told():
    X = np.concatenate([np.full((20, 2), -1.0), np.full((20, 2), 1.0)]) + np.random.default_rng(0).normal(
        size=(40, 2), scale=0.1
    )
    fit = fit_readout(X, read_response(np.arange(40) >= 20), groups=np.arange(40), metric=np.eye(2))
    assert fit.separated
    assert any("without an error" in note for note in fit.notes)
    assert fit.auc[0] == 1.0
    assert np.isfinite(fit.condition_number)


def test_error_too_few_steps_warns(world, monkeypatch):
    made, positive = world
    monkeypatch.setattr("emogan_core.glm.binomial.MAX_STEPS", 1)
    with pytest.warns(FitWarning, match="did not converge"):
        fit = fit_readout(made.X, read_response(positive), groups=made.people, metric=np.eye(5), candidates=(0.1,))
    assert not fit.converged


def test_error_one_group_only():
    with pytest.raises(ValueError, match="two or more"):
        fit_readout(np.eye(4), read_response(np.arange(4) >= 2), groups=np.zeros(4, dtype=int), metric=np.eye(4))


def test_golden_folds_and_penalties_are_scikit_learns(world):
    """Across folds eta is what LogisticRegression, fitted on the other folds, says of a row."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    made, positive = world
    ours = fit_readout(
        made.X, read_response(positive), groups=made.people, metric=np.eye(5), candidates=(3.0,), folds=10
    )
    theirs = cross_val_predict(
        LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000),
        made.X,
        positive,
        cv=group_folds(made.people, positive.astype(int), 10),
        method="decision_function",
    )
    np.testing.assert_allclose(ours.cross_eta, theirs, atol=0.02)
