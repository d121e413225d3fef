"""The public sets of faces that training and benchmarks read: which pictures of a downloaded folder, of whom, called what."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

NUMBERED = re.compile(r"_\d+\.jpe?g$", re.IGNORECASE)
LONDON = re.compile(r"(\d{3})_(03|08)\.jpg")
LONDON_LABELS = {"03": "neutral", "08": "happiness"}
CANADA = re.compile(r"\d{3}[fm]\.jpg")
WHOLE_PHOTOS = frozenset(f"london_{n:03}" for n in (1, 9, 20, 34, 63, 83, 101, 120, 128, 140))
"""People whose photos the benchmarks read whole; they come into no table, and nothing that ships was trained on them."""
SMILES = (0.15, 0.35)
"""A set without labels is called neutral below and smiling above, by the mean of `mouthSmileLeft` and `mouthSmileRight`."""


class SourceError(ValueError):
    """A downloaded folder is not what it was said to be."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a source; `file` is its name in the table, `expression` is None where its smile has to tell it."""

    path: Path
    file: str
    person: str
    expression: str | None


@dataclass(frozen=True, slots=True)
class FaceTable:
    """How one table of faces is made.

    Convention: side in px of the crops; least_px is the smallest side that a tight frame may have in the photo;
    columns are those that not every table has; `originals` also keeps the part of the photo around each face.
    """

    name: str
    side: int
    columns: tuple[str, ...]
    least_px: float = 0.0
    most_yaw_deg: float = 90.0
    colour_only: bool = False
    originals: bool = False


TABLES = {
    table.name: table
    for table in (
        FaceTable("press", 128, ("outside", "colour"), most_yaw_deg=35.0),
        FaceTable("studio", 256, ("outside",), originals=True),
        FaceTable("congress", 384, ("mouth_open",), least_px=210.0, colour_only=True),
    )
}


def press(folder: Path) -> list[Picture]:
    """Pictures that `data/legend.csv` labels, by name; where it labels one twice, the first label counts.

    Raises: SourceError.
    """
    legend = folder / "data" / "legend.csv"
    if not legend.is_file():
        raise SourceError(f"{folder} has no data/legend.csv; give a checkout of github.com/muxspace/facial_expressions")
    labels: dict[str, str] = {}
    with legend.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            labels.setdefault(row["image"], row["emotion"].lower())
    pictures = [
        Picture(folder / "images" / file, file, NUMBERED.sub("", file).removesuffix(".jpg"), label)
        for file, label in sorted(labels.items())
    ]
    return [picture for picture in pictures if picture.path.is_file()]


def london(folder: Path) -> list[Picture]:
    """Everybody from the front, neutral and then smiling, `NNN_03.jpg` and `NNN_08.jpg` in any folder below.

    Raises: SourceError.
    """
    found = {path.name: path for path in sorted(folder.rglob("*.jpg")) if LONDON.fullmatch(path.name)}
    if not found:
        raise SourceError(f"{folder} has no NNN_03.jpg or NNN_08.jpg; give the unpacked Face Research Lab London Set")
    named = [(LONDON_LABELS[name[4:6]], name) for name in found]
    return [
        Picture(found[name], f"london_{name}", f"london_{name[:3]}", label)
        for label, name in sorted(named, key=lambda pair: (pair[0] != "neutral", pair[1]))
    ]


def canada(folder: Path) -> list[Picture]:
    """The unmanipulated faces, all neutral, `NNNf.jpg` and `NNNm.jpg` in any folder below.

    Raises: SourceError.
    """
    found = {path.name: path for path in sorted(folder.rglob("*.jpg")) if CANADA.fullmatch(path.name)}
    if not found:
        raise SourceError(f"{folder} has no NNNf.jpg or NNNm.jpg; give the unpacked Canada set")
    return [
        Picture(path, f"canada_{name}", f"canada_{name.removesuffix('.jpg')}", "neutral")
        for name, path in sorted(found.items())
    ]


def congress(folder: Path) -> list[Picture]:
    """Every original portrait.

    Raises: SourceError.
    """
    paths = sorted((folder / "congress" / "original").glob("*.jpg"))
    if not paths:
        raise SourceError(f"{folder} has no congress/original/*.jpg; give a checkout of github.com/jforms/images")
    return [Picture(path, f"congress_{path.name}", f"congress_{path.stem}", None) for path in paths]


SOURCES: Mapping[str, tuple[str, Callable[[Path], list[Picture]]]] = {
    "press": ("press", press),
    "london": ("studio", london),
    "canada": ("studio", canada),
    "congress": ("congress", congress),
}
"""Each source's table, and how it is read."""


def by_smile(shapes: Mapping[str, float]) -> str:
    """What a face is called by its smile: neutral, happiness, or nothing in between."""
    smile = (shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2
    low, high = SMILES
    return "neutral" if smile < low else "happiness" if smile > high else ""
