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
from ..errors import ExpressionError, ShapeError
from ..glm import Array, ReadoutConfig, ReadoutFit, fit_readout
from ..latents import Latent
from ..progress import Progress, StepReport, silent
from .axes import REFERENCE, ExpressionAxes, ExpressionAxis, moving_axis
from .moves import fit_moves
from .shadings import fit_shadings
from .steps import Basis, Model, StepConfig, find_steps, make_basis
from .tables import Mirror, Table, build_table, choose_expressions, expect_people
from .units import units

MOVES_FROM = "labelled pictures: the face model fitted to each"
SHADING_FROM = "shading measured on them"


@dataclass(frozen=True, slots=True)
class FitConfig:
    """What to fit and when to refuse.

    Convention: `expressions` None takes every label with `floor` examples or more (neutral needs as many); where the face
    model's coefficients are given, those with `moving_floor` or more get their part in it alone. An axis is
    marked experimental below `experimental_below` examples, or when the low end of its AUC's interval lies below
    `experimental_auc`. `layer_weights` has one number per row of W+, None for ones.
    """

    expressions: tuple[str, ...] | None = None
    floor: int = 40
    moving_floor: int = 12
    experimental_below: int = 100
    experimental_auc: float = 0.6
    layer_weights: tuple[float, ...] | None = None
    steps: StepConfig = field(default_factory=StepConfig)
    readout: ReadoutConfig = field(default_factory=ReadoutConfig)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where labels come from and what may be done with axes fitted on them."""

    label_source: str = ""
    licence: str = ""


def fit_expressions(
    latents: Latent,
    labels: Sequence[str],
    *,
    model: Model = "pattern",
    people: Sequence[str] | None = None,
    covariates: Mapping[str, Sequence[float]] | None = None,
    actions: Mapping[str, Sequence[float]] | None = None,
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

    Convention: one label, person and covariate value per latent; 'neutral' is the reference; `actions` are continuous
    facial actions (blendshapes, say) through which expressions named in the config are drawn; `mirror` holds the same
    pictures mirrored; `coefficients` [n, k] are the face model's, as `label_latents` gives them: with them each axis gets
    its part of the face model, and expressions with too few examples for the latent get that part alone; with
    `brightness` [n, f] from there as well, and people, it gets a shading where the examples agree on one.
    Raises: ShapeError for lengths that differ; ExpressionError for missing neutral faces, too few examples or people,
    covariates that are not finite, an unknown model, or a readout that contradicts the step.
    """
    if model not in ("pattern", "readout"):
        raise ExpressionError(f"the model '{model}' is not known; use pattern or readout")
    weights = _layer_weights(config.layer_weights, int(latents.ws.shape[1]))
    table = build_table(latents, labels, people, covariates or {}, actions or {}, mirror)
    moves: dict[str, Array] = {}
    if coefficients is not None:
        asked = config.expressions or tuple(sorted(set(labels) - {REFERENCE}))
        moves = fit_moves(coefficients, labels, asked, people=people, floor=config.moving_floor)
    shadings: dict[str, Array] = {}
    if brightness is not None and people is not None:
        shadings = fit_shadings(brightness, labels, tuple(moves), people=people, floor=config.moving_floor)
    names, left_out = _in_latent(labels, moves, config)
    alone = [
        _with_move(_moving(name, labels, people, origin), step, shadings.get(name))
        for name, step in moves.items()
        if name not in names
    ]
    if not names:
        return ExpressionAxes(axes=tuple(alone), fingerprint=latents.fingerprint, left_out=left_out)
    table = table.rows(np.isin(table.labels, [*names, REFERENCE]))
    for name in names:
        expect_people(table, name)
    basis = make_basis(table, names, config.steps)
    readouts = _readouts(basis, config, progress)
    steps, metric = find_steps(basis, model, np.stack([readout.beta for readout in readouts]), config.steps)
    lengths = units(table, names, model, tuple(readout.penalty for readout in readouts), config.steps)
    progress(StepReport(step=len(names) + 1, steps=len(names) + 1, what="measuring units"))
    shared = partial(
        ExpressionAxis,
        layer_weights=weights,
        model=model,
        covariance=metric,
        covariates=tuple(covariates or {}),
        actions=tuple(actions or {}),
        n_neutral=table.count(REFERENCE),
        label_source=origin.label_source,
        licence=origin.licence,
    )
    with gradients_off():  # ordinary tensors, whatever mode the caller is in
        axes = tuple(
            _axis(shared, table, name, step * length, readout, config)
            for name, step, length, readout in zip(names, steps, lengths, readouts, strict=True)
        )
    both = tuple(_with_move(axis, moves.get(axis.name), shadings.get(axis.name)) for axis in axes)
    return ExpressionAxes(axes=(*both, *alone), fingerprint=latents.fingerprint, left_out=left_out)


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


def _axis(
    shared: partial[ExpressionAxis], table: Table, name: str, step: Array, readout: ReadoutFit, config: FitConfig
) -> ExpressionAxis:
    """What all axes share, completed by one expression's step, readout and statistics."""
    rare = table.count(name) < config.experimental_below
    return shared(
        name=name,
        direction=torch.tensor(np.outer(shared.keywords["layer_weights"], step), dtype=torch.float32),
        readout=torch.tensor(readout.beta, dtype=torch.float32),
        intercept=readout.intercept,
        eta_per_unit=_rise(name, readout, step),
        actions=shared.keywords["actions"] if name in config.steps.through_actions else (),
        n_expression=table.count(name),
        n_people=len(table.people(name)),
        n_people_both=len(table.people(name) & table.people(REFERENCE)),
        auc=readout.auc[0],
        auc_low=readout.auc[1],
        auc_high=readout.auc[2],
        converged=readout.converged,
        separated=readout.separated,
        condition_number=readout.condition_number,
        experimental=rare or readout.auc[1] < config.experimental_auc,
    )


def _readouts(basis: Basis, config: FitConfig, progress: Progress) -> list[ReadoutFit]:
    """One cross-validated readout per expression, on latents from which covariates were taken out."""
    plain, names = basis.plain, basis.names
    readouts = []
    for index, name in enumerate(names):
        pair = plain.against_reference(name)
        readouts.append(
            fit_readout(
                plain.X[pair],
                plain.labels[pair] == name,
                groups=np.unique(plain.groups[pair], return_inverse=True)[1].astype(np.int64),
                metric=basis.metric,
                sample_weight=plain.weight[pair],
                config=config.readout,
            )
        )
        progress(StepReport(step=index + 1, steps=len(names) + 1, what=f"fitting {name}"))
    return readouts


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


def _layer_weights(given: tuple[float, ...] | None, num_ws: int) -> tuple[float, ...]:
    if given is None:
        return (1.0,) * num_ws
    if len(given) != num_ws or not np.isfinite(given).all() or not any(given):
        raise ShapeError(
            f"layer weights {given} came for a generator with {num_ws} rows; give one finite number per row, not all 0"
        )
    return tuple(float(weight) for weight in given)
