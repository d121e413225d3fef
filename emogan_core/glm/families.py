"""Labels and the families of distributions that fit them: which one, by a stated rule, and what its label 1 means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..wording import counted
from .designs import Array

Family = Literal["binary", "soft", "ordered", "gaussian", "two-part"]
FAMILIES: tuple[Family, ...] = get_args(Family)
MOST_LEVELS = 10  # more whole numbers than this are a scale, not levels
LEAST_ZEROS = 0.2  # the share of exact zeros from which they are a part of their own
TYPICAL = (5.0, 95.0)  # percentiles of a continuous score between which intensity 1 goes

RULE = (
    f"two values are binary; 3 to {MOST_LEVELS} whole numbers ordered; numbers of 0 or more with {LEAST_ZEROS:.0%} "
    "zeros or more two-part; numbers from 0 to 1 soft; all others gaussian"
)
"""How a family is chosen, in words; `choose_family` does it."""


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A checked label.

    Convention: y [n] is 0 or 1 (binary), in [0, 1] (soft), 0, 1, 2 ... (ordered), any number (gaussian) or 0 and more
    (two-part); level [n] is the same as a multiple of what an intensity of 1 means: 0 is its origin.
    """

    family: Family
    y: Array
    level: Array

    @property
    def shown(self) -> Array:
        """[n] in 0 and 1: which rows count as examples, for counting and for spreading over folds."""
        return np.asarray(self.level >= 0.5, dtype=np.float64)


def choose_family(values: Array) -> Family:
    """The family that fits labels: two values are binary, few whole numbers ordered, many zeros two-part, and so on.

    Convention: values [n] finite; the rule is `RULE`.

    >>> [choose_family(np.array(v)) for v in ([0, 1, 1], [0, 0.2, 1], [0, 1, 4], [0.0, 0.0, 0.7, 0.2], [-1.5, 3, 8])]
    ['binary', 'two-part', 'ordered', 'two-part', 'gaussian']
    """
    kinds = np.unique(values)
    if len(kinds) == 2:
        return "binary"
    if len(kinds) <= MOST_LEVELS and np.array_equal(kinds, np.round(kinds)):
        return "ordered"
    if kinds[0] >= 0.0 and np.mean(values == 0.0) >= LEAST_ZEROS:
        return "two-part"
    return "soft" if kinds[0] >= 0.0 and kinds[-1] <= 1.0 else "gaussian"


def read_response(values: Array, family: Family | None = None) -> Response:
    """Labels as a fit takes them, of the family asked for or the one that fits.

    Convention: values [n].
    Raises: ValueError for NaN, labels that are all the same, or labels that the family cannot take.
    """
    values = np.asarray(values, dtype=np.float64)
    unknown = np.flatnonzero(~np.isfinite(values))
    if len(unknown):
        raise ValueError(
            f"{len(unknown)} of {len(values)} labels {'is no finite number' if len(unknown) == 1 else 'are no finite numbers'}, the first is number {unknown[0] + 1}; fill "
            "them in or leave those pictures out"
        )
    kinds, ranks = np.unique(values, return_inverse=True)
    if len(kinds) < 2:
        raise ValueError(f"all {len(values)} labels are {kinds[0]:g}; needed are pictures that differ in it")
    chosen = choose_family(values) if family is None else family
    _expect_takes(chosen, kinds)
    if chosen == "binary":
        return Response(chosen, ranks.astype(np.float64), ranks.astype(np.float64))
    if chosen == "ordered":
        return Response(chosen, ranks.astype(np.float64), ranks / (len(kinds) - 1))
    if chosen == "soft":
        return Response(chosen, values, values)
    if chosen == "two-part":
        return Response(chosen, values, values / np.median(values[values > 0.0]))
    low, high = np.percentile(values, TYPICAL)
    if not high > low:
        raise ValueError(
            f"nearly all labels are {low:g}; needed is a score of which more than a tenth differ, or another family"
        )
    return Response(chosen, values, (values - low) / (high - low))


def _expect_takes(family: Family, kinds: Array) -> None:
    found = f"{counted(len(kinds), 'value')} from {kinds[0]:g} to {kinds[-1]:g} came"
    if family == "binary" and len(kinds) != 2:
        raise ValueError(f"{found}, and binary labels have two; give two values, or take another family")
    if family == "soft" and (kinds[0] < 0.0 or kinds[-1] > 1.0):
        raise ValueError(f"{found}, and soft labels lie from 0 to 1; scale them, or take gaussian")
    if family == "ordered" and len(kinds) > MOST_LEVELS:
        raise ValueError(f"{found}, and ordered labels have up to {MOST_LEVELS} levels; take gaussian")
    if family == "two-part" and (kinds[0] != 0.0 or len(kinds) < 3):
        raise ValueError(f"{found}, and two-part labels are 0, or numbers above it; take gaussian")
