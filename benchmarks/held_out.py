"""People held out of training, their photos, and how faces are cut for the probes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from emogan_core.face_model import FaceFit
from emogan_core.faces import Crop, Face, cut, fit_to_photo, whole_crop
from emogan_core.images import Photo, open_photo, photo_from_tensor
from emogan_core.inversion import Inversion, invert_images
from emogan_core.networks import Generator
from emogan_core.training.data import read_held_out

LIST = Path(__file__).with_name("held_out_people.txt")
POINTS = ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """A neutral photo with its face, and the picture of the true smile where there is one."""

    photo: Photo
    crop: Crop
    smile: Image.Image | None


@dataclass(frozen=True, slots=True)
class Person:
    """A neutral photo, its inversion, and the picture of the true smile for the probes where there is one."""

    photo: Photo
    inversion: Inversion
    smile: Image.Image | None

    @property
    def crop(self) -> Crop:
        assert self.inversion.crops is not None
        return self.inversion.crops[0]


def people() -> frozenset[str]:
    return read_held_out(LIST)


def rows_of(table: Path, *, held_out: bool) -> list[Row]:
    """The rows of a table of faces whose people were held out of training, or were not."""
    names = people()
    with table.open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if (row["person"] in names) == held_out]


def landmarks_of(row: Row) -> np.ndarray:
    """[5, 2] in pixels of the row's picture."""
    return np.array([[float(row[f"{point}_{axis}"]) for axis in "xy"] for point in POINTS])


def whole(photo: Photo, row: Row) -> Crop:
    """The crop of a picture that is already cut in the frame, with the landmarks of its row in the table."""
    return whole_crop(photo, "tight", landmarks_of(row))


def studio_people(folder: Path, table: Path) -> list[Subject]:
    """Held-out people of a table, each neutral, with the true smile."""
    rows = rows_of(table, held_out=True)
    shown = {(row["person"], row["expression"]): row for row in rows}
    found = []
    for person in sorted({row["person"] for row in rows}):
        neutral = shown[person, "neutral"]
        photo = open_photo(folder / neutral["file"])
        with Image.open(folder / shown[person, "happiness"]["file"]) as smile:
            found.append(Subject(photo, whole(photo, neutral), smile.convert("RGB")))
    return found


def inverted(generator: Generator, subjects: Sequence[Subject], *, method: str = "hybrid") -> list[Person]:
    images = torch.cat([cut(one.photo, one.crop, generator.spec.resolution) for one in subjects])
    inversions = invert_images(generator, images, method=method)
    return [
        Person(one.photo, replace(inversions[index], crops=(one.crop,), faces=(_fit(one),)), one.smile)
        for index, one in enumerate(subjects)
    ]


def _fit(subject: Subject) -> FaceFit:
    face = Face(box=(0, 0, 0, 0), landmarks=subject.crop.landmarks, score=1.0, yaw_deg=0.0)
    return fit_to_photo(subject.photo, face)


def picture_of(photo: Photo, crop: Crop) -> Image.Image:
    """The face in the tight frame at 128 px, as the probes need it."""
    return as_picture(cut(photo, crop, 128))


def as_picture(image: Tensor) -> Image.Image:
    """A picture of [1, 3, h, w] in [-1, 1]."""
    return Image.fromarray(photo_from_tensor(image).pixels)
