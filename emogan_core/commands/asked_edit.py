"""What `emogan edit` was asked for, and one face of one photo to which it is done."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..compose import Composite, put_back
from ..errors import ExpressionError, FaceError, PhotoError
from ..expressions import ExpressionAxes, apply_expressions, copy_expression, inversion_after, join_edits
from ..face_model import REGIONS, FaceFit
from ..faces import choose_among, find_faces, fit_to_photo
from ..images import Photo, open_photo, read_record
from ..inversion import Edit, Inversion, expect_method
from ..networks.build import Generator
from ..progress import Progress
from ..provenance import edit_record, with_earlier
from ..wording import counted
from .arguments import (
    clear_notes,
    expect_possible,
    input_files,
    intensities_of,
    inverted,
    load_models,
    notes_of,
    spelled,
    spelled_out,
)
from .unused_options import refuse_unused, refuse_unused_for_inversion


@dataclass(frozen=True, slots=True, eq=False)
class AskedEdit:
    """Intensities by name, a face to copy from or None with the regions to copy, and how they are meant."""

    intensities: Mapping[str, float]
    absolute: bool
    neutral_first: bool
    reference: FaceFit | None
    regions: tuple[str, ...]

    @property
    def options(self) -> dict[str, object]:
        """What a record says beside the intensities: only what was asked for."""
        told: dict[str, object] = {}
        if self.absolute:
            told["absolute"] = True
        if self.neutral_first:
            told["neutral_first"] = True
        if self.reference is not None:
            told["copied"] = list(self.regions)
        return told

    @property
    def told(self) -> str:
        """In words."""
        copied = "" if self.regions == REGIONS else f" ({', '.join(self.regions)})"
        parts = [
            "neutral first" if self.neutral_first else "",
            f"copied expression{copied}" if self.reference is not None else "",
            spelled(self.intensities) + (" absolute" if self.absolute else ""),
        ]
        return ", ".join(part for part in parts if part)

    @property
    def is_plain(self) -> bool:
        """Whether it is intensities alone, which a sheet can go through."""
        return not self.options


@dataclass(frozen=True, slots=True, eq=False)
class FaceInPhoto:
    """One face of one photo, inverted and ready to be edited."""

    generator: Generator
    axes: ExpressionAxes
    photo: Photo
    inversion: Inversion
    mode: str

    def edit(self, asked: AskedEdit) -> Edit:
        """Neutral first, then what is copied, then the named expressions, each on top of the one before."""
        if asked.reference is None:
            options = {"absolute": asked.absolute, "neutral_first": asked.neutral_first}
            return apply_expressions(self.inversion, self.axes, asked.intensities, **options)
        first = apply_expressions(self.inversion, self.axes, {}, neutral_first=asked.neutral_first)
        calm = inversion_after(self.inversion, first)
        copied = copy_expression(calm, asked.reference, self.axes, regions=asked.regions)
        moved = inversion_after(calm, copied)
        last = apply_expressions(moved, self.axes, asked.intensities, absolute=asked.absolute)
        return join_edits([first, copied, last])

    def composite(self, edit: Edit, *, redraw: bool = False) -> Composite:
        """The photo with an edit in it; with `redraw` the generator's picture as well, which mode paste has anyway."""
        return put_back(self.generator, self.photo, self.inversion, edit, mode=self.mode, redraw=redraw)

    def clear_notes(self, name: str) -> list[str]:
        """What there is to say where the photo of this name hardly shows the face for its alpha."""
        assert self.inversion.crops is not None  # `invert` cut them from the photo
        return clear_notes(self.photo, self.inversion.crops[0].landmarks, name)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedEdit:
    """All that an edit needs beside the photo: models, what was asked for, the record to save, and what there is to say."""

    generator: Generator
    axes: ExpressionAxes
    asked: AskedEdit
    record: dict[str, object]
    notes: list[str]


def prepared(arguments: Namespace, check_files: Callable[[list[Path]], object]) -> PreparedEdit:
    """Read the arguments, cheap things first; `check_files` is given the inputs before the models are loaded.

    Raises: EmoganError for what cannot be done.
    """
    intensities, regions = intensities_of(arguments), _regions(arguments)
    _expect_something(arguments, intensities)
    refuse_unused_for_inversion(arguments)
    if not intensities:
        refuse_unused({"--absolute": arguments.absolute}, "about expressions that are named, and none came")
    others = [path for path in (arguments.copy_from, arguments.ignore) if path is not None]
    check_files(input_files(arguments, arguments.photo, *others))
    generator, axes = load_models(arguments)
    expect_method(generator, arguments.method)
    intensities, notes = spelled_out(intensities, axes)
    blind = arguments.mode == "paste" and generator.encoder is None  # knows an edit by its latent alone
    expect_possible(generator, axes, intensities, drawn=blind)
    if blind and arguments.copy_from is not None:
        raise ExpressionError(
            f"--copy-from came with --mode paste, but '{generator.spec.name}' has no encoder to read a copied expression "
            "with; use --mode motion, or give it an encoder with 'emogan train-encoder'"
        )
    reference, said = _reference(arguments.copy_from)
    asked = AskedEdit(intensities, arguments.absolute, arguments.neutral_first, reference, regions)
    record = edit_record(
        intensities, generator=generator.fingerprint, axes=axes.content_fingerprint, mode=arguments.mode
    )
    record = with_earlier(record | asked.options, _record_of(arguments.photo))
    return PreparedEdit(generator, axes, asked, record, [*notes, *said])


def _record_of(photo: Path) -> dict[str, object] | None:
    """The record that a photo carries; None as well where its first page cannot be read, as others may be edited."""
    try:
        return read_record(photo)
    except PhotoError:
        return None


def face_in(
    photo: Photo, arguments: Namespace, models: PreparedEdit, progress: Progress
) -> tuple[FaceInPhoto, list[str]]:
    """The face that `--face` names, inverted, and what there is to say about the others.

    Raises: as `inverted`.
    """
    inversion, notes = inverted(arguments, models.generator, photo, progress)
    return FaceInPhoto(models.generator, models.axes, photo, inversion, arguments.mode), notes


def notices_of(composite: Composite) -> list[str]:
    """What an edited photo has to say of itself."""
    notices = composite.report.get("notices")
    return [f"note: {sentence}" for sentence in notices] if isinstance(notices, tuple | list) else []


def _regions(arguments: Namespace) -> tuple[str, ...]:
    """The parts of the face to copy, in the model's order.

    Raises: ExpressionError.
    """
    if arguments.regions is None:
        return REGIONS
    if arguments.copy_from is None:
        raise ExpressionError("--regions came without --copy-from; name the photo to copy from")
    asked = [name.strip() for name in arguments.regions.split(",") if name.strip()]
    unknown = [name for name in asked if name not in REGIONS]
    if unknown or not asked:
        raise ExpressionError(
            f"region '{unknown[0] if unknown else ''}' is not known; give --regions some of {','.join(REGIONS)}"
        )
    return tuple(name for name in REGIONS if name in asked)


def _expect_something(arguments: Namespace, intensities: Mapping[str, float]) -> None:
    """Refuse an edit that asks for nothing.

    Raises: ExpressionError.
    """
    if not intensities and arguments.copy_from is None and not arguments.neutral_first:
        raise ExpressionError(
            "no expression was asked for; give --expression NAME=X, --neutral-first or --copy-from PHOTO, "
            "'emogan expressions' lists the names"
        )


def _reference(path: Path | None) -> tuple[FaceFit | None, list[str]]:
    """The largest face of the photo to copy from, and what there is to say about it.

    Raises: FaceError naming that photo when it shows none.
    """
    if path is None:
        return None, []
    photo = open_photo(path)
    found = find_faces(photo)
    try:
        face = choose_among(found, photo)
        fit = fit_to_photo(photo, face)
    except FaceError as error:
        raise FaceError(f"the photo to copy from, {path.name}: {error}") from error
    several = [f"{path.name} shows {counted(len(found), 'face')}; the largest was copied"] if len(found) > 1 else []
    return fit, [*several, *clear_notes(photo, face.landmarks, path.name), *notes_of(photo)]
