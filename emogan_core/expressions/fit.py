"""Fitting expression axes: which model, which examples, and what is told about the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from ..devices import gradients_off
from ..errors import ExpressionError
from ..glm import Array, Family, ReadoutFit
from ..latents import Latent
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .axes import REFERENCE, ExpressionAxes, ExpressionAxis, moving_axis
from .labelled import LabelledLatents
from .moves import fit_moves
from .shadings import fit_shadings
from .stability import Stability, stability
from .steps import Model, StepConfig, covariate_readouts, find_steps, fit_one, fit_together, make_basis
from .tables import (
    Mirror,
    Numbers,
    Table,
    build_table,
    choose_expressions,
    expect_pairable,
    expect_people,
    expect_scores,
    score_labels,
)
from .units import units

MOVES_FROM = "labelled pictures: the face model fitted to each"
SHADING_FROM = "shading measured on them"


@dataclass(frozen=True, slots=True)
class FitConfig:
    """What to fit and when to refuse.

    Convention: `expressions` None takes every label with `floor` examples or more (neutral needs as many); where the face
    model's coefficients are given, those with `moving_floor` or more get their part in it alone. An axis is
    marked experimental below `experimental_below` examples, or when the low end of its AUC's interval lies below
    `experimental_auc`. `families` names the family of scores for which the one that their values suggest is wrong;
    `multinomial` reads all labelled expressions off in one model, instead of each against neutral.
    """

    expressions: tuple[str, ...] | None = None
    floor: int = 40
    moving_floor: int = 12
    experimental_below: int = 100
    experimental_auc: float = 0.6
    families: Mapping[str, Family] = field(default_factory=dict)
    multinomial: bool = False
    steps: StepConfig = field(default_factory=StepConfig)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where labels come from and what may be done with axes fitted on them."""

    label_source: str = ""
    licence: str = ""


def fit_expressions(
    latents: Latent,
    labels: Sequence[str] | None = None,
    *,
    scores: Mapping[str, Sequence[float]] | None = None,
    model: Model = "pattern",
    people: Sequence[str] | None = None,
    pairs: Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
    covariates: Mapping[str, Sequence[float]] | None = None,
    mirror: Mirror | None = None,
    coefficients: Array | None = None,
    brightness: NDArray[np.floating] | None = None,
    config: FitConfig = FitConfig(),
    origin: Origin = Origin(),
    progress: Progress = silent,
) -> ExpressionAxes:
    """Fit one axis per expression from labelled latents.

    The readout model regresses each expression (against neutral) on the latent and steps so that the readout moves with
    least motion; the pattern model regresses the latent on expressions, people and covariates, so that what differs
    between people, or goes with pose, stays out of the step. Either way readouts judge what intensity 1 means.

    Convention: one label, person, weight and covariate value per latent; 'neutral' is the reference. `scores` are numbers
    instead of labels, an axis for each, by a family that follows from their values (`glm.RULE`) or is named in the
    config; intensity 1 goes from 0 to 1 (binary, soft), from the lowest level to the highest (ordered), from 0 to the
    median of what is above it (two-part), or from the 5th to the 95th percentile (gaussian). `pairs` name pictures of one
    person without and with the expression, '' for none. `mirror` holds the same pictures mirrored; `coefficients`
    [n, k] are the face model's, as `label_latents` gives them: with them each axis gets its part of the face model, and
    expressions with too few examples for the latent get that part alone; with `brightness` [n, f] from there as well,
    and people, it gets a shading where the examples agree on one.
    Raises: ShapeError for lengths that differ; ExpressionError for missing neutral faces, too few examples or people,
    covariates that are not finite, are explained by others or are to be held but did not come, pairs without a partner,
    an unknown model, or a readout that contradicts the step.
    """
    if model not in ("pattern", "readout"):
        raise ExpressionError(f"the model '{model}' is not known; use pattern or readout")
    if (labels is None) == (not scores):
        raise ExpressionError("an axis is fitted on labels or on scores; give one of them")
    _expect_held(config.steps, covariates or {})
    if config.multinomial and (scores or pairs is not None):
        raise ExpressionError("multinomial is for labels that are words; scores and pairs have a model of their own")
    expect_pairable(scores or {}, pairs, config.families)
    table = build_table(
        latents,
        [REFERENCE] * int(latents.ws.shape[0]) if labels is None else labels,
        people,
        covariates or {},
        mirror,
        numbers=Numbers(scores or {}, config.families, weights, pairs),
    )
    fit = partial(_fitted, model=model, config=config, origin=origin, progress=progress)
    if labels is None:
        assert scores is not None
        shown = score_labels(scores, config.families)
        for name, words in shown.items():
            expect_scores(name, words, config.floor)
        moves: dict[str, Array] = {}
        if coefficients is not None:
            for name, words in shown.items():
                moves |= fit_moves(coefficients, words, (name,), people=people or pairs, floor=config.moving_floor)
        return ExpressionAxes(_moved(fit(table, tuple(scores)), moves, {}), latents.fingerprint)
    moves = {}
    if coefficients is not None:
        asked = config.expressions or tuple(sorted(set(labels) - {REFERENCE}))
        moves = fit_moves(coefficients, labels, asked, people=people or pairs, floor=config.moving_floor)
        _expect_anything(labels, moves, coefficients, config)
    shadings: dict[str, Array] = {}
    if brightness is not None and people is not None:
        shadings = fit_shadings(brightness, labels, tuple(moves), people=people, floor=config.moving_floor)
    names, left_out = _in_latent(labels, moves, config)
    alone = [_moving(name, labels, people, origin) for name in moves if name not in names]
    both = fit(table.rows(np.isin(table.labels, [*names, REFERENCE])), names) if names else ()
    return ExpressionAxes(_moved((*both, *alone), moves, shadings), fingerprint=latents.fingerprint, left_out=left_out)


def _fitted(
    table: Table, names: tuple[str, ...], *, model: Model, config: FitConfig, origin: Origin, progress: Progress
) -> tuple[ExpressionAxis, ...]:
    """Axes with their parts in the latent."""
    for name in names:
        expect_people(table, name)
    if not np.ptp(table.X, axis=0).max() > 0.0:
        raise ExpressionError(
            f"the codes of all {counted(len(table.X), 'picture')} about '{names[0]}' are the same; give different pictures, or another "
            "inversion method"
        )
    basis = make_basis(table, names)
    readouts = fit_together(basis) if config.multinomial else []
    for index, name in enumerate(names):
        if not config.multinomial:
            readouts.append(fit_one(basis, name))
        progress(StepReport(step=index + 1, steps=len(names) + 1, what=f"fitting {name}"))
    betas, penalties = np.stack([one.beta for one in readouts]), [one.penalties for one in readouts]
    steps, metric = find_steps(basis, model, betas, config.steps)
    lengths = units(table, names, model, penalties, config.steps)
    sure = stability(basis, model, readouts, config.steps)
    progress(StepReport(step=len(names) + 1, steps=len(names) + 1, what="measuring units"))
    shared = partial(
        ExpressionAxis,
        layer_weights=(1.0,) * table.num_ws,
        model=model,
        covariance=metric,
        covariates=table.covariate_names,
        label_source=origin.label_source,
        licence=origin.licence,
    )
    drifts = (steps * lengths[:, None]) @ covariate_readouts(table.X, table.covariates)  # [k, c], standardised
    with gradients_off():  # ordinary tensors, whatever mode the caller is in
        return tuple(
            replace(
                _axis(shared, table, name, step * length, readout, known, config),
                covariate_drift=tuple(round(float(one), 4) for one in drift),
            )
            for name, step, length, readout, known, drift in zip(
                names, steps, lengths, readouts, sure, drifts, strict=True
            )
        )


def _expect_held(steps: StepConfig, covariates: Mapping[str, object]) -> None:
    lacking = [name for name in steps.hold_covariates if name not in covariates]
    if lacking:
        raise ExpressionError(
            f"'{lacking[0]}' is to be held still, but its values did not come (covariates are "
            f"{', '.join(covariates) or 'none'}); give them"
        )


def _expect_anything(labels: Sequence[str], moves: Mapping[str, Array], coefficients: Array, config: FitConfig) -> None:
    """Say what is lacking where there are pictures enough for the face model's part, and it shows nothing.

    Raises: ExpressionError.
    """
    counts = Counter(labels)
    most = min(counts[REFERENCE], max((count for name, count in counts.items() if name != REFERENCE), default=0))
    if moves or not config.moving_floor <= most < config.floor:
        return
    seen = Counter(label for row, label in enumerate(labels) if np.isfinite(coefficients[row]).all())
    told = ", ".join(f"{seen[name]} of {count} '{name}'" for name, count in counts.most_common(8))
    raise ExpressionError(
        f"nothing could be fitted: the face model found a face in {told}, of which {config.moving_floor} or more of each are "
        f"needed and must differ from neutral alike, and for what the generator draws {config.floor} of each; look at the "
        "pictures and their labels, or add some"
    )


def _in_latent(
    labels: Sequence[str], moves: Mapping[str, Array], config: FitConfig
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The expressions with examples enough for the latent, and those seen too rarely for any part, with their counts.

    Raises: ExpressionError when nothing is left, or a wanted one is too rare.
    """
    counts = Counter(labels)
    asked = config.expressions or tuple(sorted(name for name in counts if name != REFERENCE))
    rare = {name: counts[name] for name in asked if counts[name] < config.floor and name not in moves}
    enough = tuple(name for name in asked if counts[name] >= config.floor)
    if moves and (counts[REFERENCE] < config.floor or not enough):
        return (), rare
    wanted = config.expressions and tuple(name for name in config.expressions if name in enough or name not in moves)
    names, left_out = choose_expressions(labels, wanted, config.floor)
    return names, {name: count for name, count in left_out.items() if name not in moves}


def _moving(name: str, labels: Sequence[str], people: Sequence[str] | None, origin: Origin) -> ExpressionAxis:
    """An axis that has no part in the latent, with what is known of its examples."""
    axis = moving_axis(name, torch.zeros(0), source=MOVES_FROM)
    who = range(len(labels)) if people is None else people
    shown, neutral = ({p for p, label in zip(who, labels, strict=True) if label == own} for own in (name, REFERENCE))
    return replace(
        axis,
        n_expression=list(labels).count(name),
        n_neutral=list(labels).count(REFERENCE),
        n_people=len(shown),
        n_people_both=len(shown & neutral),
        label_source=origin.label_source,
        licence=origin.licence,
    )


def _with_move(axis: ExpressionAxis, step: Array | None, shading: Array | None) -> ExpressionAxis:
    if step is None:
        return axis
    return replace(
        axis,
        coefficients=torch.tensor(step, dtype=torch.float32),
        shading=axis.shading if shading is None else torch.tensor(shading, dtype=torch.float32),
        source=MOVES_FROM if shading is None else f"{MOVES_FROM}; {SHADING_FROM}",
    )


def _moved(
    axes: Sequence[ExpressionAxis], moves: Mapping[str, Array], shadings: Mapping[str, Array]
) -> tuple[ExpressionAxis, ...]:
    return tuple(_with_move(axis, moves.get(axis.name), shadings.get(axis.name)) for axis in axes)


def _axis(
    shared: partial[ExpressionAxis],
    table: Table,
    name: str,
    step: Array,
    readout: ReadoutFit,
    known: Stability,
    config: FitConfig,
) -> ExpressionAxis:
    """What all axes share, completed by one expression's step, readout and statistics."""
    shown, without = table.shown(name), table.without(name)
    rare = table.count(shown) < config.experimental_below
    return shared(
        name=name,
        direction=torch.tensor(np.tile(step, (table.num_ws, 1)), dtype=torch.float32),
        readout=torch.tensor(readout.beta, dtype=torch.float32),
        intercept=readout.intercept,
        eta_per_unit=_rise(name, readout, step),
        n_expression=table.count(shown),
        n_neutral=table.count(without),
        n_people=len(table.people(shown)),
        n_people_both=len(table.people(shown) & table.people(without)),
        auc=readout.auc[0],
        auc_low=readout.auc[1],
        auc_high=readout.auc[2],
        converged=readout.converged,
        separated=readout.separated,
        condition_number=readout.condition_number,
        experimental=rare or readout.auc[1] < config.experimental_auc,
        link="identity" if readout.family in ("gaussian", "two-part") else "logit",
        family="pairs" if table.paired else "multinomial" if config.multinomial else readout.family,
        cosine_low=known.cosine[0],
        unit_low=known.unit[0],
        unit_high=known.unit[1],
        notes=readout.notes,
        validation=readout.validation,
    )


def _rise(name: str, readout: ReadoutFit, step: Array) -> float:
    """How far the readout moves along the step.

    Raises: ExpressionError when it does not rise.
    """
    rise = float(readout.beta @ step)
    if not rise > 0.0:
        raise ExpressionError(
            f"the readout of '{name}' moves by {rise:.3g} along its own step, needed above 0: the examples contradict "
            "each other; add examples, or leave this expression out"
        )
    return rise


def fit_labelled(
    labelled: LabelledLatents,
    *,
    model: Model = "pattern",
    config: FitConfig = FitConfig(),
    origin: Origin = Origin(),
    progress: Progress = silent,
) -> ExpressionAxes:
    """As `fit_expressions`, on all that `label_latents` or `label_photos` gives: labels or scores, people, pairs, weights.

    Raises: as fit_expressions.
    """
    return fit_expressions(
        labelled.latents,
        None if labelled.scores else labelled.labels,
        scores=labelled.scores or None,
        model=model,
        people=labelled.people,
        pairs=labelled.pairs,
        weights=labelled.weights,
        covariates=labelled.covariates,
        coefficients=labelled.coefficients,
        brightness=labelled.brightness,
        config=config,
        origin=origin,
        progress=progress,
    )
