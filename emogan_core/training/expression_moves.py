"""The recipe of the built-in axes' parts of the face model: coefficients and shading of the named expressions.

    python -m emogan_core.training.expression_moves DATA HELD_OUT AXES_IN AXES_OUT

DATA holds the labelled landmarks with their tables and the studio photographs, HELD_OUT lists people who are left out.
Latent directions in AXES_IN stay. Happiness is fitted on people seen both ways; the other expressions are prototypes
(emogan_core/expressions/prototypes.py), and this prints how far the labelled examples agree with them.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..expressions import REFERENCE, ExpressionAxes, load_axes, moving_axis, save_axes
from ..expressions.prototypes import NAMED, PROTOTYPES, SHAPES_OF_UNIT, UNITS, levels, prototype
from ..expressions.shadings import brightness, half_agreement, open_skin, shading_of
from ..face_model import FaceFit, FaceModel, fit_faces, load_face_model
from ..images import Photo
from .data import read_held_out
from .drawn_folds import FOLDS, folds_of
from .labelled_fits import LANDMARK_STEPS, Labelled, fitted_together, read_labelled, seen_both_ways
from .smile import CLEAR, LEAST_T, lips_of_clear_smiles, pattern_of, smile_of

Array = NDArray[np.float64]

SMILING_PEOPLE = 250
FITTED = (
    "pattern of people photographed neutral and smiling (studio and press), its strength set by how their lips move"
)
LEVEL_GAIN = {"happiness": 1.4}
"""Clear smiles read, one picture at a time, as 0.55 to 0.6 of the typical smile, since wide mouths may as well be somebody's
own. The lips of 860 pictures of training people ask for a gain of 1.6 in the studio and 1.8 in the press; but taking a
smile off takes other shapes off too, and by eye on two training people 1.4 leaves the mouth as wide as in their neutral
pictures, 1.8 narrower."""
SEEN_SHARE = 0.2
BLENDED = f"; {SEEN_SHARE:.0%} of it the pattern of the press photographs"
SHADED = "shading measured on the studio people"
DRAWN = "folds between the brows and beside the nose drawn by hand"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("held_out", type=Path)
    parser.add_argument("axes_in", type=Path)
    parser.add_argument("axes_out", type=Path)
    given = parser.parse_args(arguments)
    model, held_out = load_face_model(), read_held_out(given.held_out)
    pictures = [picture for picture in read_labelled(given.data) if picture.person not in held_out]
    groups = seen_both_ways(pictures, most_smiling=SMILING_PEOPLE)
    pairs = fitted_together(model, groups)
    pattern, t = pattern_of(model, pairs, NAMED)
    smile = smile_of(model, pattern.slopes[0], t[0], lips_of_clear_smiles(groups))
    moves = {"happiness": smile, **{name: prototype(name) for name in PROTOTYPES}}
    surprise = NAMED.index("surprise")
    moves["surprise"] = blended(model, "surprise", pattern.slopes[surprise], t[surprise])
    for index, name in enumerate(NAMED):
        tell(model, name, moves[name], pattern.slopes[index], sum(p.expression == name for p, _ in pairs))
    shadings = {name: folds_of(model, name) for name in FOLDS}
    shadings["happiness"] = smile_shading(given.data, model, pictures)
    save_axes(given.axes_out, with_moves(load_axes(given.axes_in), moves, shadings))


def blended(model: FaceModel, name: str, slope: Array, t: Array) -> Array:
    """A prototype, with a share of what the labelled examples show in its action units' shapes, scaled to be as large."""
    own = levels({shape: 1.0 for unit in UNITS[name] for shape in SHAPES_OF_UNIT[unit]}) > 0
    seen = np.where(own & (t >= LEAST_T), slope, 0.0)
    at = model.landmark_vertex
    shown, moved = (np.tensordot(c, model.expressions[:, at], 1).ravel() for c in (prototype(name), seen))
    scale = float(shown @ moved) / float(moved @ moved)
    return np.asarray(np.clip((1 - SEEN_SHARE) * prototype(name) + SEEN_SHARE * scale * seen, 0.0, 1.0))


def with_moves(axes: ExpressionAxes, moves: Mapping[str, Array], shadings: Mapping[str, Array]) -> ExpressionAxes:
    """The axes with their part of the face model; named expressions that have no direction are added in order."""
    known = {axis.name: axis for axis in axes}
    made = []
    for name in NAMED:
        coefficients = torch.tensor(moves[name], dtype=torch.float32)
        shading = torch.tensor(shadings.get(name, np.zeros(0)), dtype=torch.float32)
        source, gain = source_of(name), LEVEL_GAIN.get(name, 1.0)
        if name in known:
            moved = replace(known[name], coefficients=coefficients, shading=shading)
            made.append(replace(moved, source=source, level_gain=gain))
        else:
            made.append(moving_axis(name, coefficients, shading=shading, source=source, level_gain=gain))
    return replace(axes, axes=tuple(made), left_out={k: n for k, n in axes.left_out.items() if k not in NAMED})


def source_of(name: str) -> str:
    """Where an expression's coefficients and shading come from, in words."""
    if name == "happiness":
        return f"{FITTED}; {SHADED}"
    units = ", ".join(UNITS[name])
    one_sided = "; on the person's left side only" if name == "contempt" else ""
    seen = BLENDED if name == "surprise" else ""
    drawn = f"; {DRAWN}" if name in FOLDS else ""
    return f"prototype of action units {units} (FACS), levels set by hand{seen}{one_sided}{drawn}"


def tell(model: FaceModel, name: str, move: Array, slope: Array, count: int) -> None:
    """Print an expression's coefficients, and how far its labelled examples agree (cosine of the landmarks' motion)."""
    at = model.landmark_vertex
    shown, seen = (np.tensordot(c, model.expressions[:, at, :2], 1).ravel() for c in (move, slope))
    cosine = float(shown @ seen / max(np.linalg.norm(shown) * np.linalg.norm(seen), 1e-9))
    shapes = ", ".join(f"{shape} {move[k]:.2f}" for k, shape in enumerate(model.names) if move[k] >= 0.005)
    print(f"{name} ({count} pictures, landmarks agree {cosine:.2f}): {shapes}")


def smile_shading(data: Path, model: FaceModel, pictures: Sequence[Labelled]) -> Array:
    """[f]: what clear smiles of studio people do to the light on their faces."""
    smiling = {p.person: p for p in pictures if p.set == "studio" and p.expression == "happiness" and p.smile >= CLEAR}
    neutral = {p.person: p for p in pictures if p.set == "studio" and p.expression == REFERENCE}
    stored = np.load(data / "studio_originals_landmarks.npz")
    points = dict(zip(stored["files"].tolist(), stored["landmarks"], strict=True))
    ratios: dict[str, Array] = {}
    with zipfile.ZipFile(data / "studio_originals.zip") as archive:
        for person in sorted(smiling.keys() & neutral.keys()):
            both = [neutral[person].file, smiling[person].file]
            fits = fit_faces(model, [points[file][:, :2] / LANDMARK_STEPS for file in both])
            seen = [_brightness(archive, file, model, fit) for file, fit in zip(both, fits, strict=True)]
            ratios[person] = seen[1] - seen[0]
    agreement = half_agreement([ratios[person] for person in sorted(ratios)], open_skin(model))
    print(f"shading of {len(ratios)} smiles: two halves agree {agreement:.2f}")
    return shading_of(model, list(ratios.values()), symmetric=True)


def _brightness(archive: zipfile.ZipFile, file: str, model: FaceModel, fit: FaceFit) -> Array:
    with Image.open(io.BytesIO(archive.read(file))) as picture:
        return brightness(Photo(np.asarray(picture.convert("RGB"))), model, fit)


if __name__ == "__main__":
    main()
