"""Labelled codes from an IMAGE batch or from a table in the host's input folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..emogan_core.errors import ExpressionError, FaceError
from ..emogan_core.expressions import FitConfig, LabelledLatents, label_latents, read_face_set
from ..emogan_core.expressions.labelled import coefficients_in, whole
from ..emogan_core.expressions.tables import choose_expressions
from ..emogan_core.faces import choose_face, crop_of, cut
from ..emogan_core.inversion import expect_method, invert_images
from ..emogan_core.latents import Latent
from ..emogan_core.networks import Generator
from ..emogan_core.progress import Progress, StepReport, in_parts
from .pictures import photos_of

CODED_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Coding:
    """How pictures become codes: whether they are already cut in the generator's frame, by which method, who listens."""

    aligned: bool
    method: str
    progress: Progress


def from_table(generator: Generator, table: Path, *, how: Coding) -> tuple[LabelledLatents, int]:
    """Codes of the pictures that lie beside a table, and how many showed no usable face.

    Raises: ExpressionError, PhotoError; CheckpointError for a generator without the encoder that a method needs.
    """
    expect_method(generator, how.method)
    faces = read_face_set(table.parent, table)
    choose_expressions(
        faces.expressions, None, FitConfig().moving_floor
    )  # too few examples: say so before the long work
    labelled = label_latents(generator, faces, aligned=how.aligned, method=how.method, progress=how.progress)
    return labelled, len(labelled.skipped)


def from_batch(
    generator: Generator, images: Tensor | None, labels: str, people: str, *, how: Coding
) -> tuple[LabelledLatents, int]:
    """Codes of the pictures of an IMAGE, and how many showed no usable face.

    Convention: `labels` and `people` hold one word per picture, by line or comma; no people means that all differ.
    Raises: ExpressionError; CheckpointError for a generator without the encoder that a method needs.
    """
    if images is None:
        raise ExpressionError("no faces came; connect images and write their labels, or choose a CSV as face_set")
    expressions, names = _words(labels), _words(people)
    for what, words in (("labels", expressions), ("people", names or expressions)):
        if len(words) != len(images):
            raise ExpressionError(f"{len(words)} {what} came for {len(images)} images; write one per image")
    choose_expressions(expressions, None, FitConfig().moving_floor)
    expect_method(generator, how.method)
    found: dict[int, Tensor] = {}
    coefficients: list[NDArray[np.float64]] = []
    for row in range(len(images)):
        photo = photos_of(images[row : row + 1])[0]
        with suppress(FaceError):
            face = None if how.aligned else choose_face(photo)
            crop = whole(photo, generator.spec.crop) if face is None else crop_of(face, generator.spec.crop)
            found[row] = cut(photo, crop, generator.spec.resolution)
            coefficients.append(coefficients_in(photo, face))
        how.progress(StepReport(row + 1, len(images), "finding faces"))
    labelled = LabelledLatents(
        latents=_codes(generator, tuple(found.values()), how),
        labels=tuple(expressions[row] for row in found),
        people=tuple(names[row] for row in found) if names else None,
        covariates={},
        skipped=(),
        coefficients=np.stack(coefficients),
    )
    return labelled, len(images) - len(found)


def _codes(generator: Generator, faces: Sequence[Tensor], how: Coding) -> Latent:
    """Codes of faces in the generator's frame.

    Raises: ExpressionError without any face; Cancelled.
    """
    if not faces:
        raise ExpressionError("none of the images shows a usable face; give faces seen from the front")
    groups = [torch.cat(faces[start : start + CODED_AT_ONCE]) for start in range(0, len(faces), CODED_AT_ONCE)]
    ws = []
    for number, group in enumerate(groups):
        report = in_parts(how.progress, number, len(groups))
        ws.append(invert_images(generator, group, method=how.method, progress=report).latent.ws)
    return Latent(torch.cat(ws), generator.fingerprint)


def _words(text: str) -> tuple[str, ...]:
    """Words by line or comma."""
    return tuple(part.strip() for part in text.replace(",", "\n").splitlines() if part.strip())
