"""Designs: coding, centring and the absorption of people."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from emogan_core.glm import absorb, group_index, one_hot, standardise


def test_shape_one_hot_leaves_the_reference_empty():
    coded = one_hot(["smile", "neutral", "frown"], ["frown", "smile"])
    np.testing.assert_array_equal(coded, [[0, 1], [0, 0], [1, 0]])


def test_shape_groups_are_numbered_by_name():
    np.testing.assert_array_equal(group_index(["b", "a", "b"], 3), [1, 0, 1])
    np.testing.assert_array_equal(group_index(None, 3), [0, 1, 2])


def test_golden_standardise_and_constant_columns():
    np.testing.assert_allclose(standardise(np.array([[1.0, 5.0], [3.0, 5.0]])), [[-1, 0], [1, 0]])
    assert standardise(np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("penalty", [0.5, 4.0])
def test_golden_absorbing_equals_ridge_on_dummies(penalty):
    """The reference fits one dummy per group with scikit-learn; other columns are made free by scaling them up."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 6])
    design = np.column_stack([rng.normal(size=(len(groups), 2)), np.ones(len(groups))])
    target = rng.normal(size=(len(groups), 1)) + groups[:, None]
    dummies = (groups[:, None] == np.arange(6)).astype(float) / np.sqrt(penalty)
    reference = Ridge(alpha=1.0, fit_intercept=False, solver="cholesky").fit(
        np.column_stack([design * 1e5, dummies]), target
    )
    ones = np.ones(len(groups))
    taken = [absorb(values, groups, penalty=penalty, sample_weight=ones) for values in (design, target)]
    found = np.linalg.lstsq(*taken, rcond=None)[0]
    np.testing.assert_allclose(found.ravel(), reference.coef_.ravel()[:3] * 1e5, rtol=1e-4)


def test_golden_no_penalty_is_centring_and_infinity_is_nothing():
    rng = np.random.default_rng(2)
    values, groups, ones = rng.normal(size=(7, 2)), np.array([0, 0, 1, 1, 1, 2, 3]), np.ones(7)
    centred = absorb(values, groups, penalty=0.0, sample_weight=ones)
    np.testing.assert_allclose(centred[:2], values[:2] - values[:2].mean(axis=0))
    np.testing.assert_allclose(centred[5:], 0.0)
    assert absorb(values, groups, penalty=np.inf, sample_weight=ones) is values
