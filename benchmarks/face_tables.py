"""The tables of faces that training and benchmarks read, made from public sets that you downloaded.

python benchmarks/face_tables.py OUT --press DIR --london DIR --canada DIR --congress DIR --landmarker face_landmarker.task

Each source is optional. OUT gets `press_faces.csv`, `press_faces_128.zip` and `press_landmarks.npz`, the same of `studio`
(256 px) and `congress` (384 px), `studio_originals.zip` with `studio_originals_landmarks.npz`, and in `photos/` the people
of the London Set whose photos are read whole. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from face_entries import FIVE_NAMES, Entry, entry_of
from face_estimates import SHAPES, Array, Estimator, estimator
from face_sources import LONDON_LABELS, SOURCES, TABLES, WHOLE_PHOTOS, FaceTable, Picture, SourceError
from PIL import Image

from emogan_core.errors import EmoganError
from emogan_core.files import write_whole

STEPS = 8.0  # landmarks are stored in eighths of a pixel
QUALITY, ORIGINAL_QUALITY = 92, 95


def columns_of(table: FaceTable) -> list[str]:
    """The header of a table: as every reader expects it, and last who estimated the points."""
    places = [f"{name}_{axis}" for name in FIVE_NAMES for axis in "xy"]
    has = lambda *names: [name for name in names if name in table.columns]
    head = ["file", "person", "expression", "source_side_px", *has("outside"), "yaw_deg", "pitch_deg", "roll_deg"]
    return [*head, *has("mouth_open"), *places, *SHAPES, *has("colour"), "estimated_by"]


def entries_of(pictures: Sequence[Picture], table: FaceTable, estimate: Estimator, by: str) -> Iterator[Entry]:
    """The faces of a table in order; every hundred pictures it is said how far they are."""
    kept = 0
    for number, picture in enumerate(pictures, start=1):
        entry = entry_of(picture, table, estimate, by)
        if entry is not None:
            kept += 1
            yield entry
        if number % 100 == 0 or number == len(pictures):
            print(f"{table.name}: {number} of {len(pictures)} pictures, {kept} faces", flush=True)


def write_table(out: Path, table: FaceTable, entries: Sequence[Entry]) -> None:
    """The CSV, the crops and the landmarks of a table, each file whole or not at all.

    Raises: OutputError.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns_of(table), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entry.row for entry in entries)
    files = [str(entry.row["file"]) for entry in entries]
    crops = [entry.crop for entry in entries]
    _write_zip(out / f"{table.name}_faces_{table.side}.zip", files, crops, QUALITY)
    _write_npz(out / f"{table.name}_landmarks.npz", files, [entry.landmarks for entry in entries])
    write_whole(out / f"{table.name}_faces.csv", lambda path: path.write_text(text.getvalue(), encoding="utf-8"))
    if table.originals:
        _write_originals(out, table, entries, files)


def _write_originals(out: Path, table: FaceTable, entries: Sequence[Entry], files: Sequence[str]) -> None:
    originals = [entry.original for entry in entries if entry.original is not None]
    stem = f"{table.name}_originals"
    _write_zip(out / f"{stem}.zip", files, [picture for picture, _ in originals], ORIGINAL_QUALITY)
    shapes = np.array([[0.0, *(entry.shapes[name] for name in SHAPES)] for entry in entries], dtype=np.float32)
    _write_npz(
        out / f"{stem}_landmarks.npz",
        files,
        [points for _, points in originals],
        blendshapes=shapes,
        names=np.array(["_neutral", *SHAPES]),
    )


def _write_zip(target: Path, files: Sequence[str], pictures: Sequence[Image.Image], quality: int) -> None:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file, picture in zip(files, pictures, strict=True):
                content = io.BytesIO()
                picture.save(content, "JPEG", quality=quality, subsampling=0)
                archive.writestr(file, content.getvalue())

    write_whole(target, write)


def _write_npz(target: Path, files: Sequence[str], points: Sequence[Array], **more: np.ndarray) -> None:
    steps = (np.stack(points) * STEPS).round().astype(np.int16)
    write_whole(target, lambda path: np.savez_compressed(path, files=np.array(files), landmarks=steps, **more))


def keep_photos(out: Path, pictures: Sequence[Picture]) -> None:
    """Copy the photos that benchmarks read whole, `NAME_neutral.jpg` and `NAME_smiling.jpg`."""
    for picture in pictures:
        out.mkdir(exist_ok=True)
        label = "neutral" if picture.expression == LONDON_LABELS["03"] else "smiling"
        source = picture.path
        write_whole(out / f"{picture.person}_{label}.jpg", lambda path, source=source: shutil.copyfile(source, path))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    for name in SOURCES:
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help="what you downloaded; see benchmarks/README.md")
    parser.add_argument(
        "--landmarker", type=Path, metavar="TASK", help="MediaPipe's face_landmarker.task; own nets if left out"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of every source, for a trial")
    arguments = parser.parse_args()
    if arguments.landmarker is not None and not arguments.landmarker.is_file():
        parser.error(f"there is no {arguments.landmarker}; give MediaPipe's face_landmarker.task, or leave it out")
    if all(getattr(arguments, name) is None for name in SOURCES):
        parser.error("no source was given; give at least one of " + ", ".join(f"--{name}" for name in SOURCES))
    return arguments


def sources_of(arguments: argparse.Namespace) -> dict[str, list[Picture]]:
    """The pictures of every table that was asked for.

    Raises: SourceError.
    """
    pictures: dict[str, list[Picture]] = {}
    for name, (table, read) in SOURCES.items():
        folder = getattr(arguments, name)
        if folder is not None:
            pictures.setdefault(table, []).extend(read(folder)[: arguments.limit])
    return pictures


def make(out: Path, table: FaceTable, pictures: Sequence[Picture], estimate: Estimator, by: str) -> None:
    """One table, and the photos that are kept whole.

    Raises: SourceError when no picture has a face that the table wants; OutputError.
    """
    keep_photos(out / "photos", [picture for picture in pictures if picture.person in WHOLE_PHOTOS])
    rest = [picture for picture in pictures if picture.person not in WHOLE_PHOTOS]
    entries = list(entries_of(rest, table, estimate, by))
    if not entries:
        raise SourceError(f"none of the {len(rest)} pictures for {table.name} has a face that it can use; look at them")
    write_table(out, table, entries)


def main() -> None:
    arguments = parsed()
    try:
        pictures = sources_of(arguments)
        arguments.out.mkdir(parents=True, exist_ok=True)
        with estimator(arguments.landmarker) as (estimate, by):
            for name, found in pictures.items():
                make(arguments.out, TABLES[name], found, estimate, by)
    except (SourceError, EmoganError, ImportError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
