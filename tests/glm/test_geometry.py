"""Covariances: what scikit-learn says, and what stays within people."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from emogan_core.glm import covariance, inverse_root, within_covariance


def test_golden_ledoit_wolf():
    X = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([3, 2, 1, 1, 0.5, 0.1])
    np.testing.assert_allclose(covariance(X), LedoitWolf().fit(X).covariance_, rtol=1e-10)


def test_golden_within_covariance_forgets_people():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(2000), 2)
    X = 10.0 * rng.normal(size=(2000, 3))[groups] + rng.normal(size=(4000, 3)) * [1.0, 2.0, 0.5]
    found = within_covariance(X, groups)
    np.testing.assert_allclose(np.diag(found), [1.0, 4.0, 0.25], rtol=0.1)


def test_invariance_groups_of_one_say_nothing():
    rng = np.random.default_rng(2)
    X, groups = rng.normal(size=(20, 3)), np.repeat(np.arange(10), 2)
    more = np.vstack([X, rng.normal(size=(5, 3)) + 100.0])
    np.testing.assert_allclose(
        within_covariance(more, np.append(groups, np.arange(10, 15))), within_covariance(X, groups)
    )


def test_error_within_covariance_needs_pairs():
    with pytest.raises(ValueError, match="two or more"):
        within_covariance(np.eye(3), np.arange(3))


def test_golden_inverse_root_whitens():
    A = np.random.default_rng(3).normal(size=(5, 5))
    root = inverse_root(A @ A.T)
    np.testing.assert_allclose(root @ A @ A.T @ root, np.eye(5), atol=1e-8)
    np.testing.assert_allclose(root, root.T)
