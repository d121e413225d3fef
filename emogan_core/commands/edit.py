"""`emogan edit`: a photo in, the same person with another expression out."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from ..compose import Composite
from ..errors import FaceError
from ..expressions import LIMIT, reading_lines, reading_of, share_of_edit
from ..faces import Crop, Face, find_faces, fit_to_photo, same_face, seen_again, window_around
from ..images import Photo, frames_in, open_photo, photo_from_tensor
from ..inversion import Edit, Inversion
from ..metadata import Metadata
from ..progress import Progress, StepReport
from ..sheets import contact_sheet
from .arguments import Outcome, distances_of, first_of, notes_of
from .asked_edit import AskedEdit, FaceInPhoto, face_in, notices_of, prepared
from .edit_frames import edit_frames
from .outputs import Outputs
from .read import reading_report

SHEET_SHARES = (0.0, 0.5, 1.0, 1.5)


def edit_photo(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """A photo in, the same photo with other expressions out; with `--frames` every picture of a file."""
    if arguments.frames:
        return edit_frames(arguments, progress, outputs)
    photo = open_photo(arguments.photo)
    targets = [target for target in (arguments.out, arguments.sheet) if target is not None]
    prepare = prepared(arguments, lambda inputs: outputs.expect_photos(targets, photo=photo, inputs=inputs))
    asked, record = prepare.asked, prepare.record
    face, notes = face_in(photo, arguments, prepare, progress)
    composite = face.composite(face.edit(asked), redraw=arguments.sheet is not None)
    outputs.save_photo(arguments.out, composite.photo, record=record)
    changed = float((composite.mask > 0).mean())
    if frames_in(arguments.photo) > 1:
        notes.append("note: --frames edits every picture of the file, into a folder")
    lines = [
        f"{asked.told}: wrote {arguments.out} ({changed:.0%} of the picture may differ)",
        *prepare.notes,
        *notes,
        *distances_of(face.inversion.metrics),
        *face.clear_notes(arguments.photo.name),
        *notes_of(photo, arguments.out),
    ]
    reached, said = _reached(composite, face.inversion)
    if arguments.sheet is not None:
        profile = Metadata(icc_profile=photo.metadata.icc_profile)  # what the numbers of its pictures mean
        sheet = replace(_sheet(face, asked, composite, progress), metadata=profile)
        outputs.save_photo(arguments.sheet, sheet, record=record)
        lines.append(f"contact sheet: {arguments.sheet}")
    height, width = photo.pixels.shape[:2]
    report = record | {"method": arguments.method, "width": width, "height": height, "changed_share": round(changed, 4)}
    return report | {"inversion": first_of(face.inversion.metrics), "reached": reached}, lines + said


def _reached(composite: Composite, inversion: Inversion) -> tuple[dict[str, object], list[str]]:
    """What an edit asked for, and what the edited photo reads as now; the face is where it was."""
    assert inversion.crops is not None  # `invert` cut them from the photo
    report, lines = dict(composite.report), []
    if isinstance(moved := report.get("moved_cm"), tuple | list):
        lines.append(f"the face moved by {moved[0]:.2f} cm on average, {moved[1]:.2f} cm at most")
    lines += notices_of(composite)
    try:
        reading = reading_of(fit_to_photo(composite.photo, _found_again(composite.photo, inversion.crops[0])))
    except FaceError as error:
        return report | {"reading": None}, [*lines, f"the edited face could not be read: {error}"]
    return report | {"reading": reading_report(reading)}, [*lines, *(f"now {line}" for line in reading_lines(reading))]


def _found_again(photo: Photo, before: Crop) -> Face:
    """The edited face as `emogan read` finds it in the saved file, so that both read it alike: a search sees it slightly
    otherwise than a look where it was, which is all there is when the search finds it no more.

    Raises: FaceError when there is none where it was.
    """
    known = seen_again(photo, before)
    try:
        return same_face(find_faces(photo), known.box)
    except FaceError:
        return known


def _sheet(face: FaceInPhoto, asked: AskedEdit, wanted: Composite, progress: Progress) -> Photo:
    """The face over shares of the asked edit: as put back, and as the generator draws it."""
    shares = SHEET_SHARES if asked.is_plain else tuple(share for share in SHEET_SHARES if share <= 1)
    columns: list[Composite] = []
    labels: list[str] = []
    for step, share in enumerate(shares, start=1):
        columns.append(wanted if share == 1.0 else face.composite(_share_of(face, asked, share), redraw=True))
        alone = asked.is_plain and len(asked.intensities) == 1
        labels.append(f"{share * next(iter(asked.intensities.values())):g}" if alone else f"{share:g} x")
        progress(StepReport(step, len(shares), "drawing the sheet"))
    assert face.inversion.crops is not None  # `invert` cut them from the photo
    crop = face.inversion.crops[0]
    return contact_sheet(
        [
            [_around(column.photo, crop) for column in columns],
            [photo_from_tensor(column.redrawn) for column in columns],
        ],
        title=asked.told,
        subtitle=f"mode {face.mode}, generator {face.generator.fingerprint[:12]}, "
        f"axes {face.axes.content_fingerprint[:12]}",
        column_labels=labels,
        row_labels=["photo", "generator"],
        tile_px=240,
    )


def _share_of(face: FaceInPhoto, asked: AskedEdit, share: float) -> Edit:
    """A part of the way to an edit, or beyond it."""
    if asked.is_plain:
        shared = {name: max(-LIMIT, min(LIMIT, share * value)) for name, value in asked.intensities.items()}
        return face.edit(replace(asked, intensities=shared))
    return share_of_edit(face.inversion, face.edit(asked), share)


def _around(photo: Photo, crop: Crop) -> Photo:
    """The upright part of a photo around a face."""
    height, width = photo.pixels.shape[:2]
    left, top, side = window_around(crop, height=height, width=width)
    rows, columns = slice(top, top + side), slice(left, left + side)
    return Photo(photo.pixels[rows, columns], None if photo.alpha is None else photo.alpha[rows, columns])
