"""The bootstrap over people, and columns that depend on each other."""

from __future__ import annotations

import numpy as np
from toy import toy

from emogan_core.glm import (
    bootstrapped_pattern,
    cosine_interval,
    depending_columns,
    group_draws,
    group_readouts,
    unit_interval,
    within_covariance,
)


def test_shape_draws_keep_groups_whole_and_their_number():
    groups = np.repeat(np.arange(50), 3)
    counts = group_draws(groups, np.random.default_rng(0), 20)
    assert counts.shape == (150, 20)
    assert (counts.reshape(50, 3, 20).std(1) == 0).all()
    assert (counts.sum(0) == 150).all()


def test_golden_a_draw_of_the_pattern_is_its_rows_repeated():
    rng = np.random.default_rng(0)
    design, target = rng.normal(size=(80, 3)), rng.normal(size=(80, 4))
    counts = rng.integers(0, 3, size=(80, 5)).astype(float)
    drawn = bootstrapped_pattern(design, target, counts)
    for draw in range(5):
        rows = np.repeat(np.arange(80), counts[:, draw].astype(int))
        np.testing.assert_allclose(drawn[draw], np.linalg.lstsq(design[rows], target[rows], rcond=None)[0])


def test_golden_intervals_hold_the_truth_and_narrow_with_people():
    widths = []
    for people in (40, 400):
        made = toy(np.random.default_rng(1), people=people, trait_pull=0.0, pose_pull=0.0)
        smiles = np.array([label == "smile" for label in made.labels], float)
        design = np.stack([smiles, np.ones(len(smiles))], axis=1)
        counts = group_draws(made.people, np.random.default_rng(2))
        drawn = bootstrapped_pattern(design, made.X, counts)[:, 0]
        low, high = unit_interval(made.truth, made.truth, drawn)
        assert low < 1.1
        assert high > 0.9
        widths.append(high - low)
        assert cosine_interval(made.truth, drawn)[0] > 0.5
    assert widths[1] < 0.5 * widths[0]


def test_golden_depending_columns_are_named():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 50))
    assert depending_columns(np.stack([one, np.ones(50), other, one - 2 * other + 3], axis=1)) == [1, 3]


def test_golden_readouts_of_people_tell_people_apart():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(100), 4)
    axis = rng.normal(size=10)
    X = rng.normal(size=(400, 10)) + 3.0 * rng.normal(size=100)[people][:, None] * axis
    first = group_readouts(X, people, 3)[:, 0]
    assert group_readouts(X, people, 3).shape == (10, 3)
    between = np.var([X[people == one].mean(0) @ first for one in range(100)])
    assert between > 50 * first @ within_covariance(X, people) @ first
