"""Folds drawn by hand on the face model: what a frown or a wrinkled nose does to the light, where the mesh is too smooth.

The shading by normals (emogan_core/compose/shading.py) only knows folds that the shapes have; theirs are those of a smooth
head without skin. No pictures of these expressions exist here to measure them on, as smiles are.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..expressions.shadings import mirrored_vertices
from ..face_model import FaceModel

Array = NDArray[np.float64]

Mix = Mapping[int, float]
"""A place on the face: MediaPipe's points and their weights, which sum to 1."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A line on the right half of the face, drawn on both.

    Convention: `line` lists places; light changes by `depth` (log of brightness, negative is darker) on it and fades as a
    Gaussian of `width_cm`, sideways and at the ends.
    """

    line: tuple[Mix, ...]
    width_cm: float
    depth: float


FROWN = (
    Fold(line=({55: 0.6, 8: 0.4}, {107: 0.5, 9: 0.3, 8: 0.2}), width_cm=0.16, depth=-0.34),  # the upright crease
    Fold(line=({8: 0.8, 9: 0.2}, {9: 0.9, 8: 0.1}), width_cm=0.22, depth=0.08),  # the bulge between the creases
    Fold(
        line=({189: 1.0}, {221: 0.6, 55: 0.4}, {222: 0.6, 65: 0.4}), width_cm=0.28, depth=-0.16
    ),  # shade under the brow
)
NASOLABIAL = (
    Fold(line=({129: 0.5, 203: 0.5}, {206: 0.6, 203: 0.4}, {216: 0.7, 206: 0.3}), width_cm=0.2, depth=-0.22),
    Fold(line=({36: 1.0}, {205: 0.5, 206: 0.5}), width_cm=0.4, depth=0.05),  # the cheek lifted above it
)
WRINKLED_NOSE = (
    Fold(line=({193: 0.7, 8: 0.3}, {122: 0.6, 6: 0.4}), width_cm=0.16, depth=-0.16),
    Fold(line=({168: 1.0}, {193: 0.6, 168: 0.4}), width_cm=0.12, depth=-0.14),
)

FOLDS: Mapping[str, tuple[tuple[float, tuple[Fold, ...]], ...]] = {
    "anger": ((1.0, FROWN), (0.35, NASOLABIAL)),
    "disgust": ((0.6, FROWN), (0.9, NASOLABIAL), (0.9, WRINKLED_NOSE)),
    "sadness": ((0.35, FROWN), (0.3, NASOLABIAL)),
    "fear": ((0.3, FROWN),),
}
"""How much of which folds each expression has at intensity 1."""


def folds_of(model: FaceModel, name: str) -> Array:
    """[f]: the log ratio of brightness of an expression's drawn folds; zeros where it has none."""
    total = np.zeros(model.face_vertices)
    for share, folds in FOLDS.get(name, ()):
        for fold in folds:
            own = fold.depth * np.exp(-0.5 * (_distance(model, fold) / fold.width_cm) ** 2)
            other = own[mirrored_vertices(model)]
            total += share * np.where(np.abs(own) > np.abs(other), own, other)
    return total


def _distance(model: FaceModel, fold: Fold) -> Array:
    """[f] in cm from the fold's line."""
    places = model.neutral[: model.face_vertices].astype(np.float64)
    at = model.landmark_vertex
    line = np.stack([sum(share * model.neutral[at[point]] for point, share in mix.items()) for mix in fold.line])
    nearest = np.full(len(places), np.inf)
    for start, end in itertools.pairwise(line):
        along = end - start
        share = np.clip((places - start) @ along / (along @ along), 0.0, 1.0)
        nearest = np.minimum(nearest, np.linalg.norm(places - start - share[:, None] * along, axis=1))
    return nearest
