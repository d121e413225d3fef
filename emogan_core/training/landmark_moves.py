"""The second step of the face model's recipe: how each shape moves the landmarks that are found.

    python -m emogan_core.training.landmark_moves DATA HELD_OUT MODEL_IN MODEL_OUT

The nets that find landmarks move them otherwise than the mesh moves its vertices: less, and by sliding over cheeks and jaw. So
neutral studio photographs of training people are edited by one shape at a time, their landmarks found again, and the mean
motion kept; what is learned of landmarks is then learned anew. MODEL_IN comes from `emogan_core.training.face_model`.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open

from ..compose.move import move_face
from ..compose.scene import scene_of
from ..errors import FaceError
from ..face_model import FaceFit, FaceModel, fit_face
from ..face_model.model import measured_shapes, read_face_model
from ..face_model.names import mirror_order
from ..faces import choose_face
from ..faces.dense import dense_landmarks
from ..images import Photo
from ..weights import builtin_path, read_tensors, write_tensors
from .data import read_held_out
from .face_model import learn, read_pictures, without_statistics

PEOPLE = 12
STRAIGHT_DEG = 8.0
PHOTO_PX = 700  # longer side of the photographs that are edited
LEAST_RISE = 0.5  # a shape that a face shows already is not measured on it

Array = NDArray[np.float64]


def main(arguments: Sequence[str]) -> None:
    data, held_out_list, before, out = (Path(word) for word in arguments)
    model, held_out = read_face_model(before), read_held_out(held_out_list)
    moves = mean_moves(model, landmark_mirror(), edited(model, data, held_out))
    plain = without_statistics(replace(model, landmark_moves=moves))
    learned = learn(plain, read_pictures(data, people_left_out=held_out))
    learned["landmark_moves"] = moves[measured_shapes(model.names)].astype(np.float16)
    with safe_open(str(before), "pt") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a safetensors handle is no dict
        about = file.metadata()
    write_tensors(
        out, kept | {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in learned.items()}, about
    )
    print(f"wrote {out}, {out.stat().st_size / 1e6:.2f} MB")


def edited(model: FaceModel, data: Path, held_out: frozenset[str]) -> Iterator[tuple[int, Array]]:
    """Shapes, and how each moves the landmarks found [468, 2] in cm; sides in turn."""
    order = mirror_order(model.names)
    shapes = [shape for shape in measured_shapes(model.names) if order[shape] >= shape]
    for number, photo in enumerate(neutral_photos(data, held_out)):
        fit = fit_face(model, dense_landmarks(photo, choose_face(photo)))
        scene = scene_of(photo, model, fit)
        for index, one in enumerate(shapes):
            shape = one if (number + index) % 2 == 0 else order[one]
            rise = 1 - fit.coefficients[shape]
            if rise < LEAST_RISE:
                continue
            after = fit.coefficients.copy()
            after[shape] = 1.0
            moved = Photo(move_face(photo, model, fit, after, scene=scene)[0])
            try:
                yield shape, move_of(model, fit, shape, dense_landmarks(moved, choose_face(moved)), rise)
            except FaceError as error:
                print(f"{model.names[shape]} left out: {error}")


def neutral_photos(data: Path, held_out: frozenset[str]) -> Iterator[Photo]:
    """Neutral studio photographs of PEOPLE training people who look straight ahead."""
    with (data / "studio_faces.csv").open(newline="") as lines:
        files = {
            row["person"]: row["file"]
            for row in csv.DictReader(lines)
            if row["expression"] == "neutral"
            and row["person"] not in held_out
            and abs(float(row["yaw_deg"])) < STRAIGHT_DEG
        }
    people = sorted(files)
    with zipfile.ZipFile(data / "studio_originals.zip") as archive:
        for index in np.random.default_rng(5).permutation(len(people))[:PEOPLE]:
            with Image.open(io.BytesIO(archive.read(files[people[index]]))) as picture:
                shrink = PHOTO_PX / max(picture.size)
                size = (round(picture.width * shrink), round(picture.height * shrink))
                yield Photo(np.asarray(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)))


def move_of(model: FaceModel, fit: FaceFit, shape: int, after: Array, rise: float) -> Array:
    """[468, 2] x and y in cm, upright and straight, of a shape at 1: the landmarks' motion, depth taken from the mesh."""
    turned = fit.pose.rotation
    seen = (after - fit.landmarks)[:468] * (1.0, -1.0) / (fit.pose.scale * rise)
    depth = model.expressions[shape, model.landmark_vertex, 2].astype(np.float64)
    return np.asarray(np.linalg.solve(turned[:2, :2], (seen - depth[:, None] * turned[:2, 2]).T).T)


def mean_moves(model: FaceModel, mirror: NDArray[np.int64], seen: Iterator[tuple[int, Array]]) -> NDArray[np.float32]:
    """[k, 468, 2]: means of what was seen and its mirror image; the mesh's own motion where nothing was."""
    order = mirror_order(model.names)
    found: dict[int, list[Array]] = {}
    for shape, move in seen:
        found.setdefault(shape, []).append(move)
        found.setdefault(order[shape], []).append(move[mirror] * (-1.0, 1.0))
    moves = model.expressions[:, model.landmark_vertex, :2].copy()
    for shape, several in found.items():
        moves[shape] = np.mean(several, axis=0)
    return moves


def landmark_mirror() -> NDArray[np.int64]:
    """[468]: which landmark each one becomes in a mirrored picture."""
    tensors, _ = read_tensors(builtin_path("dense_landmarks.safetensors"))
    return np.asarray(tensors["mirror_order"].numpy()[:468], dtype=np.int64)


if __name__ == "__main__":
    main(sys.argv[1:])
