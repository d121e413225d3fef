"""`emogan edit --frames`: every picture of an animation or of a file with pages, edited one by one into a folder."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..errors import FaceError, OutputError, PhotoError
from ..images import Photo, frames_in, open_photo
from ..progress import Progress, StepReport, silent
from ..wording import counted, numbered
from .arguments import Outcome
from .asked_edit import face_in, notices_of, prepared
from .outputs import Outputs, make_folder

MOST_FRAMES = 9999
MOST_NAMED = 12
SUFFIXES = (".png", ".tif")  # of 8 and 16 bits, and of floats


def edit_frames(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Edit every picture of a file; those without a usable face are written as they are, and told by number.

    Raises: FaceError when none has one: nothing is written then; OutputError.
    """
    if arguments.sheet is not None:
        raise OutputError("--sheet came with --frames; a sheet is of one picture, leave one of the two away")
    if arguments.out.suffix and not arguments.out.is_dir():
        raise OutputError(
            f"--frames writes a folder of pictures, and {arguments.out} is named as a file; name a folder"
        )
    count = frames_in(arguments.photo)
    if count > MOST_FRAMES:
        raise PhotoError(
            f"{arguments.photo.name} holds {counted(count, 'picture')}; give a file with up to {MOST_FRAMES}"
        )
    first = _first_of(arguments.photo)
    targets = [_target(arguments, number, suffix) for number in range(1, count + 1) for suffix in SUFFIXES]

    def check_files(inputs: list[Path]) -> None:
        make_folder(arguments.out)
        outputs.expect_photos(targets, photo=first, inputs=inputs)

    prepare = prepared(arguments, check_files)
    waiting: list[int] = []  # those before the first face, which may never come
    without, unread, edited = dict[int, str](), dict[int, str](), 0
    said = dict[str, list[int]]()
    for number in range(1, count + 1):
        try:
            photo = open_photo(arguments.photo, frame=number - 1)
        except PhotoError as error:
            unread[number] = str(error)
            continue
        try:
            face, notes = face_in(photo, arguments, prepare, silent)
            composite = face.composite(face.edit(prepare.asked))
            result = composite.photo
            edited += 1
            for note in (*notes, *face.clear_notes(arguments.photo.name), *notices_of(composite)):
                said.setdefault(note, []).append(number)
        except FaceError as error:
            without[number], result = str(error), None
        except PhotoError as error:  # of the mask
            unread[number] = str(error)
            continue
        for note in photo.notices:
            said.setdefault(f"note: {note}", []).append(number)
        if not edited:
            waiting.append(number)
            continue
        for earlier in waiting:
            _save(open_photo(arguments.photo, frame=earlier - 1), earlier, None, arguments, outputs)
        waiting = []
        _save(result or photo, number, prepare.record if result else None, arguments, outputs)
        progress(StepReport(number, count, "editing frames"))
    if not edited:
        raise FaceError(
            f"no picture in {arguments.photo.name} ({count} in all) can be edited: {_first(without, unread)}"
        )
    report = prepare.record | {"method": arguments.method, "frames": count, "edited": edited}
    report |= {"without_face": without, "unread": unread}
    lines = [
        f"{prepare.asked.told}: wrote {counted(len(outputs.written), 'picture')} to {arguments.out}, {edited} of them edited"
    ]
    lines += prepare.notes
    lines += [f"{note} ({numbered('picture', numbers)})" for note, numbers in said.items()]
    lines += _told(without, "written as it is") + _told(unread, "left out")
    return report, lines


def _first_of(path: Path) -> Photo | None:
    """The first picture, None where it cannot be read, which says nothing of the others."""
    try:
        return open_photo(path, frame=0)
    except PhotoError:
        return None


def _save(photo: Photo, number: int, record: dict[str, object] | None, arguments: Namespace, outputs: Outputs) -> None:
    """Under its number, in a format that holds its depth."""
    outputs.save_photo(_target(arguments, number, SUFFIXES[photo.bits == 32]), photo, record=record)


def _target(arguments: Namespace, number: int, suffix: str) -> Path:
    folder: Path = arguments.out
    return folder / f"{arguments.photo.stem}_{number:04d}{suffix}"


def _first(*found: dict[int, str]) -> str:
    numbers = {number: why for one in found for number, why in one.items()}
    number = min(numbers)
    return f"picture {number}: {numbers[number]}"


def _told(found: dict[int, str], what: str) -> list[str]:
    lines = [f"note: picture {number} was {what}: {why}" for number, why in list(found.items())[:MOST_NAMED]]
    more = len(found) - MOST_NAMED
    return [*lines, f"note: {counted(more, 'more was', 'more were')} {what}"] if more > 0 else lines
