"""The recipe of the built-in expression readout: a multinomial GLM on the face model's coefficients.

    python -m emogan_core.training.expression_readout DATA HELD_OUT AXES OUT

It learns from labelled pictures and from designed ones: neutral faces whose landmarks were moved along an axis, by known
intensities, so that the expressions that nobody photographed have examples too.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..expressions import REFERENCE, load_axes
from ..expressions.reading import FORMAT, READ, features_of
from ..face_model import FaceModel, fit_face, load_face_model
from ..weights import write_tensors
from .data import read_held_out
from .labelled_fits import Labelled, read_labelled

Array = NDArray[np.float64]

MOST = {REFERENCE: 360, "happiness": 280}  # pictures of a label, people in a random order; all of the others
CHECKED = {REFERENCE: 150, "happiness": 150}  # the same for held-out people
DESIGNED = 60  # for each expression
INTENSITIES = (0.4, 1.3)
DESIGNED_SHARE = 0.6  # of an expression's weight; labels of negative expressions are often about something else
TRUSTED_SHARE = 0.15  # of those whose labels can be trusted
TRUSTED = ("happiness", "surprise")
ENOUGH = 40  # labelled pictures from which they get the rest in full
WEIGHT = {REFERENCE: 2.0, "happiness": 1.5, "surprise": 1.5}
"""What counts more than once: most faces are neutral, and these labels can be trusted. Chosen, with the penalty, by training
people left out in turn."""
PENALTY = 1.0  # inverse of the ridge on standardised features
LICENCE = "Apache-2.0 as part of this project; fitted on landmarks of the studio and press faces (see MODEL_CARD.md)"

Row = tuple[str, Array, bool]  # expression, coefficients [k], whether designed


def main(arguments: Sequence[str]) -> None:
    data, held_out_list, axes, out = (Path(word) for word in arguments)
    model, held_out = load_face_model(), read_held_out(held_out_list)
    pictures = read_labelled(data)
    rng = np.random.default_rng(0)
    moves = {axis.name: axis.coefficients.double().numpy() for axis in load_axes(axes)}
    training = [p for p in pictures if p.person not in held_out]
    rows = [(p.expression, fit_face(model, p.landmarks).coefficients, False) for p in chosen(training, rng)]
    rows += designed(model, training, moves, rng)
    weight, intercept = fitted(rows)
    save(out, weight, intercept)
    for kind in ("press", "studio"):
        seen = chosen([p for p in pictures if p.person in held_out and p.set == kind], rng, CHECKED)
        tell(kind, [(p.expression, fit_face(model, p.landmarks).coefficients, False) for p in seen], weight, intercept)
    others = [p for p in pictures if p.person in held_out]
    tell("designed", designed(model, others, moves, rng, count=12), weight, intercept)


def chosen(pictures: Sequence[Labelled], rng: np.random.Generator, most: Mapping[str, int] = MOST) -> list[Labelled]:
    """Pictures with a label that is read, in a random order, not too many of the frequent ones."""
    kept, count = [], Counter[str]()
    for index in rng.permutation(len(pictures)):
        label = pictures[index].expression
        if label in READ and count[label] < most.get(label, len(pictures)):
            kept.append(pictures[index])
            count[label] += 1
    return kept


def designed(
    model: FaceModel,
    pictures: Sequence[Labelled],
    moves: Mapping[str, Array],
    rng: np.random.Generator,
    *,
    count: int = DESIGNED,
) -> list[Row]:
    """Neutral faces with landmarks moved as each expression moves them, then read as any other face."""
    neutral = [p for p in pictures if p.expression == REFERENCE]
    found = model.found_moves()
    rows: list[Row] = []
    for name, move in moves.items():
        for index in rng.choice(len(neutral), size=min(count, len(neutral)), replace=False):
            points = neutral[index].landmarks.copy()
            before = fit_face(model, points)
            after = np.clip(before.coefficients + rng.uniform(*INTENSITIES) * move, 0.0, 1.0)
            change = np.tensordot(after - before.coefficients, found, 1)
            points[:468] += before.pose.project_change(change)[:, :2]
            rows.append((name, fit_face(model, points).coefficients, True))
    return rows


def fitted(rows: Sequence[Row]) -> tuple[Array, Array]:
    """Weights [8, p] and intercepts [8] on plain features, expressions weighing as WEIGHT says."""
    from sklearn.linear_model import LogisticRegression

    seen = features_of(np.stack([coefficients for _, coefficients, _ in rows]))
    mean, sd = seen.mean(0), seen.std(0) + 0.05  # a shape that hardly varies is not blown up
    label = np.array([READ.index(name) for name, _, _ in rows])
    weight = np.zeros(len(rows))
    made = np.array([flag for _, _, flag in rows])
    for k in range(len(READ)):
        real, own = (label == k) & ~made, (label == k) & made
        designed_share = TRUSTED_SHARE if READ[k] in TRUSTED else DESIGNED_SHARE
        share = (1 - designed_share) * min(1.0, real.sum() / ENOUGH) if own.any() else 1.0
        weight[real] = share / max(1, real.sum())
        weight[own] = (1 - share) / max(1, own.sum())
        weight[real | own] *= WEIGHT.get(READ[k], 1.0)
    weight *= len(rows) / weight.sum()
    model = LogisticRegression(C=PENALTY, max_iter=3000).fit((seen - mean) / sd, label, sample_weight=weight)
    slopes = model.coef_ / sd
    return np.asarray(slopes), np.asarray(model.intercept_ - slopes @ mean)


def save(out: Path, weight: Array, intercept: Array) -> None:
    tensors = {
        "weight": torch.tensor(weight, dtype=torch.float32),
        "intercept": torch.tensor(intercept, dtype=torch.float32),
    }
    write_tensors(out, tensors, {"format": FORMAT, "expressions": json.dumps(READ), "licence": LICENCE})


def tell(title: str, rows: Sequence[Row], weight: Array, intercept: Array) -> None:
    """Print how often each label is read as what."""
    eta = features_of(np.stack([coefficients for _, coefficients, _ in rows])) @ weight.T + intercept
    read = eta.argmax(1)
    label = np.array([READ.index(name) for name, _, _ in rows])
    print(f"{title}: {len(rows)} faces, {np.mean(read == label):.2f} read as labelled")
    for k, name in enumerate(READ):
        if (own := label == k).any():
            shares = ", ".join(f"{READ[j]} {np.mean(read[own] == j):.2f}" for j in np.unique(read[own]))
            print(f"  {name} ({own.sum()}): {shares}")


if __name__ == "__main__":
    main(sys.argv[1:])
