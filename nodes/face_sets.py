"""Labelled codes from an IMAGE batch or from a table in the host's input folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..emogan_core import (
    ExpressionError,
    FitConfig,
    Generator,
    LabelledLatents,
    Progress,
    choose_expressions,
    expect_method,
    label_latents,
    label_photos,
    read_face_set,
    read_labels,
)
from .pictures import photos_of

CODED_AT_ONCE = 32
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class CodingOptions:
    """How pictures become codes: whether they are already cut in the generator's frame, by which method, who listens.

    `scores` are columns of numbers to be learned instead of the expressions.
    """

    aligned: bool
    method: str
    progress: Progress
    scores: tuple[str, ...] = ()


def from_table(generator: Generator, table: Path, *, how: CodingOptions) -> tuple[LabelledLatents, tuple[str, ...]]:
    """Codes of the pictures that lie beside a table, and sentences: how it was read, and which were left out, and why.

    Raises: ExpressionError, PhotoError; CheckpointError for a generator without the encoder that a method needs.
    """
    expect_method(generator, how.method)
    faces = read_face_set(table.parent, table, scores=how.scores)
    if not how.scores:  # too few examples: say so before the long work
        choose_expressions(faces.expressions, None, FitConfig().moving_floor)
    labelled = label_latents(generator, faces, aligned=how.aligned, method=how.method, progress=how.progress)
    return labelled, (*faces.notices, *_left_out(labelled, table.parent))


def from_batch(
    generator: Generator, images: Tensor | None, labels: str, people: str, *, how: CodingOptions
) -> tuple[LabelledLatents, tuple[str, ...]]:
    """Codes of the pictures of an IMAGE, and sentences: how labels were read, and which pictures were left out, and why.

    Convention: `labels` and `people` hold one word per picture, by line or comma, labels as tables have them; no people
    means that all differ.
    Raises: ExpressionError; CheckpointError for a generator without the encoder that a method needs.
    """
    if images is None:
        raise ExpressionError("no faces came; connect images and write their labels, or choose a CSV as face_set")
    if how.scores:
        raise ExpressionError("scores are columns of a CSV, and none is chosen; choose one as face_set")
    expressions, names = words_of(labels), words_of(people)
    for what, words in (("labels", expressions), ("people", names or expressions)):
        if len(words) != len(images):
            raise ExpressionError(f"{len(words)} {what} came for {len(images)} images; write one per image")
    expressions, told = read_labels("labels", expressions)
    choose_expressions(expressions, None, FitConfig().moving_floor)
    photos = [photos_of(images[row : row + 1])[0] for row in range(len(images))]
    labelled = label_photos(
        generator,
        photos,
        expressions,
        people=names or None,
        aligned=how.aligned,
        method=how.method,
        progress=how.progress,
    )
    return labelled, (*(f"labels: {one}" for one in told), *_left_out(labelled, None))


def _left_out(labelled: LabelledLatents, folder: Path | None) -> list[str]:
    """The pictures that were left out, by name inside their folder or by number."""
    named = [
        (one.name if folder is None else Path(one.name).relative_to(folder).as_posix(), one.why)
        for one in labelled.skipped
    ]
    lines = [f"left out: {name} ({why})" for name, why in named[:MOST_NAMED]]
    return [*lines, f"left out: {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else lines


def words_of(text: str) -> tuple[str, ...]:
    """Words by line or comma."""
    return tuple(part.strip() for part in text.replace(",", "\n").splitlines() if part.strip())
