"""The pattern model: it finds the truth where naive means do not, and agrees with dummies."""

from __future__ import annotations

import numpy as np
import pytest
from toy import toy

from emogan_core.glm import fit_pattern, one_hot


@pytest.fixture(scope="module")
def world():
    made = toy(np.random.default_rng(11), people=800, pictures=3, dims=10)
    return made, one_hot(made.labels, ["smile"])


def off(found, truth):
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


def test_golden_people_and_covariates_recover_the_truth(world):
    made, smiles = world
    naive = fit_pattern(made.X, smiles, groups=made.people, group_penalty=np.inf).slopes[0]
    fixed = fit_pattern(made.X, smiles, groups=made.people, covariates=made.covariate)
    assert off(naive, made.truth) > 0.5
    assert off(fixed.slopes[0], made.truth) < 0.06
    assert off(fixed.covariate_slopes[0], made.pose) < 0.06


def test_golden_naive_slope_is_the_difference_of_means(world):
    made, smiles = world
    naive = fit_pattern(made.X, smiles, groups=made.people, group_penalty=np.inf).slopes[0]
    flags = smiles[:, 0] > 0
    np.testing.assert_allclose(naive, made.X[flags].mean(axis=0) - made.X[~flags].mean(axis=0), rtol=1e-8)


def test_golden_fixed_effects_agree_with_dummies(world):
    made, smiles = world
    some = made.people < 60
    dummies = one_hot([str(p) for p in made.people[some]], [str(p) for p in range(60)])
    design = np.column_stack([smiles[some], made.covariate[some], dummies])
    reference = np.linalg.lstsq(design, made.X[some], rcond=None)[0]
    fit = fit_pattern(made.X[some], smiles[some], groups=made.people[some], covariates=made.covariate[some])
    np.testing.assert_allclose(fit.slopes[0], reference[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(fit.covariate_slopes[0], reference[1], rtol=1e-7, atol=1e-9)


def test_golden_statsmodels_standard_errors(world):
    sm = pytest.importorskip("statsmodels.api")
    made, smiles = world
    design = sm.add_constant(np.column_stack([smiles, made.covariate]))
    reference = sm.OLS(made.X[:, 0], design).fit()
    fit = fit_pattern(made.X, smiles, groups=made.people, covariates=made.covariate, group_penalty=np.inf)
    assert fit.slopes[0, 0] == pytest.approx(reference.params[1])
    assert np.sqrt(fit.spread[0] * fit.residual[0, 0]) == pytest.approx(reference.bse[1], rel=1e-3)


@pytest.mark.parametrize("penalty", [0.0, 1.0, np.inf])
def test_invariance_weight_two_is_row_twice(world, penalty):
    made, smiles = world
    weight = 1 + (np.arange(len(smiles)) % 3 == 0)
    weighted = fit_pattern(
        made.X,
        smiles,
        groups=made.people,
        covariates=made.covariate,
        group_penalty=penalty,
        sample_weight=weight.astype(float),
    )
    doubled = fit_pattern(
        made.X.repeat(weight, axis=0),
        smiles.repeat(weight, axis=0),
        groups=made.people.repeat(weight),
        covariates=made.covariate.repeat(weight, axis=0),
        group_penalty=penalty,
    )
    np.testing.assert_allclose(weighted.slopes, doubled.slopes, rtol=1e-8)
    np.testing.assert_allclose(weighted.residual, doubled.residual, rtol=1e-8, atol=1e-12)


def test_invariance_affine_change_of_coordinates(world):
    made, smiles = world
    A = np.random.default_rng(3).normal(size=(10, 10))
    plain = fit_pattern(made.X, smiles, groups=made.people, covariates=made.covariate, group_penalty=1.0)
    moved = fit_pattern(
        made.X @ A.T + 5.0, smiles, groups=made.people, covariates=made.covariate * 7.0 - 1.0, group_penalty=1.0
    )
    np.testing.assert_allclose(moved.slopes, plain.slopes @ A.T, rtol=1e-7, atol=1e-9)


def test_invariance_people_seen_once_are_silent_under_fixed_effects(world):
    made, smiles = world
    extra = np.random.default_rng(4).normal(size=(50, 10)) * 9.0
    more = fit_pattern(
        np.vstack([made.X, extra]),
        np.vstack([smiles, np.ones((50, 1))]),
        groups=np.append(made.people, made.people.max() + 1 + np.arange(50)),
    )
    np.testing.assert_allclose(more.slopes, fit_pattern(made.X, smiles, groups=made.people).slopes, rtol=1e-8)


def test_golden_an_expression_nobody_changes_is_not_identified(world):
    made, _ = world
    first = made.people % 2 == 0
    fit = fit_pattern(made.X, first.astype(float)[:, None], groups=made.people)
    assert fit.identified == (False,)
    np.testing.assert_array_equal(fit.slopes, 0.0)
    assert fit_pattern(made.X, first.astype(float)[:, None], groups=made.people, group_penalty=1.0).identified == (
        True,
    )
