"""Labelled faces as the face model sees them: one person's pictures fitted together, or each picture alone."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..expressions import REFERENCE
from ..face_model import FaceFit, FaceModel, fit_faces

Array = NDArray[np.float64]

SETS = ("studio", "press")
LANDMARK_STEPS = 8.0  # landmarks are stored in eighths of a pixel
MOST_TURNED_DEG = 20.0
PER_LABEL = 2  # pictures of one person with one label


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One picture: its set, file, person, label, 478 landmarks [478, 2] in px, yaw, and MediaPipe's smile (0 to 1)."""

    set: str
    file: str
    person: str
    expression: str
    landmarks: Array
    yaw_deg: float
    smile: float


def read_labelled(data: Path) -> list[Labelled]:
    """All pictures of both sets that look roughly ahead."""
    found = []
    for kind in SETS:
        stored = np.load(data / f"{kind}_landmarks.npz")
        points = dict(zip(stored["files"].tolist(), stored["landmarks"], strict=True))
        with (data / f"{kind}_faces.csv").open(newline="") as lines:
            found += [
                Labelled(
                    set=kind,
                    file=row["file"],
                    person=row["person"],
                    expression=row["expression"],
                    landmarks=points[row["file"]][:, :2] / LANDMARK_STEPS,
                    yaw_deg=float(row["yaw_deg"]),
                    smile=(float(row["mouthSmileLeft"]) + float(row["mouthSmileRight"])) / 2,
                )
                for row in csv.DictReader(lines)
            ]
    return [picture for picture in found if abs(picture.yaw_deg) < MOST_TURNED_DEG]


def seen_both_ways(pictures: Iterable[Labelled], *, most_smiling: int) -> list[list[Labelled]]:
    """For each person seen neutral and otherwise: some pictures of each label, neutral ones first.

    Convention: people who are only seen neutral and smiling count up to `most_smiling` of a set.
    """
    by_person: dict[tuple[str, str], list[Labelled]] = {}
    for picture in pictures:
        by_person.setdefault((picture.set, picture.person), []).append(picture)
    groups, smiling = [], Counter[str]()
    for (kind, _), own in sorted(by_person.items()):
        labels = {picture.expression for picture in own}
        if REFERENCE not in labels or len(labels) < 2:
            continue
        if labels == {REFERENCE, "happiness"}:
            smiling[kind] += 1
            if smiling[kind] > most_smiling:
                continue
        kept, count = [], Counter[str]()
        for picture in sorted(own, key=lambda p: (p.expression != REFERENCE, p.file)):
            if count[picture.expression] < PER_LABEL:
                kept.append(picture)
                count[picture.expression] += 1
        groups.append(kept)
    return groups


def fitted_together(model: FaceModel, groups: Sequence[Sequence[Labelled]]) -> list[tuple[Labelled, FaceFit]]:
    """Every picture with its fit, one identity for each person."""
    pairs: list[tuple[Labelled, FaceFit]] = []
    for own in groups:
        pairs += zip(own, fit_faces(model, [picture.landmarks for picture in own]), strict=True)
    return pairs
