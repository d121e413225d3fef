"""Each family finds the direction and the units that its labels were made of; labels are read by a stated rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import expit

from emogan_core.glm import (
    choose_family,
    concordance,
    covariance,
    fit_pairs,
    fit_readout,
    fit_slope,
    pair_rows,
    read_response,
    slopes_of,
)

CANDIDATES = (0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True)
class World:
    """Latents with unequal variances, and a slope on them."""

    X: np.ndarray
    people: np.ndarray
    slope: np.ndarray
    eta: np.ndarray
    rng: np.random.Generator


@pytest.fixture
def world():
    rng = np.random.default_rng(0)
    n, d = 3000, 12
    X = rng.normal(size=(n, d)) @ (rng.normal(size=(d, d)) / 3.0)
    slope = rng.normal(size=d)
    slope *= 1.5 / np.std(X @ slope)
    return World(X, np.arange(n) // 3, slope, X @ slope + 0.3, rng)


def labels_of(family, world):
    """Labels, and by how much they exaggerate the slope."""
    rng, eta = world.rng, world.eta
    if family == "binary":
        return (rng.random(len(eta)) < expit(eta)).astype(float), 1.0
    if family == "soft":
        return rng.beta(6 * expit(eta), 6 * expit(-eta)), 1.0
    if family == "ordered":
        return np.digitize(eta + rng.logistic(size=len(eta)), [-2.0, 0.0, 1.5]).astype(float), 1.0
    if family == "gaussian":
        return 20.0 * eta + 10.0 * rng.normal(size=len(eta)) + 50.0, 20.0
    amount = np.maximum(0.4 + 0.05 * eta + 0.05 * rng.normal(size=len(eta)), 0.01)
    chance = expit(eta)
    exaggerates = np.mean(chance * (1 - chance) * (0.4 + 0.05 * eta)) + 0.05 * np.mean(chance)
    return np.where(rng.random(len(eta)) < chance, amount, 0.0), float(exaggerates)


@pytest.mark.parametrize("family", ["binary", "soft", "ordered", "gaussian", "two-part"])
def test_golden_every_family_finds_direction_and_units(world, family):
    values, exaggerates = labels_of(family, world)
    response = read_response(values)
    assert response.family == family
    metric = covariance(world.X)
    fit = fit_readout(world.X, response, groups=world.people, metric=metric, candidates=CANDIDATES)
    seen, true = world.X @ fit.beta, world.X @ world.slope * exaggerates
    assert np.corrcoef(seen, true)[0, 1] > 0.99
    assert np.std(seen) / np.std(true) == pytest.approx(1.0, abs=0.08)
    assert fit.auc[1] < fit.auc[0] < fit.auc[2]
    assert fit.converged
    assert fit.notes == ()
    alone = fit_slope(world.X, response, metric=metric, penalties=fit.penalties)
    np.testing.assert_allclose(alone, fit.beta, rtol=1e-6)


def test_golden_pairs_find_the_slope_whatever_people_look_like(world):
    """Which of two pictures of a person smiles: what lasts of the person would drown it."""
    lasting = 5.0 * world.rng.normal(size=world.X.shape)
    first, second = world.X[:1500], world.X[1500:]
    is_second = world.rng.random(1500) < expit((second - first) @ world.slope)
    X = np.concatenate([first + lasting[:1500], second + lasting[:1500]])
    positive, pairs = np.concatenate([~is_second, is_second]), np.tile(np.arange(1500), 2)
    fit = fit_pairs(X, positive, pairs, groups=pairs, metric=covariance(world.X), candidates=CANDIDATES)
    seen, true = world.X @ fit.beta, world.X @ world.slope
    assert np.corrcoef(seen, true)[0, 1] > 0.99
    assert np.std(seen) / np.std(true) == pytest.approx(1.0, abs=0.1)
    eta = X @ fit.beta + fit.intercept
    assert eta[positive].mean() == pytest.approx(-eta[~positive].mean())


def test_golden_soft_labels_are_two_weighted_rows(world):
    from sklearn.linear_model import LogisticRegression

    X = (world.X - world.X.mean(0))[:300]
    y = expit(world.eta[:300])
    reference = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000)
    reference.fit(np.tile(X, (2, 1)), np.repeat([1, 0], 300), sample_weight=np.concatenate([y, 1 - y]))
    ours = fit_slope(X, read_response(y), metric=np.eye(12), penalties=(2.0,))
    np.testing.assert_allclose(ours, reference.coef_[0], rtol=1e-4, atol=1e-6)


def test_golden_ordered_thresholds_are_statsmodels(world):
    ordinal = pytest.importorskip("statsmodels.miscmodels.ordinal_model")
    y = labels_of("ordered", world)[0]
    reference = ordinal.OrderedModel(y, world.X, distr="logit").fit(method="bfgs", maxiter=500, disp=False).params[:12]
    ours = fit_slope(world.X, read_response(y), metric=np.eye(12), penalties=(1e-6,))
    assert np.corrcoef(ours, reference)[0, 1] > 0.995


@pytest.mark.parametrize("family", ["binary", "gaussian", "two-part"])
def test_invariance_a_draw_is_its_rows_repeated(world, family):
    values = labels_of(family, world)[0][:300]
    response = read_response(values, family)
    counts = world.rng.integers(0, 3, size=(300, 2)).astype(float)
    counts[values == values.max()] = 1.0
    drawn = slopes_of(world.X[:300], response, metric=np.eye(12), penalties=(2.0, 2.0), counts=counts)
    for column in range(2):
        rows = np.repeat(np.arange(300), counts[:, column].astype(int))
        own = read_response(values[rows], family)
        alone = fit_slope(world.X[rows], own, metric=np.eye(12), penalties=(2.0, 2.0))
        np.testing.assert_allclose(drawn[:, column], alone, rtol=0.02, atol=0.01 * np.abs(alone).max())


def test_golden_concordance_is_the_area_of_two_labels(world):
    from sklearn.metrics import roc_auc_score

    y = labels_of("binary", world)[0]
    area, low, high = concordance(world.eta, y, world.people)
    assert area == pytest.approx(roc_auc_score(y, world.eta))
    assert low < area < high


@pytest.mark.parametrize(
    ("values", "family"),
    [
        ([0, 1, 1, 0], "binary"),
        ([3.5, 7.25, 3.5], "binary"),
        ([0, 1, 2, 3, 4], "ordered"),
        ([0, 0.5, 1, 0.7, 0.2, 0.9], "soft"),
        ([0, 0, 0.1, 0.3], "two-part"),
        ([-3.0, 2.5, 100.0], "gaussian"),
        (list(range(30)), "gaussian"),
    ],
)
def test_golden_the_family_follows_from_the_label(values, family):
    assert choose_family(np.array(values, float)) == family
    assert read_response(np.array(values, float)).family == family


@pytest.mark.parametrize(
    ("values", "family", "words"),
    [
        ([1.0, float("nan")], None, "1 of 2 labels is no finite number, the first is number 2"),
        ([1.0, 1.0], None, "all 2 labels are 1"),
        ([1.0, 2.0, 3.0], "binary", "3 values from 1 to 3 came, and binary labels have two"),
        ([1.0, 2.0, 3.0], "soft", "lie from 0 to 1"),
        (list(range(30)), "ordered", "up to 10 levels"),
        ([1.0, 2.0, 3.0], "two-part", "are 0, or numbers above it"),
        ([0.0] * 40 + [1.0], "gaussian", "nearly all labels are 0"),
    ],
)
def test_error_labels_a_family_cannot_take(values, family, words):
    with pytest.raises(ValueError, match=words):
        read_response(np.array(values), family)


@pytest.mark.parametrize(("positive", "pairs"), [([1, 0, 1], [0, 0, 1]), ([1, 1, 0], [0, 0, 0]), ([1, 0], [-1, -1])])
def test_error_pairs_without_a_partner(positive, pairs):
    with pytest.raises(ValueError, match="one picture with and one without"):
        pair_rows(np.array(positive, bool), np.array(pairs))


def test_error_notes_say_what_is_wrong(world):
    rare = np.zeros(3000)
    rare[np.argsort(world.X[:, 0])[-60:]] = 1.0
    fit = fit_readout(world.X, read_response(rare), groups=world.people, metric=covariance(world.X))
    assert any("only 60 of 3000" in note for note in fit.notes)
    noise = world.rng.random(3000)
    fit = fit_readout(world.X, read_response(noise), groups=world.people, metric=covariance(world.X))
    assert any("no more than chance" in note for note in fit.notes)
