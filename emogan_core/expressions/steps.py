"""From a table to raw steps: the pattern of each expression, or the least motion of its readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..errors import ExpressionError
from ..glm import (
    Array,
    PatternFit,
    ReadoutFit,
    covariance,
    depending_columns,
    fit_classes,
    fit_pairs,
    fit_pattern,
    fit_readout,
    group_readouts,
    least_motion,
    pair_rows,
    read_response,
    slopes_of,
    within_covariance,
)
from .tables import Table

Covariance = Literal["identity", "latent", "within"]
Model = Literal["pattern", "readout"]
HELD_IDENTITY = 16  # readouts of who somebody is, and an eighth of all at most
PEOPLE_PENALTY = 1.0  # what predicted the changes of unseen people best (4,993 people: happiness, surprise and anger)


@dataclass(frozen=True, slots=True)
class StepConfig:
    """How directions are made from the two fits.

    Convention: every other expression's step leaves the readouts of those in `hold_expressions` still.
    The readout model steps with least motion in `covariance` (None: within people where people are given, else
    latent). Steps of both models leave still, with least motion, the readouts of the covariates in `hold_covariates`,
    and with `hold_identity` those that best tell people apart.
    """

    hold_expressions: tuple[str, ...] = ()
    covariance: Covariance | None = None
    hold_covariates: tuple[str, ...] = ()
    hold_identity: bool = False


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


def make_basis(table: Table, names: tuple[str, ...]) -> Basis:
    """Fit the pattern model over all expressions at once, with people's intercepts absorbed.

    Raises: ExpressionError when pairs leave an expression without anybody seen both ways.
    """
    pattern = fit_pattern(
        table.X,
        levels_of(table, names),
        groups=table.groups,
        covariates=table.covariates,
        group_penalty=people_penalty(table),
        sample_weight=table.weight,
    )
    lost = [name for name, known in zip(names, pattern.identified, strict=True) if not known]
    if lost:
        raise ExpressionError(
            f"nobody is seen both with '{lost[0]}' and without, and of pairs only what changes in one person counts; add "
            f"such a pair, or leave '{lost[0]}' out"
        )
    plain = replace(table, X=table.X - table.covariates @ pattern.covariate_slopes)
    return Basis(names, table, pattern, plain, covariance(plain.X))


def levels_of(table: Table, names: tuple[str, ...]) -> Array:
    """[n, k]: how much of each expression every row shows.

    Raises: ExpressionError when one is wholly explained by others.
    """
    levels = np.stack([table.level(name) for name in names], axis=1)
    depending = depending_columns(levels)
    if depending:
        raise ExpressionError(
            f"'{names[depending[0]]}' is wholly explained by {', '.join(names[: depending[0]]) or 'a constant'}; fit one "
            "of them without the other"
        )
    return levels


def people_penalty(table: Table) -> float:
    """The ridge on each person's intercept: 0 is strict fixed effects, infinity ignores who is who."""
    if table.paired:
        return 0.0  # who is before is after: nothing between people needs to enter
    return PEOPLE_PENALTY if table.grouped else np.inf


def fit_one(basis: Basis, name: str) -> ReadoutFit:
    """The cross-validated readout of one expression, on latents from which covariates were taken out.

    Raises: ExpressionError.
    """
    plain, rows = basis.plain, basis.plain.about(name)
    groups = np.unique(plain.groups[rows], return_inverse=True)[1].astype(np.int64)
    X, response, weight = plain.X[rows], plain.response(name), plain.weight[rows]
    try:
        if not plain.paired:
            return fit_readout(X, response, groups=groups, metric=basis.metric, sample_weight=weight)
        return fit_pairs(
            X, response.shown > 0.5, plain.pairs[rows], groups=groups, metric=basis.metric, sample_weight=weight
        )
    except ValueError as error:
        raise ExpressionError(f"'{name}' cannot be fitted: {error}") from error


def fit_together(basis: Basis) -> list[ReadoutFit]:
    """The readouts of all labelled expressions in one multinomial logit.

    Raises: ExpressionError.
    """
    plain = basis.plain
    classes = levels_of(plain, basis.names) @ np.arange(1, len(basis.names) + 1)
    try:
        return fit_classes(
            plain.X, classes.astype(np.int64), groups=plain.groups, metric=basis.metric, sample_weight=plain.weight
        )
    except ValueError as error:
        raise ExpressionError(f"{', '.join(basis.names)} cannot be fitted together: {error}") from error


def readout_slopes(basis: Basis, penalties: Sequence[tuple[float, ...]]) -> Array:
    """The readouts' slopes alone, [k, d], each at its penalties."""
    return np.stack(
        [
            drawn_slopes(basis, name, own, basis.plain.weight[:, None])[:, 0]
            for name, own in zip(basis.names, penalties, strict=True)
        ]
    )


def drawn_slopes(basis: Basis, name: str, penalties: tuple[float, ...], counts: Array) -> Array:
    """[d, v]: slopes of one readout in versions in which rows of the table count `counts` [n, v] times."""
    plain, rows = basis.plain, basis.plain.about(name)
    response = plain.response(name)
    if not plain.paired:
        return slopes_of(plain.X[rows], response, metric=basis.metric, penalties=penalties, counts=counts[rows])
    before, after = pair_rows(response.shown > 0.5, plain.pairs[rows])
    change = plain.X[rows][after] - plain.X[rows][before]
    both = read_response((np.arange(2 * len(change)) < len(change)).astype(np.float64))
    twice = np.tile((counts[rows][after] + counts[rows][before]) / 4.0, (2, 1))
    return slopes_of(np.concatenate([change, -change]), both, metric=basis.metric, penalties=penalties, counts=twice)


def find_steps(basis: Basis, model: Model, betas: Array, config: StepConfig) -> tuple[Array, str]:
    """Raw steps [k, d], as long as the expressions differ from neutral in sample, and the covariance they move in.

    Raises: ExpressionError.
    """
    motion, which = step_covariance(basis, config)
    if model == "pattern":
        return _holding(basis, basis.pattern.slopes, motion, betas, config), "pattern"
    steps = [
        _shortest(name, motion, beta[:, None], np.array([beta @ difference(basis.plain, name)]))
        for name, beta in zip(basis.names, betas, strict=True)
    ]
    return _holding(basis, np.stack(steps), motion, betas, config), which


def _holding(basis: Basis, steps: Array, motion: Array, betas: Array, config: StepConfig) -> Array:
    """Steps corrected, with least motion, so that they move their own readout as before and leave held ones still."""
    fixed, corrected = _held_readouts(basis, config), steps.copy()
    for index, name in enumerate(basis.names):
        others = [betas[k] for k, other in enumerate(basis.names) if other in config.hold_expressions and other != name]
        if not others and not fixed.shape[1]:
            continue
        held = np.column_stack([*others, fixed])
        own = [betas[index]] if fixed.shape[1] else []  # holding expressions alone may shorten a step, as it always did
        readouts = np.column_stack([held, *own])
        targets = np.concatenate([held.T @ steps[index], np.zeros(len(own))])
        corrected[index] -= _shortest(name, motion, readouts, targets)
    return corrected


def _shortest(name: str, motion: Array, readouts: Array, targets: Array) -> Array:
    try:
        return least_motion(motion, readouts, targets)
    except ValueError as error:
        raise ExpressionError(
            f"no step for '{name}': {error}; hold fewer covariates or expressions, or give pictures that differ more"
        ) from error


def difference(table: Table, name: str) -> Array:
    """How the latent changes with an expression, people left out of account, [d].

    The slope on its level: for a label the mean latent of the expression minus that of neutral.
    """
    rows = table.about(name)
    level, weight = table.level(name)[rows], table.weight[rows]
    level = level - np.average(level, weights=weight)
    return np.asarray((weight * level) @ table.X[rows] / (weight @ np.square(level)), dtype=np.float64)


def step_covariance(basis: Basis, config: StepConfig) -> tuple[Array, str]:
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
    return within_covariance(plain.X, plain.sides_index), which


def covariate_readouts(X: Array, covariates: Array) -> Array:
    """[d, c]: slopes of linear readouts of covariates [n, c] from codes X [n, d]; 0 for what does not vary."""
    if not covariates.shape[1]:
        return np.zeros((X.shape[1], 0))
    centred = X - X.mean(axis=0)
    joint = centred.T @ (covariates - covariates.mean(axis=0)) / len(centred)
    return np.asarray(np.linalg.solve(covariance(X), joint), dtype=np.float64)


def _held_readouts(basis: Basis, config: StepConfig) -> Array:
    """[d, m]: the readouts of held covariates and of who somebody is; none unless asked for.

    Raises: ExpressionError.
    """
    table = basis.table
    chosen = [column for column, name in enumerate(table.covariate_names) if name in config.hold_covariates]
    chosen = [column for column in chosen if table.covariates[:, column].std() > 0.0]
    found = [covariate_readouts(table.X, table.covariates[:, chosen])]
    if config.hold_identity:
        held = max(1, min(HELD_IDENTITY, table.X.shape[1] // 8))
        try:
            found.append(group_readouts(basis.plain.X, basis.plain.sides_index, held))
        except ValueError as error:
            raise ExpressionError(
                "identity cannot be held: nobody has two pictures; name people in the column person, or hold nothing"
            ) from error
    return np.concatenate(found, axis=1)
