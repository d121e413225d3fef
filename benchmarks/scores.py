"""Numbers with bootstrap intervals, and which of two is better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
MORE, LESS = math.inf, -math.inf

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """A number with bootstrap draws of it.

    Convention: samples of one size are drawn alike everywhere, so the difference of two scores over the same pictures
    is paired.
    """

    value: float
    draws: Array

    def __sub__(self, other: Score) -> Score:
        return Score(self.value - other.value, self.draws - other.draws)

    @property
    def interval(self) -> tuple[float, float]:
        """The middle 95 % of the draws."""
        low, high = np.percentile(self.draws, [2.5, 97.5])
        return float(low), float(high)

    def text(self, form: str = ".2f") -> str:
        low, high = self.interval
        return f"{self.value:{form}} [{low:{form}}, {high:{form}}]"


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of a comparison: how it is written, and what is better.

    Convention: `aim` is what a score should come near to; MORE and LESS say that there is no end, None that neither is
    better.
    """

    name: str
    form: str = ".2f"
    aim: float | None = None

    def loss(self, score: Score) -> Score:
        if self.aim in (MORE, LESS, None):
            sign = -1.0 if self.aim == MORE else 1.0
            return Score(sign * score.value, sign * score.draws)
        return Score(abs(score.value - self.aim), np.abs(score.draws - self.aim))

    def verdict(self, new: Score, old: Score) -> str:
        """ "better", "worse" or "same", as far as the interval of the difference tells; "" when neither is better."""
        if self.aim is None:
            return ""
        low, high = (self.loss(new) - self.loss(old)).interval
        return "better" if high < 0 else "worse" if low > 0 else "same"


Scores = dict[str, Score]


def comparison(columns: Mapping[str, Scores], measures: Sequence[Measure]) -> list[str]:
    """A row a measure; "candidate" beside "shipped" adds their difference, a verdict, and all verdicts in a line."""
    new, old = (columns.get(name) for name in ("candidate", "shipped"))
    compared = new is not None and old is not None
    titles = ["", *columns, *(("candidate minus shipped", "candidate is") if compared else ())]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    verdicts: dict[str, list[str]] = {"better": [], "worse": [], "same": []}
    for measure in measures:
        name = measure.name
        cells = [scores[name].text(measure.form) if name in scores else "" for scores in columns.values()]
        if new is not None and old is not None:
            verdict = measure.verdict(new[name], old[name]) if name in new and name in old else ""
            cells += [(new[name] - old[name]).text("+" + measure.form) if name in new and name in old else "", verdict]
            verdicts.get(verdict, []).append(name)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if compared:
        better, worse, same = ("; ".join(names) or "nothing" for names in verdicts.values())
        lines += [
            "",
            f"**Verdict.** Beyond the interval better in: {better}. Worse in: {worse}. No difference in: {same}.",
        ]
    return lines


def picks(count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """[DRAWS, count] rows drawn with repetition."""
    return np.random.default_rng((seed, count)).integers(count, size=(DRAWS, count))


def mean_of(values: Array) -> Score:
    """The mean of values [n], with draws over them."""
    values = np.asarray(values, dtype=np.float64)
    return Score(float(values.mean()), values[picks(len(values))].mean(1))


def frechet(a: Array, b: Array) -> float:
    """Distance of two normal distributions with these samples' moments."""
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    # the trace of the root of a product of covariances, whose eigenvalues are real and not negative
    root = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real.clip(0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b) - 2 * root)


def frechet_of(a: Array, b: Array) -> Score:
    """The Frechet distance, with draws over both samples."""
    value = frechet(a, b)
    pairs = zip(picks(len(a), seed=1), picks(len(b), seed=2), strict=True)
    draws = np.array([frechet(a[i], b[j]) for i, j in pairs])
    # resampling repeats pictures, which biases the distance: the draws are shifted back by that
    return Score(value, draws - draws.mean() + value)
