"""`emogan fit`: expression axes from a labelled folder of faces."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..checkpoints import load_generator
from ..errors import OutputError
from ..expressions import (
    ExpressionAxes,
    ExpressionAxis,
    FitConfig,
    Origin,
    fit_expressions,
    label_latents,
    read_face_set,
    save_axes,
)
from ..expressions.tables import choose_expressions
from ..progress import Progress
from .arguments import Outcome, expect_safetensors, input_files


def fit_folder(arguments: Namespace, progress: Progress) -> Outcome:
    """Invert every labelled face, fit one axis per expression, and write the axes."""
    expect_safetensors(arguments.out, inputs=[*input_files(arguments), arguments.labels])
    faces = read_face_set(arguments.folder, arguments.labels, covariates=arguments.covariate)
    if arguments.out.resolve() in {path.resolve() for path in faces.files}:
        raise OutputError(f"the output {arguments.out} is one of the labelled files; choose another name")
    choose_expressions(
        faces.expressions, None, FitConfig().moving_floor
    )  # too few examples: say so before the long work
    generator = load_generator(arguments.generator, device=arguments.device)
    labelled = label_latents(generator, faces, aligned=arguments.aligned, method=arguments.method, progress=progress)
    axes = fit_expressions(
        labelled.latents,
        labelled.labels,
        model=arguments.model,
        people=labelled.people,
        covariates=labelled.covariates,
        coefficients=labelled.coefficients,
        origin=Origin(label_source=arguments.label_source, licence=arguments.licence),
        progress=progress,
    )
    save_axes(arguments.out, axes)
    skipped = len(labelled.skipped)
    return _report(axes, skipped=skipped), _lines(axes, arguments.out, skipped=skipped)


def _report(axes: ExpressionAxes, *, skipped: int) -> dict[str, object]:
    expressions = {
        axis.name: {"examples": axis.n_expression, "auc": round(axis.auc, 3), "experimental": axis.experimental}
        for axis in axes
    }
    return {
        "generator": axes.fingerprint,
        "axes": axes.content_fingerprint,
        "expressions": expressions,
        "left_out": dict(axes.left_out),
        "pictures_without_a_usable_face": skipped,
    }


def _lines(axes: ExpressionAxes, target: Path, *, skipped: int) -> list[str]:
    lines = [_line(axis) for axis in axes]
    lines += [f"{name}: left out, {count} examples are too few" for name, count in axes.left_out.items()]
    if skipped:
        lines.append(f"{skipped} pictures were left out: no usable face")
    return [*lines, f"wrote {target}"]


def _line(axis: ExpressionAxis) -> str:
    if not axis.has_direction:
        return f"{axis.name}: {axis.n_expression} examples, moves the face model only (too few for the latent)"
    rare = ", experimental" if axis.experimental else ""
    return f"{axis.name}: {axis.n_expression} examples, AUC {axis.auc:.2f} ({axis.auc_low:.2f} to {axis.auc_high:.2f}){rare}"
