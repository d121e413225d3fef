"""How the built-in axes were fitted up to the fourth version: on labelled faces, through the built-in encoder.

    python -m emogan_core.training.axes --faces press/ press_faces.csv --faces studio/ studio_faces.csv \
        --held-out benchmarks/held_out_people.txt --out AXES.safetensors --sheets strips/

The folders hold the aligned crops. Every picture is also fitted in its mirror image. Happiness, surprise and anger are
patterns of the labelled examples. Labels of sadness include as many grimaces as sad faces, and those of disgust are frames
of a few film actors (fitted, they change the light and the colour), so these two classes are chosen again by the
CSVs' blendshapes, and their directions are regressed through the blendshapes of all faces; their axes' label source
says so.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..checkpoints import load_generator
from ..expressions import (
    REFERENCE,
    ExpressionAxes,
    FaceSet,
    FitConfig,
    LabelledLatents,
    Mirror,
    Origin,
    StepConfig,
    fit_expressions,
    label_latents,
    load_axes,
    move_latent,
    read_face_set,
    save_axes,
)
from ..images import Photo, photo_from_tensor, save_photo
from ..latents import Latent
from ..networks import Generator
from ..progress import StepReport
from ..sheets import contact_sheet
from .data import read_held_out

EXPRESSIONS = ("happiness", "surprise", "anger", "sadness", "disgust")
POSE = ("yaw_deg", "pitch_deg", "roll_deg")
BLENDSHAPES = ("browDownLeft", "noseSneerRight")  # first and last of the 51 columns
COVARIATES = (*POSE, "colour", "set")
ODD = ("yaw_deg", "roll_deg")  # change sign in a mirror image
INTENSITIES = (-2.0, -1.0, 0.0, 1.0, 2.0)
SCORES: Mapping[str, Mapping[str, float]] = {
    "sadness": {
        "browInnerUp": 1.0,
        "mouthFrown": 1.0,
        "mouthShrugLower": 0.5,
        "eyeLookDown": 0.3,
        "mouthSmile": -0.7,
        "jawOpen": -1.0,
        "mouthUpperUp": -0.5,
        "mouthLowerDown": -0.5,
        "browDown": -0.5,
    },
    "disgust": {
        "mouthUpperUp": 1.0,
        "browDown": 1.0,
        "eyeSquint": 0.4,
        "mouthFrown": 0.3,
        "mouthSmile": -1.2,
        "jawOpen": -0.8,
    },
}
"""Weights of blendshapes in the scores, in standard deviations of neutral faces; left and right together."""
CHOSEN = {"sadness": 120, "disgust": 150}
CHOSEN_FROM = (REFERENCE, "sadness", "anger", "disgust")
LEAST_SCORE = 0.5  # of a picture labelled sad, to keep its label
LABELS = (
    "labels of muxspace/facial_expressions (press photographs), and of the Face Research Lab London and Canada sets "
    "(studio); about appearance as labelled by people, not feelings"
)
BY_SCORE = (
    "press photographs chosen by MediaPipe's blendshapes (weights in emogan_core/training/axes.py), not by the labels, "
    "which are few and about something else; drawn through what the blendshapes do to everybody's faces"
)
CONFIG = FitConfig(
    expressions=EXPRESSIONS,
    steps=StepConfig(through_actions=tuple(SCORES), hold_expressions=("happiness",)),
)
LICENCE = (
    "Apache-2.0 as part of this project; fitted on the Face Research Lab London Set (DeBruine & Jones 2017, "
    "doi 10.6084/m9.figshare.5047666, CC BY 4.0), the Canada set (doi 10.6084/m9.figshare.4220517, CC BY 4.0) and "
    "press photographs of people who did not consent (see MODEL_CARD.md)"
)


@dataclass(frozen=True, slots=True)
class Split:
    """Labelled latents of the people to fit on, and of the held-out ones."""

    fitted: LabelledLatents
    held_out: LabelledLatents


def read_faces(sets: Sequence[tuple[Path, Path]]) -> FaceSet:
    """Several face sets as one, with pose, blendshapes, `colour` (1 where the colour is the photo's own) and the set.

    Raises: ExpressionError.
    """
    parts = []
    for number, (folder, table) in enumerate(sets):
        columns = _columns(table)
        actions = columns[columns.index(BLENDSHAPES[0]) : columns.index(BLENDSHAPES[1]) + 1]
        extra = ("colour",) if "colour" in columns else ()
        faces = read_face_set(folder, table, covariates=(*POSE, *actions, *extra))
        added = {"set": (float(number),) * len(faces), "colour": faces.covariates.get("colour", (1.0,) * len(faces))}
        parts.append(replace(faces, covariates={**faces.covariates, **added}))
    names = parts[0].covariates
    return FaceSet(
        files=tuple(path for part in parts for path in part.files),
        expressions=tuple(label for part in parts for label in part.expressions),
        people=tuple(person for part in parts for person in part.people or ()),
        covariates={name: tuple(value for part in parts for value in part.covariates[name]) for name in names},
    )


def _columns(table: Path) -> list[str]:
    with table.open(newline="", encoding="utf-8-sig") as lines:
        return next(csv.reader(lines))


def choose_by_score(labels: Sequence[str], values: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """Labels with sadness and disgust reassigned by blendshapes; '' where no label is left.

    The pictures of highest score whose colour is estimated (film frames have their own) are chosen among those labelled
    neutral or as a negative expression; pictures labelled sad keep their label when their score is high enough.
    """
    given = np.asarray(labels, dtype=object)
    press = np.isin(given, CHOSEN_FROM) & (np.asarray(values["colour"]) == 0.0)
    scores = {name: _score(given, values, weights) for name, weights in SCORES.items()}
    new = given.copy()
    new[given == "disgust"] = ""
    new[(given == "sadness") & (scores["sadness"] < LEAST_SCORE)] = ""
    for name, count in CHOSEN.items():
        new[np.argsort(np.where(press, -scores[name], np.inf), kind="stable")[:count]] = name
    return tuple(str(label) for label in new)


def _score(
    labels: NDArray[np.object_], values: Mapping[str, Sequence[float]], weights: Mapping[str, float]
) -> NDArray[np.float64]:
    """Weighted sum of blendshapes in standard deviations of neutral faces; unwanted ones only count against."""
    total = np.zeros(len(labels))
    for name, weight in weights.items():
        sides = (name,) if name in values else (f"{name}Left", f"{name}Right")
        for side in sides:
            value = np.asarray(values[side], dtype=np.float64)
            neutral = value[labels == REFERENCE]
            scaled = np.clip((value - neutral.mean()) / (neutral.std() + 1e-3), -3.0, 3.0)
            total += weight / len(sides) * (scaled if weight > 0 else np.maximum(scaled, 0.0))
    return total


def split(labelled: LabelledLatents, held_out: frozenset[str]) -> Split:
    """By person, never by picture."""
    people = labelled.people or ()
    out = [person in held_out for person in people]
    return Split(fitted=_rows(labelled, [not flag for flag in out]), held_out=_rows(labelled, out))


def _rows(labelled: LabelledLatents, keep: Sequence[bool]) -> LabelledLatents:
    chosen = [row for row, flag in enumerate(keep) if flag]
    mirrored, codes = labelled.mirrored, labelled.latents
    return LabelledLatents(
        latents=Latent(codes.ws[chosen], codes.fingerprint),
        labels=tuple(labelled.labels[row] for row in chosen),
        people=None if labelled.people is None else tuple(labelled.people[row] for row in chosen),
        covariates={name: tuple(values[row] for row in chosen) for name, values in labelled.covariates.items()},
        skipped=labelled.skipped,
        mirrored=None if mirrored is None else Latent(mirrored.ws[chosen], mirrored.fingerprint),
        coefficients=None if labelled.coefficients is None else labelled.coefficients[chosen],
    )


def fit(labelled: LabelledLatents, config: FitConfig) -> ExpressionAxes:
    """The pattern model with people absorbed and pose, colour and set as covariates, on pictures and mirror images."""
    chosen = replace(labelled, labels=choose_by_score(labelled.labels, labelled.covariates))
    chosen = _rows(chosen, [bool(label) for label in chosen.labels])
    assert chosen.mirrored is not None
    axes = fit_expressions(
        chosen.latents,
        chosen.labels,
        people=chosen.people,
        covariates={name: chosen.covariates[name] for name in COVARIATES},
        actions={name: values for name, values in chosen.covariates.items() if name not in COVARIATES},
        mirror=Mirror(chosen.mirrored, odd=ODD),
        config=config,
        origin=Origin(label_source=LABELS, licence=LICENCE),
        progress=print_progress,
    )
    described = [
        replace(axis, label_source=BY_SCORE, experimental=axis.experimental or axis.name == "disgust") for axis in axes
    ]
    return replace(
        axes, axes=tuple(new if new.name in SCORES else axis for new, axis in zip(described, axes, strict=True))
    )


def print_progress(report: StepReport) -> None:
    if report.step % 500 == 0 or report.step == report.steps or report.what.startswith("fitting"):
        print(f"{report.what}: {report.step} of {report.steps}", flush=True)


def save_sheets(
    generator: Generator, axes: ExpressionAxes, held_out: LabelledLatents, folder: Path, *, faces: int = 6
) -> None:
    """One sheet per expression: neutral faces of held-out people, from -2 to +2."""
    neutral = [row for row, label in enumerate(held_out.labels) if label == REFERENCE]
    rows = neutral[:: max(1, len(neutral) // faces)][: faces - 2] + neutral[-2:]
    for axis in axes:
        pictures = [[_drawn(generator, held_out.latents[row], axes, axis.name, x) for x in INTENSITIES] for row in rows]
        sheet = contact_sheet(
            pictures,
            title=axis.name,
            subtitle=f"{axis.n_expression} examples, AUC {axis.auc:.2f} ({axis.auc_low:.2f} to {axis.auc_high:.2f})",
            column_labels=[f"{x:+g}" for x in INTENSITIES],
        )
        save_photo(folder / f"{axis.name}.png", sheet)


def _drawn(generator: Generator, latent: Latent, axes: ExpressionAxes, name: str, intensity: float) -> Photo:
    with torch.inference_mode():
        return photo_from_tensor(generator.synthesis(move_latent(latent, axes, {name: intensity}).ws))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", nargs=2, action="append", required=True, metavar=("DIR", "CSV"), type=Path)
    parser.add_argument("--held-out", type=Path, required=True, help="people to hold out, one a line")
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write a sheet per expression here")
    arguments = parser.parse_args()
    generator = load_generator(arguments.generator, device=arguments.device)
    faces = read_faces([tuple(pair) for pair in arguments.faces])
    labelled = label_latents(generator, faces, aligned=True, mirrored=True, coefficients=False, progress=print_progress)
    parts = split(labelled, read_held_out(arguments.held_out))
    axes = fit(parts.fitted, CONFIG)
    save_axes(arguments.out, axes)
    for axis in load_axes(arguments.out):
        print(
            f"{axis.name}: {axis.n_expression} examples, {axis.n_people} people ({axis.n_people_both} also neutral), "
            f"AUC {axis.auc:.3f} ({axis.auc_low:.3f} to {axis.auc_high:.3f}), eta per unit {axis.eta_per_unit:.2f}"
            + (", experimental" if axis.experimental else "")
        )
    if arguments.sheets:
        arguments.sheets.mkdir(parents=True, exist_ok=True)
        save_sheets(generator, axes, parts.held_out, arguments.sheets)


if __name__ == "__main__":
    main()
