"""How far 478 landmarks lie from MediaPipe's on people held out of training, and how long a face takes.

python benchmarks/dense_landmarks.py SHARED_DATA [--limit N] -o docs/results/dense-landmarks.md
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from held_out import people
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emogan_core.faces import Face, dense_landmarks, find_faces, whole_crop
from emogan_core.faces.find import refine
from emogan_core.images import Photo
from emogan_core.networks.dense_landmarks import BROW_POINTS, IRIS_POINTS, LID_POINTS, LIPS_POINTS
from emogan_core.training.landmark_runs import held_out
from emogan_core.weights import builtin_path, read_tensors

Points = NDArray[np.float64]
SETS = {
    "press, 128 px": ("press_faces_128.zip", "press_landmarks.npz", "press_faces.csv"),
    "studio, about 1000 px": ("studio_originals.zip", "studio_originals_landmarks.npz", "studio_faces.csv"),
    "Congress, 384 px": ("congress_faces_384.zip", "congress_landmarks.npz", "congress_faces.csv"),
}
HEADER = """\
# How exact the dense landmarks are

```
python benchmarks/dense_landmarks.py SHARED_DATA --limit 600 -o docs/results/dense-landmarks.md
```

Mean distance to MediaPipe's points in percent of the distance between the irises, on people in no training set: those
of `held_out_people.txt`, and in Congress one in ten by SHA-256 of the name. The five points that `dense_landmarks`
starts from are found by the face finder; in the press crops, which end where the face does, by its net alone.
MediaPipe's points are an estimate themselves. Two choices, to average both views of the whole face and both of the
brows, were made on the first 36 of each set. Of the 1,701 held-out press faces the first 600 by name were measured.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A held-out face with MediaPipe's points, and the face found in the picture."""

    photo: Photo
    points: Points
    face: Face


Degradation = Callable[[Case, np.random.Generator], Case]


def shifted(case: Case, rng: np.random.Generator) -> Case:
    """The five points off by 4 % of the eye distance in x and y."""
    five = case.face.landmarks
    off = 0.04 * np.linalg.norm(five[1] - five[0]) * rng.standard_normal((5, 2))
    return replace(case, face=replace(case.face, landmarks=five + off))


def rotated(case: Case, rng: np.random.Generator) -> Case:
    """The photo rotated by up to 20 degrees, and the five points with it."""
    degrees = rng.uniform(-20, 20)
    image = Image.fromarray(case.photo.pixels)
    centre = (image.width / 2, image.height / 2)
    angle = np.radians(degrees)  # counterclockwise, y is down
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    pixels = np.array(image.rotate(degrees, resample=Image.Resampling.BICUBIC))

    def moved(points: Points) -> Points:
        return (points - centre) @ matrix.T + centre

    return Case(Photo(pixels), moved(case.points), replace(case.face, landmarks=moved(case.face.landmarks)))


def shrunk(case: Case, rng: np.random.Generator) -> Case:
    """The face 64 px wide."""
    height, width = case.photo.pixels.shape[:2]
    share = 64 / case.face.size_px
    size = (round(width * share), round(height * share))
    pixels = np.array(Image.fromarray(case.photo.pixels).resize(size, Image.Resampling.BOX))
    ratio = np.array(size) / (width, height)
    return Case(Photo(pixels), case.points * ratio, replace(case.face, landmarks=case.face.landmarks * ratio))


def with_pixels(change: Callable[[Image.Image], Image.Image]) -> Degradation:
    """The photo with other pixels and the same points."""

    def degrade(case: Case, rng: np.random.Generator) -> Case:
        return replace(case, photo=Photo(np.array(change(Image.fromarray(case.photo.pixels)).convert("RGB"))))

    return degrade


def compressed(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=10)
    return Image.open(stream)


DEGRADATIONS: dict[str, Degradation] = {
    "five points off by 4 %": shifted,
    "rotated by up to 20 degrees": rotated,
    "face 64 px wide": shrunk,
    "a fifth of the light": with_pixels(lambda image: image.point(lambda value: value // 5)),
    "gray": with_pixels(lambda image: image.convert("L")),
    "blurred by 6 px": with_pixels(lambda image: image.filter(ImageFilter.GaussianBlur(6))),
    "JPEG of quality 10": with_pixels(compressed),
}


def main() -> None:
    """Measure every set, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=1_000_000, help="pictures of each set, the first ones by name")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    lines = [HEADER, "| set | faces | all | 95th percentile of faces | lips | lids | irises | brows | ms per face |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    degraded: list[Case] = []
    for name, files in SETS.items():
        faces = list(itertools.islice(cases(given.data, *files), given.limit))
        lines.append(f"| {name} | {' | '.join(row_of(faces))} |")
        degraded = faces if name.startswith("studio") else degraded
    lines.append("\nTimes are processor time of one thread, median, without finding the face.")
    lines += [
        "The studio faces again, degraded:\n",
        "| photo | all | lips | lids | irises | brows |",
        "|---|---|---|---|---|---|",
    ]
    for name, degradation in DEGRADATIONS.items():
        cells = row_of([degradation(case, np.random.default_rng(number)) for number, case in enumerate(degraded)])
        lines.append(f"| {name} | {cells[1]} | {' | '.join(cells[3:7])} |")
    lines.append("")
    text = "\n".join(lines)
    print(text)
    if given.output:
        given.output.write_text(text, encoding="utf-8")


def cases(data: Path, archive: str, landmarks: str, table: str) -> Iterator[Case]:
    """Held-out faces of one set."""
    names = people()
    with np.load(data / landmarks, allow_pickle=False) as labels:
        points = dict(zip(labels["files"].tolist(), labels["landmarks"][..., :2] / 8.0, strict=True))
    with (data / table).open(newline="", encoding="utf-8") as lines, zipfile.ZipFile(data / archive) as pictures:
        for row in csv.DictReader(lines):
            listed = held_out(row["person"]) if table.startswith("congress") else row["person"] in names
            if listed:
                with Image.open(io.BytesIO(pictures.read(row["file"]))) as picture:
                    photo = Photo(np.array(picture.convert("RGB")))
                yield Case(photo, points[row["file"]], face_of(photo))


def face_of(photo: Photo) -> Face:
    """The face as found, or as the five-point net predicts it from the whole picture."""
    faces = find_faces(photo) if photo.pixels.shape[1] > 128 else ()
    return faces[0] if faces else refine(photo, [whole_crop(photo, "tight").quad])[0]


def parts() -> list[list[int]]:
    """Which points are lips, lids, irises and brows, of both eyes."""
    order = read_tensors(builtin_path("dense_landmarks.safetensors"))[0]["mirror_order"].tolist()
    one_eye = (LID_POINTS, IRIS_POINTS, BROW_POINTS)
    return [list(LIPS_POINTS), *([*which, *(order[i] for i in which)] for which in one_eye)]


def row_of(faces: list[Case]) -> list[str]:
    """The cells of one set."""
    misses, seconds = [], []
    for case in faces:
        began = time.process_time()
        predicted = dense_landmarks(case.photo, case.face)
        seconds.append(time.process_time() - began)
        eye_distance = np.linalg.norm(case.points[473] - case.points[468])
        misses.append(100 * np.linalg.norm(predicted - case.points, axis=1) / eye_distance)
    miss = np.stack(misses)
    means = [miss[:, which].mean() for which in parts()]
    whole = miss.mean(1)
    cells = [str(len(faces)), f"{whole.mean():.2f}", f"{np.percentile(whole, 95):.2f}"]
    return [*cells, *(f"{mean:.2f}" for mean in means), f"{1000 * statistics.median(seconds):.0f}"]


if __name__ == "__main__":
    main()
