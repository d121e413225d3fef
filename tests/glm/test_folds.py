"""Folds that keep groups whole and classes even."""

from __future__ import annotations

import numpy as np
import pytest

from emogan_core.glm import group_folds


@pytest.mark.parametrize("seed", [None, 4])
def test_golden_folds_keep_groups_whole_and_classes_even(seed):
    people = np.repeat(np.arange(60), 3)
    classes = np.where(np.arange(180) % 3 == 0, (people % 6 == 0).astype(int), 0)
    tests = [test for _, test in group_folds(people, classes, 5, seed=seed)]
    assert sorted(np.concatenate(tests)) == list(range(180))
    assert not any(set(people[a]) & set(people[b]) for a in tests for b in tests if a is not b)
    assert [int(classes[test].sum()) for test in tests] == [2] * 5
    assert [len(test) for test in tests] == [36] * 5


@pytest.mark.parametrize(("rows", "kinds", "parts"), [(200, 2, 5), (500, 3, 5), (300, 5, 4), (90, 2, 10)])
def test_golden_as_even_as_scikit_learns(rows: int, kinds: int, parts: int) -> None:
    """StratifiedGroupKFold's rule; where two folds are as good as each other, rounding decides there and sizes here."""
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(rows)
    groups, classes = rng.integers(0, rows // 4, rows), rng.integers(0, kinds, rows)

    def unevenness(folds) -> float:
        shares = np.array([np.bincount(classes[test], minlength=kinds) for _, test in folds]) / np.bincount(classes)
        return float(shares.std(axis=0).mean())

    ours = group_folds(groups, classes, parts)
    theirs = StratifiedGroupKFold(parts).split(classes, classes, groups)
    assert unevenness(ours) <= 1.1 * unevenness(theirs)
    for fit, test in ours:
        assert sorted([*fit, *test]) == list(range(rows))


def test_error_fewer_groups_than_folds() -> None:
    with pytest.raises(ValueError, match="3 groups came for 4 folds"):
        group_folds(np.arange(6) // 2, np.zeros(6, dtype=np.int64), 4)
