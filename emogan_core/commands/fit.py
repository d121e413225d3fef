"""`emogan fit`: expression axes from a labelled folder of faces."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import torch

from ..checkpoints import load_generator
from ..errors import ExpressionError, FaceError
from ..expressions import ExpressionAxes, FaceSet, FitConfig, Origin, fit_expressions, read_face_set, save_axes
from ..expressions.tables import choose_expressions
from ..faces import Crop, choose_face, crop_of, cut
from ..images import open_photo
from ..inversion import invert_images
from ..latents import Latent
from ..networks.build import Generator
from ..progress import Progress, StepReport, silent
from .arguments import Outcome, expect_safetensors, input_files

CODED_AT_ONCE = 32


def fit_folder(arguments: Namespace, progress: Progress) -> Outcome:
    """Invert every labelled face, fit one axis per expression, and write the axes."""
    expect_safetensors(arguments.out, inputs=[*input_files(arguments), arguments.labels])
    faces = read_face_set(arguments.folder, arguments.labels, covariates=arguments.covariate)
    if arguments.out.resolve() in {path.resolve() for path in faces.files}:
        raise ExpressionError(f"the output {arguments.out} is one of the labelled files; choose another name")
    choose_expressions(faces.expressions, None, FitConfig().floor)  # too few examples: say so before the long work
    generator = load_generator(arguments.generator, device=arguments.device)
    latents, kept = face_set_latents(
        generator, faces, aligned=arguments.aligned, method=arguments.method, progress=progress
    )
    axes = fit_expressions(
        latents,
        [faces.expressions[row] for row in kept],
        model=arguments.model,
        people=None if faces.people is None else [faces.people[row] for row in kept],
        covariates={name: [values[row] for row in kept] for name, values in faces.covariates.items()},
        origin=Origin(label_source=arguments.label_source, licence=arguments.licence),
        progress=progress,
    )
    save_axes(arguments.out, axes)
    return _report(axes, skipped=len(faces) - len(kept)), _lines(axes, arguments.out, skipped=len(faces) - len(kept))


def face_set_latents(
    generator: Generator, faces: FaceSet, *, aligned: bool, method: str, progress: Progress
) -> tuple[Latent, list[int]]:
    """Codes of a face set's pictures, and which of its rows they are: those without a usable face are left out.

    Convention: `aligned` pictures already are the generator's frame from edge to edge.
    Raises: PhotoError for a file that is no picture; ExpressionError when no picture has a usable face.
    """
    codes: list[torch.Tensor] = []
    kept: list[int] = []
    waiting: list[torch.Tensor] = []
    for row, path in enumerate(faces.files):
        image = _image(generator, path, aligned=aligned)
        if image is not None:
            waiting.append(image)
            kept.append(row)
        if waiting and (len(waiting) == CODED_AT_ONCE or row == len(faces) - 1):
            codes.append(invert_images(generator, torch.cat(waiting), method=method, progress=silent).latent.ws)
            waiting = []
        progress(StepReport(row + 1, len(faces), "inverting the face set"))
    if not codes:
        raise ExpressionError(
            f"none of the {len(faces)} pictures shows a usable face; give photos of faces seen from the front, or "
            "--aligned if they are already cut in the generator's frame"
        )
    return Latent(torch.cat(codes), generator.fingerprint), kept


def _image(generator: Generator, path: Path, *, aligned: bool) -> torch.Tensor | None:
    """One face in the generator's frame, [1, 3, r, r]; None when the photo shows none that can be used."""
    photo = open_photo(path)
    side = generator.spec.resolution
    if aligned:
        height, width = photo.pixels.shape[:2]
        quad = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
        return cut(photo, Crop(quad=quad, landmarks=np.zeros((5, 2)), frame=generator.spec.crop), side)
    try:
        return cut(photo, crop_of(choose_face(photo), generator.spec.crop), side)
    except FaceError:
        return None


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
    lines = [
        f"{axis.name}: {axis.n_expression} examples, AUC {axis.auc:.2f} ({axis.auc_low:.2f} to {axis.auc_high:.2f})"
        + (", experimental" if axis.experimental else "")
        for axis in axes
    ]
    lines += [f"{name}: left out, {count} examples are too few" for name, count in axes.left_out.items()]
    if skipped:
        lines.append(f"{skipped} pictures were left out: no usable face")
    return [*lines, f"wrote {target}"]
