"""`emogan edit`: a photo in, the same person with another expression out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..compose import Composite, put_back
from ..errors import ExpressionError, FaceError
from ..expressions import (
    LIMIT,
    ExpressionAxes,
    apply_expressions,
    copy_expression,
    inversion_after,
    join_edits,
    reading_lines,
    reading_of,
    share_of_edit,
)
from ..face_model import REGIONS, FaceFit
from ..faces import Crop, choose_among, find_faces, fit_to_photo, seen_again, window_around
from ..images import Photo, open_photo, photo_from_tensor
from ..inversion import Edit, Inversion
from ..metadata import Metadata
from ..networks.build import Generator
from ..progress import Progress, StepReport
from ..provenance import edit_record
from ..sheets import contact_sheet
from .arguments import (
    Outcome,
    expect_possible,
    first_of,
    input_files,
    intensities_of,
    inverted,
    load_models,
    notes_of,
    spelled,
)
from .outputs import Outputs
from .read import reading_report

SHEET_SHARES = (0.0, 0.5, 1.0, 1.5)


def edit_photo(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """A photo in, the same photo with other expressions out."""
    intensities, regions = intensities_of(arguments), _regions(arguments)
    _expect_something(arguments, intensities)
    others = [path for path in (arguments.copy_from, arguments.ignore) if path is not None]
    inputs = input_files(arguments, arguments.photo, *others)
    photo = open_photo(arguments.photo)
    targets = [target for target in (arguments.out, arguments.sheet) if target is not None]
    outputs.expect_photos(targets, photo=photo, inputs=inputs)
    generator, axes = load_models(arguments)
    expect_possible(generator, axes, intensities, drawn=arguments.mode == "paste")
    reference, notes = _reference(arguments.copy_from)
    wish = _Wish(intensities, arguments.absolute, arguments.neutral_first, reference, regions)
    inversion = inverted(arguments, generator, photo, progress)
    job = _Job(generator, axes, photo, inversion, arguments.mode)
    composite = job.composite(job.edit(wish))
    record = edit_record(
        intensities, generator=generator.fingerprint, axes=axes.content_fingerprint, mode=arguments.mode
    )
    record |= wish.options
    outputs.save_photo(arguments.out, composite.photo, record=record)
    changed = float((composite.mask > 0).mean())
    lines = [
        f"{wish.told}: wrote {arguments.out} ({changed:.0%} of the picture may differ)",
        *notes,
        *notes_of(photo, arguments.out),
    ]
    reached, said = _reached(composite, inversion)
    if arguments.sheet is not None:
        profile = Metadata(icc_profile=photo.metadata.icc_profile)  # what the numbers of its pictures mean
        sheet = replace(_sheet(job, wish, composite, progress), metadata=profile)
        outputs.save_photo(arguments.sheet, sheet, record=record)
        lines.append(f"contact sheet: {arguments.sheet}")
    height, width = photo.pixels.shape[:2]
    report = record | {"method": arguments.method, "width": width, "height": height, "changed_share": round(changed, 4)}
    return report | {"inversion": first_of(inversion.metrics), "reached": reached}, lines + said


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """What was asked for."""

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
class _Job:
    """One face of one photo, inverted and ready to be edited."""

    generator: Generator
    axes: ExpressionAxes
    photo: Photo
    inversion: Inversion
    mode: str

    def edit(self, wish: _Wish) -> Edit:
        """Neutral first, then what is copied, then the named expressions, each on top of the one before."""
        if wish.reference is None:
            options = {"absolute": wish.absolute, "neutral_first": wish.neutral_first}
            return apply_expressions(self.inversion, self.axes, wish.intensities, **options)
        first = apply_expressions(self.inversion, self.axes, {}, neutral_first=wish.neutral_first)
        calm = inversion_after(self.inversion, first)
        copied = copy_expression(calm, wish.reference, self.axes, regions=wish.regions)
        moved = inversion_after(calm, copied)
        last = apply_expressions(moved, self.axes, wish.intensities, absolute=wish.absolute)
        return join_edits([first, copied, last])

    def composite(self, edit: Edit) -> Composite:
        return put_back(self.generator, self.photo, self.inversion, edit, mode=self.mode)


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
    """Refuse an edit that asks for nothing, or for what its mode cannot show.

    Raises: ExpressionError.
    """
    if not intensities and arguments.copy_from is None and not arguments.neutral_first:
        raise ExpressionError(
            "no expression was asked for; give --expression NAME=X, --neutral-first or --copy-from PHOTO, "
            "'emogan expressions' lists the names"
        )
    if arguments.copy_from is not None and arguments.mode == "paste":
        raise ExpressionError(
            "--copy-from came with --mode paste, but the generator's picture has no part in a copied expression; "
            "use --mode motion"
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
        fit = fit_to_photo(photo, choose_among(found, photo))
    except FaceError as error:
        raise FaceError(f"the photo to copy from, {path.name}: {error}") from error
    several = [f"{path.name} shows {len(found)} faces; the largest was copied"] if len(found) > 1 else []
    return fit, [*several, *notes_of(photo)]


def _reached(composite: Composite, inversion: Inversion) -> tuple[dict[str, object], list[str]]:
    """What an edit asked for, and what the edited photo reads as now; the face is where it was."""
    assert inversion.crops is not None  # `invert` cut them from the photo
    report, lines = dict(composite.report), []
    if isinstance(moved := report.get("moved_cm"), tuple | list):
        lines.append(f"the face moved by {moved[0]:.2f} cm on average, {moved[1]:.2f} cm at most")
    if isinstance(notices := report.get("notices"), tuple | list):
        lines += [f"note: {sentence}" for sentence in notices]
    try:
        face = seen_again(composite.photo, inversion.crops[0])
        reading = reading_of(fit_to_photo(composite.photo, face))
    except FaceError as error:
        return report | {"reading": None}, [*lines, f"the edited face could not be read: {error}"]
    return report | {"reading": reading_report(reading)}, [*lines, *(f"now {line}" for line in reading_lines(reading))]


def _sheet(job: _Job, wish: _Wish, asked: Composite, progress: Progress) -> Photo:
    """The face over shares of the asked edit: as put back, and as the generator draws it."""
    shares = SHEET_SHARES if wish.is_plain else tuple(share for share in SHEET_SHARES if share <= 1)
    columns: list[Composite] = []
    labels: list[str] = []
    for step, share in enumerate(shares, start=1):
        columns.append(asked if share == 1.0 else job.composite(_share_of(job, wish, share)))
        alone = wish.is_plain and len(wish.intensities) == 1
        labels.append(f"{share * next(iter(wish.intensities.values())):g}" if alone else f"{share:g} x")
        progress(StepReport(step, len(shares), "drawing the sheet"))
    assert job.inversion.crops is not None  # `invert` cut them from the photo
    crop = job.inversion.crops[0]
    return contact_sheet(
        [
            [_around(column.photo, crop) for column in columns],
            [photo_from_tensor(column.redrawn) for column in columns],
        ],
        title=wish.told,
        subtitle=f"mode {job.mode}, generator {job.generator.fingerprint[:12]}, "
        f"axes {job.axes.content_fingerprint[:12]}",
        column_labels=labels,
        row_labels=["photo", "generator"],
        tile_px=240,
    )


def _share_of(job: _Job, wish: _Wish, share: float) -> Edit:
    """A part of the way to an edit, or beyond it."""
    if wish.is_plain:
        shared = {name: max(-LIMIT, min(LIMIT, share * value)) for name, value in wish.intensities.items()}
        return job.edit(replace(wish, intensities=shared))
    return share_of_edit(job.inversion, job.edit(wish), share)


def _around(photo: Photo, crop: Crop) -> Photo:
    """The upright part of a photo around a face."""
    height, width = photo.pixels.shape[:2]
    left, top, side = window_around(crop, height=height, width=width)
    rows, columns = slice(top, top + side), slice(left, left + side)
    return Photo(photo.pixels[rows, columns], None if photo.alpha is None else photo.alpha[rows, columns])
