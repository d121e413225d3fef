"""How much a fit would differ with other people: the bootstrap over groups, and what it says in words."""

from __future__ import annotations

import numpy as np

from .designs import Array, Index

DRAWS = 100


def group_draws(groups: Index, rng: np.random.Generator, draws: int = DRAWS) -> Array:
    """How often each row counts when groups (people) are drawn with repetition, [n, draws]."""
    count = int(groups.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=draws).T  # [g, draws]
    return np.asarray(drawn[groups], dtype=np.float64)


def bootstrapped_pattern(design: Array, target: Array, counts: Array) -> Array:
    """[v, p, d]: least squares of target on design in versions in which rows count `counts` [n, v] times."""
    p, d = design.shape[1], target.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)  # [n, p p]
    gram = (counts.T @ products).reshape(-1, p, p)
    joint = np.stack([counts.T @ (design[:, [column]] * target) for column in range(p)], axis=1)  # [v, p, d]
    return np.asarray(np.linalg.pinv(gram) @ joint.reshape(-1, p, d))


def cosine_interval(step: Array, drawn: Array) -> tuple[float, float]:
    """The middle 95 % of the cosines between a step [d] and its like of other draws [v, d]."""
    size = np.linalg.norm(drawn, axis=1) * np.linalg.norm(step)
    low, high = np.percentile(drawn @ step / np.maximum(size, np.finfo(float).tiny), [2.5, 97.5])
    return float(low), float(high)


def unit_interval(readout: Array, step: Array, drawn: Array) -> tuple[float, float]:
    """The middle 95 % of how far steps of other draws [v, d] move the readout [d], as multiples of what `step` does."""
    low, high = np.percentile(drawn @ readout / float(readout @ step), [2.5, 97.5])
    return float(low), float(high)


def depending_columns(design: Array) -> list[int]:
    """Columns that the others before them explain; a constant one is explained by the intercept.

    Convention: design [n, p]; returns their numbers.
    """
    kept = [np.ones(len(design))]
    depending = []
    for number, column in enumerate(design.T):
        basis = np.stack(kept, axis=1)
        rest = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
        if np.linalg.norm(rest) <= 1e-6 * max(float(np.linalg.norm(column)), np.finfo(float).tiny):
            depending.append(number)
        else:
            kept.append(column)
    return depending
