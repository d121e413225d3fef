"""Groups of faces: by pose, by the colour of cheeks, and by one labeller's labels. Groups of pictures, not of people."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cheeks import brightness, typology_angle
from held_out import Row, Subject
from numpy.typing import NDArray
from probes import Array

LOOKS = Path(__file__).with_name("held_out_looks.txt")
TURNED = 20.0  # degrees of yaw
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Faces:
    """Neutral held-out faces with their rows, and what was measured of each, by measure [n]; NaN where nothing was."""

    rows: Sequence[Row]
    subjects: Sequence[Subject]
    measured: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Groups:
    """Faces grouped by one property: a mask [n] for each group, and a sentence on what it means."""

    title: str
    about: str
    masks: Mapping[str, Mask]


def column(faces: Faces, name: str) -> Array:
    return np.array([float(row[name]) for row in faces.rows])


def press_groups(faces: Faces) -> list[Groups]:
    yaw, pitch = np.abs(column(faces, "yaw_deg")), column(faces, "pitch_deg")
    cheek = np.array([brightness(one.photo, one.crop.landmarks) for one in faces.subjects])
    dark, bright = np.percentile(cheek, [100 / 3, 200 / 3])
    return [
        Groups("All press faces", "", {"all": np.full(len(yaw), True)}),
        Groups(
            "Head turned aside (press)",
            "By MediaPipe's estimate in the table of faces.",
            {
                "yaw below 10 degrees": yaw < 10,
                "10 to 20": (yaw >= 10) & (yaw < TURNED),
                "20 and more (up to 35)": yaw >= TURNED,
            },
        ),
        Groups(
            "Head raised or lowered (press)",
            "By MediaPipe's estimate.",
            {
                "raised 6 degrees or more": pitch <= -6,
                "level": (pitch > -6) & (pitch < 8),
                "lowered 8 or more": pitch >= 8,
            },
        ),
        Groups(
            "Cheeks against the picture (press)",
            "CIELAB brightness of the cheeks less that of the whole crop, in thirds. **Not skin tone**: these pictures "
            "are grayscale in the source, their colour is estimated, and the light and what stands behind the head "
            "count as much as the skin.",
            {
                f"darkest third (below {dark:+.0f})": cheek < dark,
                "middle third": (cheek >= dark) & (cheek < bright),
                f"brightest third (above {bright:+.0f})": cheek >= bright,
            },
        ),
        *looked_at(faces),
    ]


def looked_at(faces: Faces) -> list[Groups]:
    """Groups by the labels of `held_out_looks.txt`."""
    lines = [line for line in LOOKS.read_text().splitlines() if not line.startswith("#")]
    labels = {row["file"]: row for row in csv.DictReader(lines)}
    labelled = [labels.get(row["file"], {"glasses": "", "looks": ""}) for row in faces.rows]
    glasses, looks = (np.array([one[name] for one in labelled]) for name in ("glasses", "looks"))
    about = f"As one labeller saw {len(labels)} of the pictures (`benchmarks/held_out_looks.txt`)"
    children = int((looks == "child").sum())
    return [
        Groups(
            "Glasses (press)",
            f"{about}; {int((glasses == 'dark').sum())} of the glasses are dark.",
            {"glasses": np.isin(glasses, ("yes", "dark")), "no glasses": glasses == "no"},
        ),
        Groups(
            "Apparent age (press)",
            f"{about}: how old a picture looks, not how old anybody was. Pictures of children: {children}, too few to "
            "measure, so **nothing is known here of children**.",
            {"clearly elderly": looks == "elderly", "other adults": looks == "adult"},
        ),
    ]


def studio_groups(faces: Faces) -> list[Groups]:
    angle = np.array([typology_angle(one.photo, one.crop.landmarks) for one in faces.subjects])
    return [
        Groups("All studio faces", "", {"all": np.full(len(angle), True)}),
        Groups(
            "Measured skin colour (studio)",
            "Individual typology angle of the cheeks, atan((L* - 50) / b*) in CIELAB, in degrees; the colour of these "
            "pictures is real and the light the same for all. A measure of the picture's colour, not of a person; few "
            f"people, so only gross differences would show. Measured dark (10 and below): {int((angle <= 10).sum())} of them, "
            "too few for a row of their own, so **nothing is known here of how it fares**.",
            {"light (above 41)": angle > 41, "intermediate to dark (41 and below)": angle <= 41},
        ),
    ]


def once(rows: Sequence[Row], mask: Mask) -> Mask:
    """The mask with only the first picture of every person left in it."""
    known: set[str] = set()
    kept = np.zeros(len(rows), dtype=bool)
    for index in np.flatnonzero(mask).tolist():
        kept[index] = rows[index]["person"] not in known
        known.add(rows[index]["person"])
    return kept
