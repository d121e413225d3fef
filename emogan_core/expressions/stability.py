"""How much an axis would differ had other people been labelled: a bootstrap over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..glm import Array, ReadoutFit, absorb, bootstrapped_pattern, cosine_interval, group_draws, unit_interval
from .steps import Basis, Model, StepConfig, difference, drawn_slopes, levels_of, people_penalty, step_covariance


@dataclass(frozen=True, slots=True)
class Stability:
    """The middle 95 % over draws of people.

    Convention: `cosine` is between an axis' step and that of a draw; `unit` is how far a draw's step moves the readout,
    as a multiple of what the step itself does. Both are of steps before anything is held still.
    """

    cosine: tuple[float, float]
    unit: tuple[float, float]


def stability(
    basis: Basis, model: Model, readouts: Sequence[ReadoutFit], config: StepConfig, *, seed: int = 0
) -> list[Stability]:
    """What every step would be with other people."""
    counts = group_draws(basis.table.groups, np.random.default_rng(seed))
    if model == "pattern":
        steps, drawn = basis.pattern.slopes, list(_patterns(basis, counts))
    else:
        steps, drawn = _least_motions(basis, counts, readouts, config)
    return [
        Stability(cosine_interval(step, own), unit_interval(readout.beta, step, own))
        for step, own, readout in zip(steps, drawn, readouts, strict=True)
    ]


def _patterns(basis: Basis, counts: Array) -> Array:
    """[k, v, d]: slopes of the pattern model."""
    table = basis.table
    design = np.column_stack([levels_of(table, basis.names), table.covariates, np.ones(len(table.X))])
    penalty = people_penalty(table)
    design, target = (
        absorb(values, table.groups, penalty=penalty, sample_weight=table.weight) for values in (design, table.X)
    )
    drawn = bootstrapped_pattern(design, target, counts * table.weight[:, None])
    return drawn[:, : len(basis.names)].transpose(1, 0, 2)


def _least_motions(
    basis: Basis, counts: Array, readouts: Sequence[ReadoutFit], config: StepConfig
) -> tuple[Array, list[Array]]:
    """[k, d] and k times [v, d]: steps that move each readout by the difference that the expression makes."""
    motion, _ = step_covariance(basis, config)
    steps, drawn = [], []
    for name, readout in zip(basis.names, readouts, strict=True):
        change = difference(basis.plain, name)
        slopes = drawn_slopes(basis, name, readout.penalties, counts * basis.plain.weight[:, None])
        both = np.column_stack([readout.beta, slopes])  # [d, 1 + v]
        moved = motion @ both
        moved = moved * (change @ both) / np.einsum("dv,dv->v", both, moved)
        steps.append(moved[:, 0])
        drawn.append(moved[:, 1:].T)
    return np.stack(steps), drawn
