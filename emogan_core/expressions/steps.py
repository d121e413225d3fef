"""From a table to raw steps: the pattern of each expression, or the least motion of its readout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..errors import ExpressionError
from ..glm import (
    Array,
    PatternFit,
    Shrinkage,
    covariance,
    fit_pattern,
    fit_slope,
    least_motion,
    one_hot,
    shrink_slopes,
    within_covariance,
)
from .axes import REFERENCE
from .tables import Table

Covariance = Literal["identity", "latent", "within"]
Model = Literal["pattern", "readout"]


@dataclass(frozen=True, slots=True)
class StepConfig:
    """How directions are made from the two fits.

    Convention: `people_penalty` is the ridge on each person's intercept: 0 is strict fixed effects, infinity ignores
    who is who; 1 predicted the changes of unseen people best (faces of 4,993 people: happiness, surprise and anger).
    `shrink_window` is the width, in principal directions, over which rare expressions are shrunk to what stands above
    the noise; 0 leaves them alone. When actions are given, expressions with fewer than `borrow_below` examples are
    shrunk towards the pattern their actions predict, and those below `actions_only_below` are that prediction.
    The readout model steps with least motion in `covariance` (None: within people where people are given, else
    latent) and, with `hold_covariates`, keeps the covariates' own readouts still. `halvings` is how often people are
    split in two to measure units, by `seed`.
    """

    people_penalty: float = 1.0
    shrinkage: Shrinkage = "ledoit_wolf"
    shrink_window: int = 41
    borrow_below: int = 1000
    actions_only_below: int = 100
    covariance: Covariance | None = None
    hold_covariates: bool = False
    halvings: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.people_penalty >= 0.0:
            raise ExpressionError(f"a people_penalty of {self.people_penalty} came; needed 0 or more")
        if self.halvings < 1 or self.shrink_window < 0:
            raise ExpressionError(
                f"halvings {self.halvings} and shrink_window {self.shrink_window} came; needed at least 1 and 0"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What every step rests on: the table, the pattern model over it, and the latents without covariates.

    Convention: `plain` is the table with what covariates explain taken out of X; `metric` [d, d] is its covariance.
    """

    names: tuple[str, ...]
    table: Table
    pattern: PatternFit
    plain: Table
    metric: Array


def make_basis(table: Table, names: tuple[str, ...], config: StepConfig) -> Basis:
    """Fit the pattern model over all expressions at once, with people's intercepts absorbed.

    Raises: ExpressionError when strict fixed effects leave an expression without anybody seen both ways.
    """
    pattern = fit_pattern(
        table.X,
        one_hot(list(table.labels), names),
        groups=table.groups,
        covariates=table.covariates,
        group_penalty=_penalty(table, config),
    )
    lost = [name for name, known in zip(names, pattern.identified, strict=True) if not known]
    if lost:
        raise ExpressionError(
            f"nobody is seen both with '{lost[0]}' and without, so people as strict fixed effects leave nothing to "
            "fit; use a people_penalty above 0 or add such people"
        )
    plain = replace(table, X=table.X - table.covariates @ pattern.covariate_slopes)
    return Basis(names, table, pattern, plain, covariance(plain.X, shrinkage=config.shrinkage))


def _penalty(table: Table, config: StepConfig) -> float:
    return config.people_penalty if table.grouped else np.inf


def readout_slopes(basis: Basis, penalties: tuple[float, ...]) -> Array:
    """The readouts' slopes alone, [k, d], each at its penalty."""
    plain = basis.plain
    slopes = []
    for name, penalty in zip(basis.names, penalties, strict=True):
        pair = plain.against_reference(name)
        positive = plain.labels[pair] == name
        slopes.append(fit_slope(plain.X[pair], positive, metric=basis.metric, penalty=penalty))
    return np.stack(slopes)


def find_steps(basis: Basis, model: Model, betas: Array, config: StepConfig) -> tuple[Array, str]:
    """Raw steps [k, d], as long as the expressions differ from neutral in sample, and the covariance they move in.

    Raises: ExpressionError.
    """
    if model == "pattern":
        return _patterns(basis, config), "pattern"
    motion, which = _motion(basis, config)
    held = _covariate_readouts(basis.table, config)
    steps = [
        least_motion(
            motion,
            np.column_stack([beta, held]),
            np.concatenate([[beta @ difference(basis.plain, name)], np.zeros(held.shape[1])]),
        )
        for name, beta in zip(basis.names, betas, strict=True)
    ]
    return np.stack(steps), which


def difference(table: Table, name: str) -> Array:
    """Mean latent of an expression minus that of neutral, [d]."""
    return np.asarray(
        table.X[table.labels == name].mean(axis=0) - table.X[table.labels == REFERENCE].mean(axis=0), dtype=np.float64
    )


def _patterns(basis: Basis, config: StepConfig) -> Array:
    """Slopes of the pattern model, shrunk where few examples speak."""
    fit, table = basis.pattern, basis.table
    axes = np.linalg.eigh(basis.metric)[1][:, ::-1]  # columns by falling variance
    noise = np.outer(fit.spread, np.einsum("ij,ik,kj->j", axes, fit.residual, axes))  # [k, d]
    towards, slopes = np.zeros_like(fit.slopes), fit.slopes.copy()
    if table.actions.shape[1]:
        predicted = _from_actions(basis, config)
        for index, name in enumerate(basis.names):
            if table.count(name) < config.borrow_below:
                towards[index] = predicted[index]
            if table.count(name) < config.actions_only_below:
                slopes[index] = predicted[index]
    return shrink_slopes(slopes, noise, axes, towards=towards, window=config.shrink_window)


def _from_actions(basis: Basis, config: StepConfig) -> Array:
    """What each expression's mean facial actions do to the latent: [k, a] actions times [a, d] effects.

    Only the mix of actions comes from the few labelled examples; how each action looks is learned from every picture.
    """
    table = basis.table
    one = one_hot(list(table.labels), basis.names)
    mix = fit_pattern(table.actions, one, groups=table.groups, covariates=table.covariates, group_penalty=np.inf)
    effects = fit_pattern(
        table.X,
        table.actions,
        groups=table.groups,
        covariates=table.covariates,
        group_penalty=_penalty(table, config),
    )
    return np.asarray(mix.slopes @ effects.slopes, dtype=np.float64)


def _motion(basis: Basis, config: StepConfig) -> tuple[Array, str]:
    """The covariance in which a readout's step is shortest, and its name."""
    plain = basis.plain
    repeated = bool(np.any(np.bincount(plain.groups) > 1))
    which = config.covariance or ("within" if plain.grouped and repeated else "latent")
    if which == "identity":
        return np.eye(len(basis.metric)), which
    if which == "latent":
        return basis.metric, which
    if not repeated:
        raise ExpressionError(
            "covariance 'within' needs people with two pictures or more, and none is given; "
            "name the people or use covariance 'latent'"
        )
    return within_covariance(plain.X, plain.groups, shrinkage=config.shrinkage), which


def _covariate_readouts(table: Table, config: StepConfig) -> Array:
    """[d, c]: the slopes of each covariate on the latent, to be held still; none unless asked for."""
    varies = table.covariates.std(axis=0) > 0.0
    if not config.hold_covariates or not varies.any():
        return np.zeros((table.X.shape[1], 0))
    centred = table.X - table.X.mean(axis=0)
    joint = centred.T @ table.covariates[:, varies] / len(centred)
    return np.asarray(np.linalg.solve(covariance(table.X, shrinkage=config.shrinkage), joint), dtype=np.float64)
