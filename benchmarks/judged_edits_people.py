"""Held-out people with their neutral and truly smiling photos at full resolution, and the nets that judge them."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from cheeks import typology_angle
from numpy.typing import NDArray
from PIL import Image

from emogan_core.faces import choose_face
from emogan_core.images import Photo, open_photo
from emogan_core.training.data import read_held_out

HELD_OUT = Path(__file__).with_name("held_out_people.txt")
MESH_TO_FIVE = (468, 473, 1, 61, 291)  # of MediaPipe's 478 points: the irises, the nose's tip, the mouth's corners
LANDMARK_STEPS = 8  # landmarks are stored in eighths of a pixel
SIDE = 150  # px of the judges' crop in which changes are told apart by side
JUDGES = ("face_api.py", "weights")
DATA = ("photos", "studio_originals.zip", "studio_originals_landmarks.npz", "studio_faces.csv")


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A photo and five points of its face [5, 2], photo px with pixel centres at integers, as the judges want them."""

    photo: Photo
    points: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the nets say of a picture: probabilities [7] in the order of their labels, and the descriptor [128]."""

    probabilities: tuple[float, ...]
    descriptor: torch.Tensor


def missing(folder: Path, needed: tuple[str, ...]) -> list[str]:
    """What a folder lacks."""
    return [name for name in needed if not (folder / name).exists()]


def people_of(data: Path, cache: Path) -> dict[str, dict[str, Seen]]:
    """By person, sorted: "neutral" and "smile".

    The points of photos without landmarks are found once and kept in the cache, so that every version of the finder is
    judged through the same boxes.
    """
    people = {**_studio(data), **_photos(data / "photos", cache / "points.json")}
    return dict(sorted(people.items()))


def _studio(data: Path) -> dict[str, dict[str, Seen]]:
    stored = np.load(data / "studio_originals_landmarks.npz")
    landmarks = dict(zip(stored["files"].tolist(), stored["landmarks"], strict=True))
    people = read_held_out(HELD_OUT)
    with (data / "studio_faces.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["person"] in people]
    found: dict[str, dict[str, Seen]] = {}
    with zipfile.ZipFile(data / "studio_originals.zip") as archive:
        for row in rows:
            with archive.open(row["file"]) as file, Image.open(file) as picture:
                photo = Photo(np.asarray(picture.convert("RGB")))
            points = landmarks[row["file"]][list(MESH_TO_FIVE), :2] / LANDMARK_STEPS
            shows = "smile" if row["expression"] == "happiness" else "neutral"
            found.setdefault(row["person"], {})[shows] = Seen(photo, points)
    return {person: both for person, both in found.items() if len(both) == 2}


def _photos(folder: Path, kept: Path) -> dict[str, dict[str, Seen]]:
    known = json.loads(kept.read_text()) if kept.exists() else {}
    found: dict[str, dict[str, Seen]] = {}
    for path in sorted(folder.glob("*_*.jpg")):
        person, _, shows = path.stem.rpartition("_")
        photo = open_photo(path)
        if path.name not in known:
            known[path.name] = (choose_face(photo).landmarks[:5] - 0.5).tolist()
        found.setdefault(person, {})["smile" if shows == "smiling" else shows] = Seen(photo, np.array(known[path.name]))
    kept.write_text(json.dumps(known, indent=1))
    return found


def skin_angle(seen: Seen) -> float:
    """Individual typology angle of the cheeks, in degrees."""
    return typology_angle(seen.photo, seen.points + 0.5)


class Judges:
    """The nets of a folder that is never shipped; nothing is fitted, chosen or tuned on them."""

    def __init__(self, folder: Path) -> None:
        self._nets = _module(folder / "face_api.py")
        self.labels: tuple[str, ...] = self._nets.LABELS
        self._expression, self._identity = self._nets.Expression(), self._nets.Identity()

    def __call__(self, pixels: NDArray[np.uint8], seen: Seen) -> Judged:
        """Pixels of the photo, or of an edit of it, in the box of the photo's own points."""
        pictures = torch.from_numpy(np.array(pixels))[None]
        box = self._nets.face_box(seen.points, pictures)
        probabilities = self._expression(pictures, box)[0].double().tolist()
        return Judged(tuple(probabilities), self._identity(pictures, box)[0])

    def distance(self, a: Judged, b: Judged) -> float:
        return float(self._nets.distance(a.descriptor, b.descriptor))

    def left_share(self, pixels: NDArray[np.uint8], seen: Seen) -> float | None:
        """How much of an edit's change lies in the person's left half of the face; None when nothing changed."""
        both = torch.from_numpy(np.stack([seen.photo.pixels, pixels]))
        crops = self._nets.crop_faces(both, self._nets.face_box(seen.points, both), size=SIDE)
        return share_on_right((crops[1] - crops[0]).abs().sum(-1).double().numpy())


def share_on_right(change: NDArray[np.float64]) -> float | None:
    """Share of a change [n, n] in the picture's right half, where the person's left is."""
    total = float(change.sum())
    return float(change[:, change.shape[1] // 2 :].sum()) / total if total > 0 else None


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and named tuples look their module up
    spec.loader.exec_module(module)
    return module


def window(points: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a photo that show the whole face, for looking at it in the photo's own pixels."""
    eyes, mouth = points[:2].mean(0), points[3:5].mean(0)
    unit = max(float(np.linalg.norm(points[1] - points[0])), float(np.linalg.norm(mouth - eyes)))
    x, y = (eyes + mouth) / 2
    reach = 1.5 * unit
    rows, columns = (
        (max(0, round(at - reach)), min(most, round(at + reach))) for at, most in ((y, shape[0]), (x, shape[1]))
    )
    return slice(*rows), slice(*columns)


def by_skin(angles: Mapping[str, float]) -> dict[str, list[str]]:
    """People by the measured colour of their cheeks, the groups of `grouping.studio_groups`."""
    return {
        "light (angle above 41)": [person for person, angle in angles.items() if angle > 41],
        "intermediate to dark (41 and below)": [person for person, angle in angles.items() if angle <= 41],
    }
