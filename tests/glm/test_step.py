"""Least motion: the readouts move as asked, and nothing moves further than it must."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from emogan_core.glm import least_motion


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(6, 6))
    return A @ A.T + np.eye(6), rng.normal(size=(6, 3)), np.array([2.0, 0.0, 0.0])


def test_golden_readouts_move_as_asked_and_motion_is_least(problem):
    metric, readouts, targets = problem
    step = least_motion(metric, readouts, targets)
    np.testing.assert_allclose(readouts.T @ step, targets, atol=1e-10)
    inverse = np.linalg.inv(metric)
    found = minimize(
        lambda s: s @ inverse @ s,
        np.zeros(6),
        constraints={"type": "eq", "fun": lambda s: readouts.T @ s - targets},
        method="SLSQP",
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(step, found.x, atol=1e-4)


def test_golden_identity_follows_the_normal(problem):
    _, readouts, _ = problem
    beta = readouts[:, 0]
    np.testing.assert_allclose(least_motion(np.eye(6), beta[:, None], np.array([3.0])), 3.0 * beta / (beta @ beta))


def test_invariance_affine_change_of_coordinates(problem):
    metric, readouts, targets = problem
    A = np.random.default_rng(1).normal(size=(6, 6)) + 2.0 * np.eye(6)
    moved = least_motion(A @ metric @ A.T, np.linalg.solve(A.T, readouts), targets)
    np.testing.assert_allclose(moved, A @ least_motion(metric, readouts, targets), rtol=1e-7)


def test_error_readouts_that_depend_on_each_other(problem):
    metric, readouts, targets = problem
    twice = np.column_stack([readouts[:, 0], readouts[:, 0], readouts[:, 1]])
    with pytest.raises(ValueError, match="depend on each other"):
        least_motion(metric, twice, targets)
