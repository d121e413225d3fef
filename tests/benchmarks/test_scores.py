"""Intervals, and who is called better."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from scipy.linalg import sqrtm


@pytest.fixture
def scores(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("scores")


def values(seed: int, count: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 0.1, count)


def test_golden_interval_of_a_mean(scores: ModuleType) -> None:
    """Mean of 200 normal values of spread 0.1: the textbook interval is 1.96 * 0.1 / sqrt(200) = 0.0139 either way."""
    x = values(0)
    score = scores.mean_of(x)
    low, high = score.interval
    assert score.value == pytest.approx(x.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * x.std() / np.sqrt(200), rel=0.1)
    assert low < score.value < high


def test_invariance_a_paired_difference_knows_only_the_difference(scores: ModuleType) -> None:
    x = values(0)
    both = scores.mean_of(x + 0.01) - scores.mean_of(x)
    assert both.interval == pytest.approx((0.01, 0.01))


def test_golden_frechet_agrees_with_the_matrix_root(scores: ModuleType) -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(80, 6)), rng.normal(0.3, 1.4, size=(90, 6))
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * np.real(sqrtm(cov_a @ cov_b)))
    assert scores.frechet(a, b) == pytest.approx(wanted)
    assert scores.frechet(a, a) == pytest.approx(0, abs=1e-6)
    low, high = scores.frechet_of(a, b).interval
    assert low < wanted < high


@pytest.mark.parametrize(
    ("aim", "shift", "verdict"),
    [
        ("MORE", 0.05, "better"),
        ("MORE", -0.05, "worse"),
        ("LESS", -0.05, "better"),
        ("LESS", 0.05, "worse"),
        ("MORE", 0.0, "same"),
        (1.0, 0.05, "better"),
        (0.5, 0.2, "worse"),
        (None, 0.2, ""),
    ],
)
def test_shape_a_verdict_follows_the_aim(
    aim: str | float | None, shift: float, verdict: str, scores: ModuleType
) -> None:
    measure = scores.Measure("x", aim=getattr(scores, aim) if isinstance(aim, str) else aim)
    assert measure.verdict(scores.mean_of(values(0) + shift), scores.mean_of(values(0))) == verdict


def test_invariance_noise_is_not_called_better(scores: ModuleType) -> None:
    measure = scores.Measure("x", aim=scores.MORE)
    same = [measure.verdict(scores.mean_of(values(2 * k)), scores.mean_of(values(2 * k + 1))) for k in range(20)]
    assert same.count("same") >= 17


def test_shape_a_comparison_names_what_got_better(scores: ModuleType) -> None:
    measures = (scores.Measure("a", aim=scores.MORE), scores.Measure("b", aim=scores.LESS), scores.Measure("c"))
    old = {name: scores.mean_of(values(0)) for name in "abc"}
    new = {name: scores.mean_of(values(0) + 0.1) for name in "abc"}
    alone = scores.comparison({"real faces": {}, "shipped": old}, measures)
    assert len(alone) == 2 + len(measures)
    assert all(line.count("|") == 4 for line in alone)
    lines = scores.comparison({"shipped": old, "candidate": new}, measures)
    assert lines[-1] == "**Verdict.** Beyond the interval better in: a. Worse in: b. No difference in: nothing."
    assert [line.split(" | ")[-1] for line in lines[2:5]] == ["better |", "worse |", " |"]


def test_shape_what_was_not_measured_stays_empty(scores: ModuleType) -> None:
    measure = scores.Measure("a", aim=scores.MORE)
    row = scores.comparison({"shipped": {"a": scores.mean_of(values(0))}, "candidate": {}}, (measure,))[2]
    assert row.endswith("|  |  |  |")
