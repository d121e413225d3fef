"""How the built-in axes' part in the latent is fitted: people beside themselves with designed expressions.

    python -m emogan_core.training.designed_axes DATA DESIGNED HELD_OUT AXES_IN AXES_OUT [--generator FILE]

DESIGNED is what `training.designed_faces` wrote: the same pictures moved by the face model, so that identity, pose, light
and colour are those of the picture beside it and only the expression differs. Of each expression those moves count that
began at a face labelled neutral, or made neutral first. Steps and shadings of the face model in AXES_IN stay.
"""

from __future__ import annotations

import argparse
import csv
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
from .axes import LICENCE, print_progress
from .data import SOURCE_SIDE, read_held_out
from .designed_faces import SETS, pictures_in

ENCODED_AT_ONCE = 64
MEASURED = 120  # moved pictures on which the length of directions is measured
ONE_SIDED = ("contempt",)  # fitted without mirror images
LABELS = "training faces that the face model moved by this expression, each beside its own picture"
CONGRESS = (
    "and official portraits of members of the US Congress (public domain; identifiable officials who did not consent)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pictures [n, 3, 128, 128] uint8 with label, picture they came from, and intensity asked for (0 for neutral)."""

    pixels: Tensor
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    intensities: tuple[float, ...]


def read_pairs(data: Path, designed: Path, held_out: frozenset[str]) -> Pairs:
    """Neutral pictures, and those that were moved by a named expression from neutral."""
    pixels, labels, sources, intensities = [], [], [], []
    seen: set[str] = set()
    with (designed / "designed.csv").open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["person"] not in held_out and row["intensity"]]
    for row in rows:
        from_neutral = row["was"] == REFERENCE
        if not (from_neutral or int(row["neutral_first"])):
            continue
        with Image.open(designed / row["file"]) as picture:
            pixels.append(_pixels(picture))
        labels.append(row["expression"])
        sources.append(row["source"])
        intensities.append(float(row["intensity"]))
        if from_neutral and row["source"] not in seen:
            seen.add(row["source"])
            with Image.open(pictures_in(data, row["set"])[row["source"]]) as picture:
                pixels.append(_pixels(picture))
            labels.append(REFERENCE)
            sources.append(row["source"])
            intensities.append(0.0)
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
    """The pattern model with an effect of each picture; a step of 1 is what intensity 1 of the face model does."""
    latents = codes(generator, pairs.pixels)
    mirror = Mirror(codes(generator, pairs.pixels, mirrored=True))
    asked, labels = np.asarray(pairs.intensities), np.asarray(pairs.labels)
    fitted = {}
    for names in (tuple(name for name in NAMED if name not in ONE_SIDED), ONE_SIDED):
        axes = fit_expressions(
            latents,
            pairs.labels,
            people=pairs.sources,
            mirror=None if names is ONE_SIDED else mirror,
            config=FitConfig(expressions=names),
            origin=Origin(label_source=LABELS, licence=f"{LICENCE}, {CONGRESS}"),
            progress=print_progress,
        )
        for axis in axes:
            old, mean = known[axis.name], float(asked[labels == axis.name].mean())
            fitted[axis.name] = replace(
                axis,
                direction=axis.direction / mean,
                eta_per_unit=axis.eta_per_unit / mean,
                coefficients=old.coefficients,
                shading=old.shading,
                source=old.source,
                level_gain=old.level_gain,
            )
    return ExpressionAxes(tuple(fitted[name] for name in NAMED), generator.fingerprint)


def stretched(generator: Generator, axes: ExpressionAxes, pairs: Pairs, rng: np.random.Generator) -> ExpressionAxes:
    """Longer directions, so that faces redrawn along them come nearer to what moved pictures redrawn read as.

    People change in ways of their own, which a mean direction loses: along it faces read as little more than half of what
    each would. One factor for all, as weak expressions are read too uncertainly for one of their own; and its square root,
    as at full length mouths and brows of dark faces smeared (seen on composites).
    """
    number = {
        source: row
        for row, (source, label) in enumerate(zip(pairs.sources, pairs.labels, strict=True))
        if label == REFERENCE
    }
    rows = [row for row, source in enumerate(pairs.sources) if source in number and pairs.labels[row] != REFERENCE]
    chosen = rng.permutation(rows)[:MEASURED]
    before = codes(generator, pairs.pixels[[number[pairs.sources[row]] for row in chosen]])
    after = codes(generator, pairs.pixels[list(chosen)])
    shown = {"moved": 0.0, "along": 0.0}
    for place, row in enumerate(chosen):
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
