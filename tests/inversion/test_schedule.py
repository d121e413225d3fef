"""Steps within a time budget."""

from __future__ import annotations

import pytest

from emogan_core.inversion import schedule
from emogan_core.inversion.schedule import steps_within


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as one number that a test moves."""
    now = [100.0]
    monkeypatch.setattr(schedule.time, "monotonic", lambda: now[0])
    return now


def run(clock: list[float], steps: int, seconds: float | None, takes: list[float]) -> list[tuple[int, int]]:
    seen = []
    for step, expected in steps_within(steps, seconds, began=clock[0]):
        seen.append((step, expected))
        clock[0] += takes[min(step, len(takes) - 1)]
    return seen


def test_shape_without_a_budget_every_step_is_taken(clock: list[float]) -> None:
    assert run(clock, 3, None, [9.0]) == [(0, 3), (1, 3), (2, 3)]


def test_invariance_a_budget_ends_in_time(clock: list[float]) -> None:
    seen = run(clock, 100, 10.0, [1.0])
    assert [step for step, _ in seen] == list(range(10))
    assert seen[-1][1] == 10
    assert clock[0] <= 110.0


def test_invariance_a_slow_first_step_does_not_end_a_run(clock: list[float]) -> None:
    seen = run(clock, 100, 10.0, [8.0, 0.1])
    assert 18 <= len(seen) <= 21
    assert clock[0] <= 110.0 + 1e-6


def test_shape_one_step_is_always_taken(clock: list[float]) -> None:
    assert len(run(clock, 100, 1.0, [50.0])) == 1
