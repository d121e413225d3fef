"""Labelled pictures from an IMAGE batch or a table, and their codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..emogan_core.errors import ExpressionError, FaceError
from ..emogan_core.expressions import FaceSet
from ..emogan_core.faces import Crop, choose_face, crop_of, cut
from ..emogan_core.images import Photo, open_photo
from ..emogan_core.inversion import invert_images
from ..emogan_core.latents import Latent
from ..emogan_core.networks import Generator
from ..emogan_core.progress import Progress, StepReport
from .pictures import photos_of

CODED_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPictures:
    """Pictures that are fetched one by one, with their labels; `people` is None when nobody said who is who."""

    fetch: Callable[[int], Photo]
    expressions: tuple[str, ...]
    people: tuple[str, ...] | None


def from_batch(images: Tensor | None, labels: str, people: str) -> LabelledPictures:
    """Pictures of an IMAGE with one label each.

    Raises: ExpressionError.
    """
    if images is None:
        raise ExpressionError("no faces came; connect images and write their labels, or choose a CSV as face_set")
    expressions, names = _words(labels), _words(people)
    for what, words in (("labels", expressions), ("people", names or expressions)):
        if len(words) != len(images):
            raise ExpressionError(f"{len(words)} {what} came for {len(images)} images; write one per image")
    return LabelledPictures(lambda row: photos_of(images[row : row + 1])[0], expressions, names or None)


def from_table(faces: FaceSet) -> LabelledPictures:
    """Pictures of a folder, labelled by its table."""
    return LabelledPictures(lambda row: open_photo(faces.files[row]), faces.expressions, faces.people)


def codes_of(
    generator: Generator, pictures: LabelledPictures, *, aligned: bool, progress: Progress
) -> tuple[Latent, list[int]]:
    """Codes by the encoder, and the rows they belong to; pictures without a usable face are left out.

    Raises: ExpressionError when no picture has one; CheckpointError for a generator without an encoder.
    """
    total = len(pictures.expressions)
    codes: list[Tensor] = []
    kept: list[int] = []
    waiting: list[Tensor] = []
    for row in range(total):
        face = _face(generator, pictures.fetch(row), aligned=aligned)
        if face is not None:
            kept.append(row)
            waiting.append(face)
        if waiting and (len(waiting) == CODED_AT_ONCE or row == total - 1):
            codes.append(invert_images(generator, torch.cat(waiting), method="encode").latent.ws)
            waiting = []
        progress(StepReport(row + 1, total, "inverting the face set"))
    if not codes:
        raise ExpressionError(f"none of the {total} pictures shows a usable face; give faces seen from the front")
    return Latent(torch.cat(codes), generator.fingerprint), kept


def _face(generator: Generator, photo: Photo, *, aligned: bool) -> Tensor | None:
    """One face in the generator's frame, [1, 3, r, r], or None."""
    spec = generator.spec
    if aligned:
        height, width = photo.pixels.shape[:2]
        quad = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
        return cut(photo, Crop(quad=quad, landmarks=np.zeros((5, 2)), frame=spec.crop), spec.resolution)
    try:
        return cut(photo, crop_of(choose_face(photo), spec.crop), spec.resolution)
    except FaceError:
        return None


def _words(text: str) -> tuple[str, ...]:
    """Words by line or comma."""
    parts: Sequence[str] = text.replace(",", "\n").splitlines()
    return tuple(part.strip() for part in parts if part.strip())
