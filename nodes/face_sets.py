"""Labelled codes from an IMAGE batch, or from a table or folders in the host's input folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ..emogan_core import (
    ExpressionError,
    FitConfig,
    Generator,
    LabelledLatents,
    Progress,
    choose_expressions,
    counted,
    expect_fittable,
    expect_held,
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

    `scores` are columns of numbers to be learned instead of the expressions, `covariates` those of what differs besides;
    `neutral` is the label that stands for it, and `config` says what is fitted, to be told early what cannot be.
    """

    aligned: bool
    method: str
    progress: Progress
    scores: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    neutral: str = ""
    config: FitConfig = field(default_factory=FitConfig)


def from_files(generator: Generator, chosen: Path, *, how: CodingOptions) -> tuple[LabelledLatents, tuple[str, ...]]:
    """Codes of the pictures that lie beside a table, or in the folders of a folder, and sentences: how labels were read, and
    which pictures were left out, and why.

    Raises: ExpressionError, PhotoError; CheckpointError for a generator without the encoder that a method needs.
    """
    expect_method(generator, how.method)
    folder, table = (chosen, None) if chosen.is_dir() else (chosen.parent, chosen)
    faces = read_face_set(folder, table, covariates=how.covariates, neutral=how.neutral or None, scores=how.scores)
    expect_fittable(faces, how.config)
    labelled = label_latents(generator, faces, aligned=how.aligned, method=how.method, progress=how.progress)
    return labelled, (*faces.notices, *_left_out(labelled, folder))


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
    if how.scores or how.covariates:
        what = "scores" if how.scores else "covariates"
        raise ExpressionError(f"{what} are columns of a CSV, and none is chosen; choose one as face_set")
    expressions, names = words_of(labels), words_of(people)
    for one, several, words in (("label", "labels", expressions), ("person", "people", names or expressions)):
        if len(words) != len(images):
            raise ExpressionError(
                f"{counted(len(words), one, several)} came for {counted(len(images), 'image')}; write one per image"
            )
    expressions, told = read_labels("labels", expressions, neutral=how.neutral or None)
    choose_expressions(expressions, None, how.config.moving_floor)
    expect_held(how.config, expressions)
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
