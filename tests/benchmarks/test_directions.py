"""The comparison of directions, on numbers whose answer is known; nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

PEOPLE = 30


@pytest.fixture
def directions(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("directions")


def drawn(directions: ModuleType, gain: float, drift: float, turn: float) -> tuple[Any, list[Any]]:
    """Log-odds, descriptor and yaw that grow with every multiple, from random faces."""
    rng = np.random.default_rng(0)
    before = directions.Drawn(rng.normal(size=PEOPLE), np.zeros((PEOPLE, 128)), rng.normal(size=(PEOPLE, 5)))
    step = np.zeros(128)
    step[0] = drift
    turned = np.array([turn, 0, 0, 0, 0]) * before.covariates.std(0)
    after = [
        directions.Drawn(before.log_odds + m * gain, before.descriptors + m * step, before.covariates + m * turned)
        for m in directions.MULTIPLES
    ]
    return before, after


def test_golden_drift_is_read_where_the_gain_is_as_wanted(directions: ModuleType) -> None:
    curve = directions.curve_of(*drawn(directions, 4.0, 0.2, 0.5))
    identity, covariates = curve.at(5.0, np.arange(PEOPLE))
    assert identity == pytest.approx(0.25)
    assert covariates == pytest.approx(0.5 * 1.25 / 5)


def test_golden_a_gain_that_is_never_reached_is_no_number(directions: ModuleType) -> None:
    curve = directions.Curve(np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 4, 5)))
    assert np.isnan(curve.at(1.0, np.arange(4))).all()


def test_golden_the_table_names_the_best_rival_and_the_ratio(directions: ModuleType) -> None:
    before, ours = drawn(directions, 4.0, 0.1, 0.1)
    own, svm = directions.OWN[0], "linear SVM (InterFaceGAN)"
    after = {own: ours, svm: drawn(directions, 2.0, 0.1, 0.2)[1], "ridge": drawn(directions, 4.0, 0.5, 0.6)[1]}
    lines = directions.table(before, after, "happiness")
    assert "at a gain of 4.0" in lines[0]
    assert f"least identity drift is {svm}" in lines[1]
    cells = next(line for line in lines if line.startswith(f"| {own} |"))
    assert "0.50 [0.50, 0.50]" in cells  # the rival goes twice as far for the same gain
    assert "0.25 [0.25, 0.25]" in cells


def test_golden_rivals_point_to_the_class_and_random_ones_do_not(directions: ModuleType) -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros(110)
    truth[0] = 3.0
    positive = np.arange(600) % 2 == 0
    codes = rng.normal(size=(600, 110)) + positive[:, None] * truth
    found = directions.scaled(directions.rival_directions(codes, positive, rng), codes, positive)
    assert len(found) == 6
    for way, direction in found.items():
        cosine = direction @ truth / np.linalg.norm(direction) / np.linalg.norm(truth)
        assert (cosine > 0.6) == (way != "random direction"), way
