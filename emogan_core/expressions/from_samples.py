"""Axes for any generator from its own samples, without a label: drawn, read, fitted and measured again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from ..errors import ExpressionError
from ..networks import Generator
from ..progress import Progress, silent
from ..wording import counted
from .axes import ExpressionAxes, ExpressionAxis, moving_only
from .axes_file import load_axes
from .sample_file import SampleTable
from .sample_fit import RawAxis, SampleSpace, directed, expect_faces, fit_scores
from .sample_scores import Score, scores_of, shapes_in
from .sample_units import MeasuredAxis, measure_units
from .steps import Model
from .summary import facts_of

MOST_NAMED = 6
HELD = "mouthSmile"
LEAST_COVERED = 1 / 3
"""The part of a named expression's step, squared, that the fitted shapes must make up."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleFit:
    """Axes that a generator's own samples gave, and what there is to say about them.

    Convention: `measured` are the axes with a direction; `left_out` says why other expressions and shapes have none;
    named expressions among these are still in `axes`, to move photos. `scores` are what was looked for; `drawn` and
    `seen` count the samples and those with a face; `notes` are sentences about covariates.
    """

    axes: ExpressionAxes
    measured: tuple[MeasuredAxis, ...]
    left_out: Mapping[str, str]
    scores: tuple[Score, ...]
    drawn: int
    seen: int
    notes: tuple[str, ...]


def fit_samples(
    generator: Generator,
    samples: SampleTable,
    *,
    model: Model = "pattern",
    named: ExpressionAxes | None = None,
    progress: Progress = silent,
) -> SampleFit:
    """One axis for every named expression and every shape of the face model that a generator's own samples show.

    The code of each sample is regressed on how much of a shape its face reads as (or the other way round, model
    "readout"), with pose and skin (lightness, redness, texture) held fixed; named expressions are put together from
    shapes. Identity is not held: a fit counts part of every expression to the person, and holding that takes half of a
    smile away; how far each axis moves it is told instead. Intensity 1 is measured on drawn faces: they read as much
    higher as a face that makes the typical step.

    Convention: `samples` as `read_samples` gives them; `named` are axes whose steps of the face model and shadings are
    taken over, None for the built-in ones. Axes that exist for the face model alone keep that part.
    Raises: ExpressionError when too few samples show a face, or none shows any expression; CheckpointError when pictures
    are not finite; Cancelled.
    """
    if model not in ("pattern", "readout"):
        raise ExpressionError(f"the model '{model}' is not known; use pattern or readout")
    seen = expect_faces(samples, generator.spec.name)
    known = load_axes() if named is None else named
    space = SampleSpace.of(seen)
    expressions, shapes = scores_of(seen, known)
    fit = partial(fit_scores, space, num_ws=generator.spec.num_ws, model=model, progress=progress)
    raw, untold = fit(shapes)
    found, unshown = measure_units(generator, raw, seen, progress=progress)
    raw, unknown = fit(expressions)
    composed, uncovered = _composed(space, raw, {one.axis.name: one.axis for one in found})
    named_too, undrawn = measure_units(generator, composed, seen, progress=progress)
    measured = [*named_too, *found]
    left_out = {**unknown, **uncovered, **undrawn, **untold, **unshown}
    if not measured:
        told = "; ".join(f"{name}: {why}" for name, why in list(left_out.items())[:MOST_NAMED])
        raise ExpressionError(
            f"the samples of '{generator.spec.name}' show no expression that could be fitted ({told}); ask for more "
            "--samples, or a --psi further from 0"
        )
    fitted = {one.axis.name: one.axis for one in measured}
    axes = ExpressionAxes(
        axes=(
            *(fitted.get(axis.name, moving_only(axis)) for axis in known if axis.has_coefficients),
            *(axis for name, axis in fitted.items() if name not in known.names),
        ),
        fingerprint=generator.fingerprint,
    )
    return SampleFit(
        axes=axes,
        measured=tuple(measured),
        left_out=left_out,
        scores=(*expressions, *shapes),
        drawn=len(samples),
        seen=len(seen),
        notes=space.notes,
    )


def _composed(
    space: SampleSpace, raw: list[RawAxis], shapes: Mapping[str, ExpressionAxis]
) -> tuple[list[RawAxis], dict[str, str]]:
    """Named expressions whose directions are put together from those of their shapes, as their steps of the face model are.

    Few samples show a surprise, many a raised brow: drawn faces read three times as much of a surprise put together so as
    along the slope on its own log odds. The readout of HELD stays where the expression has no part of it: samples that
    wrinkle the nose mostly smile. And why others are left out.
    """
    fitted, left_out = [], {}
    for one in raw:
        levels = shapes_in(one.axis)
        there = {name: level for name, level in levels.items() if name in shapes}
        covered = sum(level**2 for level in there.values()) / sum(level**2 for level in levels.values())
        if covered < LEAST_COVERED:
            lacking = ", ".join(sorted(set(levels) - set(there)))
            left_out[one.axis.name] = f"too few of its shapes could be fitted (not {lacking})"
            continue
        step = sum(
            (level * shapes[name].direction[0].double().numpy() for name, level in there.items()), 0.0 * space.X[0]
        )
        if HELD in shapes and HELD not in levels:
            step = space.holding(step, shapes[HELD].readout.double().numpy())
        fitted.append(replace(one, axis=directed(space, one.axis, step)))
    return fitted, left_out


def sample_report(fit: SampleFit) -> dict[str, object]:
    """A fit as JSON: what each axis does on drawn faces, what was left out and why, and what the samples show."""
    return {
        "generator": fit.axes.fingerprint,
        "axes": fit.axes.content_fingerprint,
        "drawn": fit.drawn,
        "seen": fit.seen,
        "expressions": {one.axis.name: _facts(one) for one in fit.measured},
        "left_out": dict(fit.left_out),
        "shown": {
            score.name: {"samples": score.shown, "mean": _short(score.values.mean()), "sd": _short(score.values.std())}
            for score in fit.scores
        },
        "notes": list(fit.notes),
    }


def sample_lines(fit: SampleFit) -> list[str]:
    """The same for people: one line for each axis, and for each that was left out."""
    return [
        f"{fit.seen} of {counted(fit.drawn, 'sample')} {'shows' if fit.seen == 1 else 'show'} a face",
        *(_line(one) for one in fit.measured),
        *(f"left out: {name} ({why})" for name, why in fit.left_out.items()),
        *(f"note: {note}" for note in fit.notes),
    ]


def _facts(one: MeasuredAxis) -> dict[str, object]:
    return {
        **facts_of(one.axis),
        "covariates": list(one.axis.covariates),
        "correlation": _short(one.correlation),
        "length_sd": _short(one.length),
        "reads_at_1": _short(one.rise),
        "typical": _short(one.typical),
        "identity_drift_sd": _short(one.identity_drift),
        "pose_drift_deg": _short(one.pose_drift_deg),
    }


def _line(one: MeasuredAxis) -> str:
    axis = one.axis
    told = f"{axis.name}: {counted(axis.n_expression, 'sample shows', 'samples show')} it, AUC {axis.auc:.2f}; at 1 drawn faces read {one.rise:+.2f}"
    if one.rise < 0.95 * one.typical:
        told += f" of it (typical {one.typical:.2f}: more is beyond what its samples show)"
    return f"{told}, identity moves by {one.identity_drift:.2f} sd" + (", experimental" if axis.experimental else "")


def _short(value: float) -> float:
    return round(float(value), 3)
