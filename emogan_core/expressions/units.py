"""What intensity 1 means: how long a step takes a neutral face to the typical example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..glm import Array, group_folds
from .steps import Model, StepConfig, difference, find_steps, make_basis, readout_slopes
from .tables import Table

HALVINGS = 5


def units(
    table: Table, names: tuple[str, ...], model: Model, penalties: Sequence[tuple[float, ...]], config: StepConfig
) -> Array:
    """By how much each raw step must be stretched to take neutral to the typical example, [k].

    People are split in two; the readout of one half measures the other half's step against the other half's
    difference between expression and neutral. Readout and step share no person, so noise they have in common cannot
    make a step seem longer than it is. Kept within 1/2 and 2, as raw steps already have that length in sample; 1 where
    the readouts do not rise at all.
    """
    wanted, reached = np.zeros(len(names)), np.zeros(len(names))
    for halves in _halves(table, names):
        bases = [make_basis(half, names) for half in halves]
        slopes = [readout_slopes(basis, penalties) for basis in bases]
        for basis, own, other in ((bases[0], slopes[0], slopes[1]), (bases[1], slopes[1], slopes[0])):
            steps, _ = find_steps(basis, model, own, config)
            wanted += [beta @ difference(basis.plain, name) for beta, name in zip(other, names, strict=True)]
            reached += np.einsum("kd,kd->k", other, steps)
    sound = (reached > 0.0) & (wanted > 0.0)
    return np.clip(np.where(sound, wanted / np.where(sound, reached, 1.0), 1.0), 0.5, 2.0)


def _halves(table: Table, names: tuple[str, ...]) -> Iterator[tuple[Table, Table]]:
    """Splits of the people in two, expressions spread evenly."""
    kinds = np.stack([table.labels, *(table.shown(name).astype(str) for name in names if name in table.scores)], axis=1)
    classes = np.unique(kinds, axis=0, return_inverse=True)[1].astype(np.int64)
    for turn in range(HALVINGS):
        first, _ = group_folds(table.groups, classes, 2, seed=turn)[0]
        rows = np.isin(np.arange(len(classes)), first)
        yield table.rows(rows), table.rows(~rows)
