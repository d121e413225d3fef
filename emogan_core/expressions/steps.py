"""From a table to raw steps: the pattern of each expression, or the least motion of its readout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..errors import ExpressionError
from ..glm import (
    Array,
    PatternFit,
    covariance,
    fit_pattern,
    fit_slope,
    least_motion,
    one_hot,
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
    Expressions in `through_actions` are drawn by what their examples' mean facial actions do to the latents of
    everybody, not by the examples' own latents: for labels too few or too much about something else. Every other
    expression's step leaves the readouts of those in `hold_expressions` still.
    The readout model steps with least motion in `covariance` (None: within people where people are given, else
    latent) and, with `hold_covariates`, keeps the covariates' own readouts still. `halvings` is how often people are
    split in two to measure units, by `seed`.
    Raises: ExpressionError for a negative penalty or no halving.
    """

    people_penalty: float = 1.0
    through_actions: tuple[str, ...] = ()
    hold_expressions: tuple[str, ...] = ()
    covariance: Covariance | None = None
    hold_covariates: bool = False
    halvings: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.people_penalty >= 0.0:
            raise ExpressionError(f"a people_penalty of {self.people_penalty} came; needed 0 or more")
        if self.halvings < 1:
            raise ExpressionError(f"{self.halvings} halvings came; needed 1 or more")


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
        sample_weight=table.weight,
    )
    lost = [name for name, known in zip(names, pattern.identified, strict=True) if not known]
    if lost:
        raise ExpressionError(
            f"nobody is seen both with '{lost[0]}' and without, so people as strict fixed effects leave nothing to "
            "fit; use a people_penalty above 0 or add such people"
        )
    plain = replace(table, X=table.X - table.covariates @ pattern.covariate_slopes)
    return Basis(names, table, pattern, plain, covariance(plain.X))


def _penalty(table: Table, config: StepConfig) -> float:
    return config.people_penalty if table.grouped else np.inf


def readout_slopes(basis: Basis, penalties: tuple[float, ...]) -> Array:
    """The readouts' slopes alone, [k, d], each at its penalty."""
    plain = basis.plain
    slopes = []
    for name, penalty in zip(basis.names, penalties, strict=True):
        pair = plain.against_reference(name)
        positive = plain.labels[pair] == name
        weight = plain.weight[pair]
        slopes.append(fit_slope(plain.X[pair], positive, metric=basis.metric, penalty=penalty, sample_weight=weight))
    return np.stack(slopes)


def find_steps(basis: Basis, model: Model, betas: Array, config: StepConfig) -> tuple[Array, str]:
    """Raw steps [k, d], as long as the expressions differ from neutral in sample, and the covariance they move in.

    Raises: ExpressionError.
    """
    motion, which = _motion(basis, config)
    if model == "pattern":
        return _holding(basis, _patterns(basis, config), motion, betas, config), "pattern"
    held = _covariate_readouts(basis.table, config)
    steps = [
        _shortest(
            name,
            motion,
            np.column_stack([beta, held]),
            np.concatenate([[beta @ difference(basis.plain, name)], np.zeros(held.shape[1])]),
        )
        for name, beta in zip(basis.names, betas, strict=True)
    ]
    return _holding(basis, np.stack(steps), motion, betas, config), which


def _holding(basis: Basis, steps: Array, motion: Array, betas: Array, config: StepConfig) -> Array:
    """Steps corrected, with least motion, so that they leave the readouts of held expressions still."""
    corrected = steps.copy()
    for index, name in enumerate(basis.names):
        held = [betas[k] for k, other in enumerate(basis.names) if other in config.hold_expressions and other != name]
        if held:
            readouts = np.stack(held, axis=1)
            corrected[index] -= _shortest(name, motion, readouts, readouts.T @ steps[index])
    return corrected


def _shortest(name: str, motion: Array, readouts: Array, targets: Array) -> Array:
    try:
        return least_motion(motion, readouts, targets)
    except ValueError as error:
        raise ExpressionError(
            f"no step for '{name}': {error}; hold fewer covariates or expressions, or give pictures that differ more"
        ) from error


def difference(table: Table, name: str) -> Array:
    """Mean latent of an expression minus that of neutral, [d]."""
    return np.asarray(
        table.X[table.labels == name].mean(axis=0) - table.X[table.labels == REFERENCE].mean(axis=0), dtype=np.float64
    )


def _patterns(basis: Basis, config: StepConfig) -> Array:
    """Slopes of the pattern model, [k, d]; through facial actions where that is asked for."""
    slopes = basis.pattern.slopes.copy()
    indirect = [index for index, name in enumerate(basis.names) if name in config.through_actions]
    if not indirect:
        return slopes
    if not basis.table.actions.shape[1]:
        raise ExpressionError(
            f"'{basis.names[indirect[0]]}' is to be drawn through facial actions, but no actions came; give them too"
        )
    slopes[indirect] = _through_actions(basis, config)[indirect]
    return slopes


def _through_actions(basis: Basis, config: StepConfig) -> Array:
    """What each expression's mean facial actions do to the latent: [k, a] actions times [a, d] effects.

    Only the mix of actions comes from the few labelled examples; how each action looks is learned from every picture.
    """
    table = basis.table
    mix, effects = (
        fit_pattern(
            response,
            predictors,
            groups=table.groups,
            covariates=table.covariates,
            group_penalty=_penalty(table, config),
            sample_weight=table.weight,
        ).slopes
        for response, predictors in (
            (table.actions, one_hot(list(table.labels), basis.names)),
            (table.X, table.actions),
        )
    )
    return np.asarray(mix @ effects, dtype=np.float64)


def _motion(basis: Basis, config: StepConfig) -> tuple[Array, str]:
    """The covariance in which a readout's step is shortest, and its name."""
    plain = basis.plain
    repeated = bool(np.any(np.bincount(plain.sides) > 1))
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
    return within_covariance(plain.X, np.unique(plain.sides, return_inverse=True)[1]), which


def _covariate_readouts(table: Table, config: StepConfig) -> Array:
    """[d, c]: the slopes of each covariate on the latent, to be held still; none unless asked for."""
    varies = table.covariates.std(axis=0) > 0.0
    if not config.hold_covariates or not varies.any():
        return np.zeros((table.X.shape[1], 0))
    centred = table.X - table.X.mean(axis=0)
    joint = centred.T @ table.covariates[:, varies] / len(centred)
    return np.asarray(np.linalg.solve(covariance(table.X), joint), dtype=np.float64)
