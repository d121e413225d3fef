"""How the built-in axes' part in the latent is fitted: people beside themselves with designed expressions.

    python -m emogan_core.training.designed_axes DATA DESIGNED HELD_OUT AXES_IN AXES_OUT [--generator FILE]

DESIGNED is what `training.designed_faces` wrote: the same pictures moved by the face model, so that identity, pose, light
and colour are those of the picture beside it and only the expression differs. Of each expression those moves count that
began at a face labelled neutral, one of each picture. Steps and shadings of the face model in AXES_IN stay.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..checkpoints import load_generator
from ..expressions import (
    REFERENCE,
    ExpressionAxes,
    FitConfig,
    Mirror,
    Origin,
    fit_expressions,
    load_axes,
    move_latent,
    save_axes,
)
from ..expressions.prototypes import NAMED
from ..face_model import FaceFit
from ..faces import frame_of, place_drawn
from ..images import photo_from_tensor
from ..latents import Latent
from ..networks import Generator
from .data import SOURCE_SIDE, read_held_out
from .designed_faces import SETS, pictures_in

ENCODED_AT_ONCE = 64
MEASURED = 120  # moved pictures on which the length of directions is measured
ONE_SIDED = ("contempt",)  # fitted without mirror images
LABELS = "training faces that the face model moved by this expression, each beside its own picture"
LICENCE = (
    "Apache-2.0 as part of this project; fitted on the Face Research Lab London Set (DeBruine & Jones 2017, "
    "doi 10.6084/m9.figshare.5047666, CC BY 4.0), the Canada set (doi 10.6084/m9.figshare.4220517, CC BY 4.0), "
    "press photographs of people who did not consent (see MODEL_CARD.md), and official portraits of members of the US "
    "Congress (public domain; identifiable officials who did not consent)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pictures [n, 3, 128, 128] uint8 with label, picture they came from, and intensity asked for (0 for neutral)."""

    pixels: Tensor
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    intensities: tuple[float, ...]


def read_pairs(data: Path, designed: Path, held_out: frozenset[str]) -> Pairs:
    """Pictures that were moved by a named expression from neutral, one of each picture and expression, and these."""
    pixels, labels, sources, intensities = [], [], [], []
    seen: set[tuple[str, str]] = set()
    with (designed / "designed.csv").open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["person"] not in held_out and row["intensity"]]
    for row in rows:
        source, name = row["source"], row["expression"]
        if row["was"] != REFERENCE or (source, name) in seen:
            continue
        shown: list[tuple[Path | io.BytesIO, str, float]] = [(designed / row["file"], name, float(row["intensity"]))]
        if (source, REFERENCE) not in seen:
            shown.append((pictures_in(data, row["set"])[source], REFERENCE, 0.0))
        for path, label, intensity in shown:
            seen.add((source, label))
            with Image.open(path) as picture:
                pixels.append(_pixels(picture))
            labels.append(label)
            sources.append(source)
            intensities.append(intensity)
    return Pairs(torch.stack(pixels), tuple(labels), tuple(sources), tuple(intensities))


def _pixels(picture: Image.Image) -> Tensor:
    small = picture.convert("RGB").resize((SOURCE_SIDE, SOURCE_SIDE), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def codes(generator: Generator, pixels: Tensor, *, mirrored: bool = False) -> Latent:
    """The codes of pictures [n, 3, 128, 128], by one pass of the encoder."""
    ws = []
    for part in torch.split(pixels, ENCODED_AT_ONCE):
        shown = part.flip(3) if mirrored else part
        with torch.inference_mode():
            ws.append(generator.encode((shown.float() / 127.5 - 1).to(generator.device)).cpu())
    return Latent(torch.cat(ws), generator.fingerprint)


def fit(generator: Generator, pairs: Pairs, known: ExpressionAxes) -> ExpressionAxes:
    """The pattern model on differences within pictures; a step of 1 is what intensity 1 of the face model does."""
    latents, mirrored = codes(generator, pairs.pixels), codes(generator, pairs.pixels, mirrored=True)
    fitted = []
    for name in NAMED:
        moved, neutral = _rows(pairs, name)
        rows = moved + neutral
        sources = [pairs.sources[row] for row in rows]
        axis = fit_expressions(
            Latent(latents.ws[rows], latents.fingerprint),
            [pairs.labels[row] for row in rows],
            pairs=sources,
            people=sources,
            mirror=None if name in ONE_SIDED else Mirror(Latent(mirrored.ws[rows], mirrored.fingerprint)),
            config=FitConfig(expressions=(name,)),
            origin=Origin(label_source=LABELS, licence=LICENCE),
        )[name]
        old, mean = known[name], float(np.mean([pairs.intensities[row] for row in moved]))
        fitted.append(
            replace(
                axis,
                direction=axis.direction / mean,
                eta_per_unit=axis.eta_per_unit / mean,
                coefficients=old.coefficients,
                shading=old.shading,
                source=old.source,
                level_gain=old.level_gain,
                designed=True,
                notes=(),  # that moved pictures are told from their own without an error is as it should be
            )
        )
    return ExpressionAxes(tuple(fitted), generator.fingerprint)


def _rows(pairs: Pairs, *names: str) -> tuple[list[int], list[int]]:
    """Rows of the pictures moved by one of these expressions, and of the pictures they came from."""
    moved = [row for row, label in enumerate(pairs.labels) if label in names]
    neutral = {
        source: row
        for row, (source, label) in enumerate(zip(pairs.sources, pairs.labels, strict=True))
        if label == REFERENCE
    }
    return moved, [neutral[pairs.sources[row]] for row in moved]


def stretched(generator: Generator, axes: ExpressionAxes, pairs: Pairs, rng: np.random.Generator) -> ExpressionAxes:
    """Longer directions, so that faces redrawn along them come nearer to what moved pictures redrawn read as.

    People change in ways of their own, which a mean direction loses: along it faces read as little more than half of what
    each would. One factor for all, as weak expressions are read too uncertainly for one of their own; and its square root,
    as at full length mouths and brows of dark faces smeared (seen on composites).
    """
    couples = list(zip(*_rows(pairs, *NAMED), strict=True))
    chosen = [couples[place] for place in rng.permutation(len(couples))[:MEASURED]]
    after, before = (codes(generator, pairs.pixels[list(rows)]) for rows in zip(*chosen, strict=True))
    shown = {"moved": 0.0, "along": 0.0}
    for place, (row, _) in enumerate(chosen):
        name, intensity = pairs.labels[row], pairs.intensities[row]
        along = move_latent(before[place], axes, {name: intensity})
        fits = [_read(generator, latent) for latent in (before[place], after[place], along)]
        if any(fit is None for fit in fits):
            continue
        plain, moved, stepped = (fit.coefficients for fit in fits if fit is not None)
        step = axes[name].coefficients.double().numpy()
        shown["moved"] += float(step @ (moved - plain) / (step @ step))
        shown["along"] += float(step @ (stepped - plain) / (step @ step))
    factor = float((shown["moved"] / shown["along"]) ** 0.5)
    print(
        f"faces along the directions read as {factor**-2:.2f} of moved pictures redrawn: made {factor:.2f} times as long"
    )
    longer = [
        replace(axis, direction=axis.direction * factor, eta_per_unit=axis.eta_per_unit * factor) for axis in axes
    ]
    return replace(axes, axes=tuple(longer))


def _read(generator: Generator, latent: Latent) -> FaceFit | None:
    """The face model on a redrawn face, None where it shows none."""
    with torch.inference_mode():
        picture = generator.synthesis(latent.ws.to(generator.device)).clamp(-1, 1).cpu()
    return place_drawn(photo_from_tensor(picture), frame_of(generator))[1]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help=f"holds {', '.join(SETS.values())}")
    parser.add_argument("designed", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("axes_in", type=Path)
    parser.add_argument("axes_out", type=Path)
    parser.add_argument("--generator", default="builtin")
    given = parser.parse_args(arguments)
    generator = load_generator(given.generator)
    pairs = read_pairs(given.data, given.designed, read_held_out(given.held_out))
    axes = fit(generator, pairs, load_axes(given.axes_in))
    axes = stretched(generator, axes, pairs, np.random.default_rng(0))
    save_axes(given.axes_out, axes)
    for axis in axes:
        print(f"{axis.name}: {axis.n_expression} faces, AUC {axis.auc:.3f}, eta per unit {axis.eta_per_unit:.2f}")


if __name__ == "__main__":
    main()
