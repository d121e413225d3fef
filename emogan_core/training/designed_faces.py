"""Training faces with designed expressions: real ones that the face model moved by random changes of its coefficients.

python -m emogan_core.training.designed_faces DATA HELD_OUT AXES OUT [--processes N]

Writes crops of 128 px and OUT/designed.csv, a table of faces for `training.generator` that names each one's source,
what was asked for, and the change of every coefficient. Faces that are there already are kept, so a stopped run goes on.
Half of the moves are a named expression on top of what the face shows, a quarter another one instead of it, and a quarter
some shapes of the face model.
"""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..compose.move import mesh_shading, move_face
from ..errors import FaceError
from ..expressions import ExpressionAxes, apply_expressions, load_axes
from ..expressions.prototypes import NAMED
from ..face_model import FaceFit, fit_face, load_face_model
from ..face_model.names import both_sides
from ..images import Photo
from ..inversion import Edit, Inversion
from ..latents import Latent
from .data import SOURCE_SIDE, read_held_out
from .labelled_fits import LANDMARK_STEPS, MOST_TURNED_DEG

Array = NDArray[np.float64]

SETS = {"studio": "studio_faces_256.zip", "congress": "congress_faces_384.zip", "press": "press_faces_128.zip"}
MOVES = {"studio": 5, "congress": 2, "press": 2}
"""How many moves of each picture: the studio has the fewest, and the best."""

MOST_PRESS = 1200  # pictures, one of each person first
ADDED, REPLACED = 0.5, 0.25  # shares of the moves: a named expression on top, or instead; the rest are shapes
INTENSITIES = (0.5, 1.4)  # of a named expression
LEVELS = (0.4, 1.0)  # of a shape
MOST_SHAPES = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A training picture: its set, file, person, label and its number among the pictures."""

    set: str
    file: str
    person: str
    expression: str
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Designed:
    """A moved face: file, what was asked for by name, whether the face was made neutral first, and the change [k]."""

    file: str
    source: Source
    asked: Mapping[str, float]
    neutral_first: bool
    change: Array


def sources(data: Path, held_out: frozenset[str]) -> list[Source]:
    """Pictures of training people who look roughly ahead; of the press MOST_PRESS, of as many people as that gives."""
    found: list[Source] = []
    for kind in SETS:
        with (data / f"{kind}_faces.csv").open(newline="", encoding="utf-8") as lines:
            rows = [
                row
                for row in csv.DictReader(lines)
                if row["person"] not in held_out and abs(float(row["yaw_deg"])) < MOST_TURNED_DEG
            ]
        order = np.random.default_rng(7).permutation(len(rows))
        seen: dict[str, int] = {}
        turns = []
        for index in order:
            turns.append(seen.setdefault(rows[index]["person"], 0))
            seen[rows[index]["person"]] += 1
        first = [rows[order[place]] for place in np.argsort(turns, kind="stable")]
        found += [
            Source(kind, row["file"], row["person"], row["expression"], len(found) + number)
            for number, row in enumerate(first[: MOST_PRESS if kind == "press" else None])
        ]
    return found


def random_move(rng: np.random.Generator, shapes: Sequence[str]) -> tuple[dict[str, float], bool]:
    """What is asked of a face, by name, and whether it is made neutral first."""
    kind = rng.random()
    if kind < ADDED + REPLACED:
        return {str(rng.choice(NAMED)): float(rng.uniform(*INTENSITIES))}, kind >= ADDED
    chosen = rng.choice(np.asarray(shapes, dtype=object), size=int(rng.integers(1, MOST_SHAPES + 1)), replace=False)
    return {str(name): float(rng.uniform(*LEVELS)) for name in chosen}, bool(rng.random() < 0.25)


def designed(data: Path, source: Source, axes: ExpressionAxes, out: Path) -> list[Designed]:
    """The moved faces of one picture, written as PNG files; none where the face cannot be fitted."""
    model, made = load_face_model(), []
    shapes = both_sides(model.names)
    landmarks = _landmarks(data, source.set)[source.file]
    with Image.open(pictures_in(data, source.set)[source.file]) as picture:
        photo = Photo(np.asarray(picture.convert("RGB")))
    try:
        fit = fit_face(model, landmarks)
    except FaceError:
        return []
    rng = np.random.default_rng((11, source.number))
    for turn in range(MOVES[source.set]):
        asked, neutral_first = random_move(rng, shapes)
        file = f"{Path(source.file).stem}_{turn}.png"
        edit = apply_expressions(as_inversion(fit), axes, asked, neutral_first=neutral_first)
        assert edit.coefficients is not None
        if not (out / file).exists():
            small = Image.fromarray(edited_pixels(photo, fit, edit)).resize(
                (SOURCE_SIDE, SOURCE_SIDE), Image.Resampling.LANCZOS
            )
            partial = out / f".{file}"
            small.save(partial, "PNG")
            partial.rename(out / file)
        made.append(Designed(file, source, asked, neutral_first, edit.coefficients[0] - fit.coefficients))
    return made


def edited_pixels(photo: Photo, fit: FaceFit, edit: Edit) -> NDArray[np.uint8]:
    """The photo's pixels with an edit of one face in them."""
    model = load_face_model()
    assert edit.coefficients is not None
    return move_face(photo, model, fit, edit.coefficients[0], shading=mesh_shading(model, edit))[0]


def as_inversion(fit: FaceFit) -> Inversion:
    """A face that no generator draws, for `apply_expressions`."""
    nothing = torch.zeros(1, 3, 1, 1)
    return Inversion(Latent(torch.zeros(1, 1, 1), "no generator"), nothing, nothing, None, {}, (fit,))


@cache
def _landmarks(data: Path, kind: str) -> dict[str, Array]:
    stored = np.load(data / f"{kind}_landmarks.npz")
    return dict(zip(stored["files"].tolist(), stored["landmarks"][:, :, :2] / LANDMARK_STEPS, strict=True))


@cache
def pictures_in(data: Path, kind: str) -> dict[str, io.BytesIO]:
    """The pictures of a set by name, as files to open."""
    with zipfile.ZipFile(data / SETS[kind]) as archive:
        return {Path(name).name: io.BytesIO(archive.read(name)) for name in archive.namelist() if name[-1] != "/"}


def _designed(task: tuple[Path, Source, Path, Path]) -> list[Designed]:
    data, source, axes, out = task
    torch.set_num_threads(1)
    return designed(data, source, _axes(axes), out)


@cache
def _axes(path: Path) -> ExpressionAxes:
    return load_axes(path)


def write_table(path: Path, made: Sequence[Designed], names: Sequence[str]) -> None:
    """`file, person, expression` as `training.generator` wants them, then source, set and label of the picture, what was
    asked for and the change of each coefficient."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(["file", "person", "expression", "source", "set", "was", "intensity", "neutral_first", *names])
        for face in made:
            named = [name for name in face.asked if name in NAMED]
            table.writerow(
                [
                    face.file,
                    face.source.person,
                    named[0] if named else "shapes",
                    face.source.file,
                    face.source.set,
                    face.source.expression,
                    f"{face.asked[named[0]]:.3f}" if named else "",
                    int(face.neutral_first),
                    *(f"{value:.3f}" for value in face.change),
                ]
            )


def draw_all(drawn: Iterator[list[Designed]], count: int, out: Path) -> None:
    """Wait for the faces of all pictures; the table is written every now and then."""
    made: list[Designed] = []
    for done, faces in enumerate(drawn, 1):
        made += faces
        if done % 200 == 0 or done == count:
            print(f"{done} of {count} pictures", flush=True)
            write_table(out / "designed.csv", made, load_face_model().names)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("axes", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = sources(given.data, read_held_out(given.held_out))
    tasks = [(given.data, source, given.axes, given.out) for source in wanted]
    if given.processes == 1:
        draw_all(map(_designed, tasks), len(tasks), given.out)
    else:
        with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
            draw_all(pool.imap(_designed, tasks, chunksize=4), len(tasks), given.out)


if __name__ == "__main__":
    main()
