"""Everything that a report says about axes, gathered once; page, picture and JSON show the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import ExpressionError, SpaceMismatch
from ..expressions import ExpressionAxes, ExpressionAxis
from ..expressions.spelling import spelled_as_known
from ..expressions.summary import facts_of
from ..networks import Generator
from ..progress import Progress, StepReport, silent
from ..wording import counted
from .measure import Bar, DrawnFaces, bar_of, draw_faces, measured
from .strips import Composite, Strip, composites, drawn_strips, moved_strips
from .words import counts_of, meaning_of, remarks_on

MOST_OTHERS = 8


@dataclass(frozen=True, slots=True, eq=False)
class AxisReport:
    """One axis as a person sees it.

    Convention: `drawn` are strips of the generator's pictures, `moved` of photos in mode motion; `changes` are measured
    on drawn faces, in standard deviations of random faces; `readouts` are what the fit's own linear readouts say: of
    covariates in their standard deviations, of the other axes in multiples of their intensity 1; `layers` is the length
    of the step in each row of W+. Each is empty where there is none. `warnings` and `remarks` are sentences.
    """

    axis: ExpressionAxis
    meaning: str
    counts: str
    drawn: tuple[Strip, ...]
    moved: tuple[Strip, ...]
    changes: tuple[Bar, ...]
    readouts: tuple[Bar, ...]
    layers: tuple[float, ...]
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AxesReport:
    """A set of axes as a person sees it.

    Convention: `generator` names what drew the strips, "" where nothing did; `left_out` says in sentences which
    expressions were not fitted; `notes` what of the report itself could not be made.
    """

    generator: str
    fingerprint: str
    content_fingerprint: str
    axes: tuple[AxisReport, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def report_axes(
    axes: ExpressionAxes,
    generator: Generator | None = None,
    *,
    expressions: Sequence[str] = (),
    seed: int = 0,
    label: int | None = None,
    progress: Progress = silent,
) -> AxesReport:
    """Look at axes: draw faces and move photos along each, measure what else changes, and put the fit's figures into words.

    Convention: `generator` is the one that the axes were fitted on; without it nothing is drawn or measured. `expressions`
    names some of the axes, none means all. `seed` and `label` (a class) choose the random faces.
    Raises: SpaceMismatch for another generator; ExpressionError for a name that the axes do not have; ShapeError for a
    class that is none; CheckpointError when the generator draws no numbers; Cancelled.
    """
    chosen = _chosen(axes, expressions)
    if generator is not None and generator.fingerprint != axes.fingerprint and any(one.has_direction for one in chosen):
        raise SpaceMismatch(
            f"the axes were fitted on the generator {axes.fingerprint[:12]}, and '{generator.spec.name}' "
            f"({generator.fingerprint[:12]}) came; give the generator that they belong to"
        )
    draws = generator is not None and any(one.has_direction for one in chosen)
    faces = draw_faces(generator, seed=seed, label=label, progress=progress) if generator and draws else None
    photos = composites() if any(one.has_coefficients for one in chosen) else ()
    made = []
    for step, axis in enumerate(chosen, start=1):
        made.append(_looked_at(axes, axis, generator, faces, photos))
        progress(StepReport(step, len(chosen), "looking at axes"))
    notes = [f"What else changes was not measured: {faces.why}."] if faces and faces.why else []
    if any(one.has_direction for one in chosen) and not draws:
        notes.append("No generator was given, so nothing is drawn and what else changes was not measured.")
    return AxesReport(
        generator=generator.spec.name if generator and draws else "",
        fingerprint=axes.fingerprint,
        content_fingerprint=axes.content_fingerprint,
        axes=tuple(made),
        left_out=tuple(
            f"{name}: {counted(count, 'example is', 'examples are')} too few" for name, count in axes.left_out.items()
        ),
        notes=tuple(notes),
    )


def report_facts(report: AxesReport) -> dict[str, object]:
    """A report as JSON: every figure and sentence of it, without the pictures."""
    return {
        "generator": report.generator,
        "fingerprint": report.fingerprint,
        "axes": report.content_fingerprint,
        "expressions": {one.axis.name: _facts(one) for one in report.axes},
        "left_out": list(report.left_out),
        "notes": list(report.notes),
    }


def _facts(one: AxisReport) -> dict[str, object]:
    told = one.axis.validation
    return {
        **facts_of(one.axis),
        "meaning": one.meaning,
        "counts": one.counts,
        "warnings": list(one.warnings),
        "remarks": list(one.remarks),
        "changes_sd": {bar.name: bar.value for bar in one.changes},
        "readouts": {bar.name: bar.value for bar in one.readouts},
        "step_by_row": list(one.layers),
        "roc": {"false_rate": list(told.false_rate), "true_rate": list(told.true_rate)},
        "calibration": {
            "unit": told.unit,
            "told": list(told.told),
            "found": list(told.found),
            "rows": list(told.rows),
        },
    }


def _chosen(axes: ExpressionAxes, expressions: Sequence[str]) -> tuple[ExpressionAxis, ...]:
    """The axes asked for, in the order of the set.

    Raises: ExpressionError.
    """
    if not expressions:
        return axes.axes
    wanted = spelled_as_known(dict.fromkeys(expressions, 1.0), axes)[0]
    strange = [name for name in wanted if name not in axes.names]
    if strange:
        raise ExpressionError(f"'{strange[0]}' is none of these axes; there are {', '.join(axes.names[:40])}")
    return tuple(axis for axis in axes if axis.name in wanted)


def _looked_at(
    axes: ExpressionAxes,
    axis: ExpressionAxis,
    generator: Generator | None,
    faces: DrawnFaces | None,
    photos: tuple[Composite, ...],
) -> AxisReport:
    drawn: tuple[Strip, ...] = ()
    changes: tuple[Bar, ...] = ()
    if generator is not None and faces is not None and axis.has_direction:
        drawn = drawn_strips(generator, faces.ws, axis)
        changes = measured(generator, faces, axes, axis)
    warnings, remarks = remarks_on(axis, changes)
    return AxisReport(
        axis=axis,
        meaning=meaning_of(axis.name),
        counts=counts_of(axis),
        drawn=drawn,
        moved=moved_strips(photos, axes, axis),
        changes=changes,
        readouts=_readouts(axes, axis),
        layers=tuple(round(float(length), 4) for length in axis.direction.double().norm(dim=-1)),
        warnings=warnings,
        remarks=remarks,
    )


def _readouts(axes: ExpressionAxes, axis: ExpressionAxis) -> tuple[Bar, ...]:
    """Covariates, then the other axes whose readouts move most."""
    if not axis.has_direction:
        return ()
    drifts = zip(axis.covariates, axis.covariate_drift, strict=False)  # files of earlier versions have none
    covariates = [bar_of(name, value) for name, value in drifts][:MOST_OTHERS]
    step = axis.direction.double().mean(0)
    others = [
        bar_of(other.name, float(torch.dot(step, other.readout.double())) / other.eta_per_unit)
        for other in axes
        if other.has_direction and other is not axis and other.eta_per_unit > 0.0
    ]
    strongest = sorted(others, key=lambda bar: -abs(bar.value))[:MOST_OTHERS]
    return (*covariates, *(bar for bar in others if bar in strongest))
