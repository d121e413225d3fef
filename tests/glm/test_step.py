"""Least motion and shrinking."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from emogan_core.glm import least_motion, shrink_slopes


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


def test_golden_shrinking_helps_noisy_slopes_and_spares_clear_ones():
    rng = np.random.default_rng(2)
    truth = np.zeros((2, 120))
    truth[:, :30] = 0.3 * rng.normal(size=(2, 30))
    noise = np.stack([np.full(120, 1e-6), np.full(120, 0.04)])
    slopes = truth + rng.normal(size=truth.shape) * np.sqrt(noise)
    shrunk = shrink_slopes(slopes, noise, np.eye(120), towards=np.zeros_like(slopes), window=21)
    errors = [np.linalg.norm(found - truth, axis=1) for found in (slopes, shrunk)]
    assert errors[1][1] < 0.75 * errors[0][1]
    np.testing.assert_allclose(shrunk[0, :25], slopes[0, :25], rtol=1e-3)


def test_golden_shrinking_ends_at_the_target_when_there_is_only_noise():
    rng = np.random.default_rng(3)
    towards = rng.normal(size=(1, 200))
    slopes = towards + 0.1 * rng.normal(size=(1, 200))
    shrunk = shrink_slopes(slopes, np.full((1, 200), 0.02), np.eye(200), towards=towards, window=201)
    np.testing.assert_allclose(shrunk, towards)
    assert shrink_slopes(slopes, np.ones((1, 200)), np.eye(200), towards=towards, window=0) is slopes
