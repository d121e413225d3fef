"""Reading the expression of a face in a photo: coefficients, pose, and how probable each named expression is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError
from ..face_model import FaceFit, both_sides, load_face_model, sides_of
from ..faces import choose_face
from ..faces.fit import fit_to_photo
from ..images import Photo
from ..weights import builtin_path, read_tensors
from ..wording import counted
from .axes import REFERENCE
from .prototypes import NAMED

Array = NDArray[np.float64]

FORMAT = "emogan-expression-readout-1"
BUILTIN = "expression_readout.safetensors"
READ = (REFERENCE, *NAMED)
"""What a face may be read as."""
SEEN = 0.05
"""Coefficients and probabilities below this are not told to people."""
UNREAD = ("eyeLook", "jawForward", "jawLeft", "jawRight", "mouthLeft", "mouthRight", "mouthClose", "cheekPuff")
"""Shapes that no expression is read from: gaze, a jaw or mouth aside, and what fits take for a face's own build."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a face shows.

    Convention: coefficients in 0..1 by shape of the face model; yaw_deg positive when the nose points to the picture's
    right, pitch_deg when it points up, roll_deg clockwise; probabilities of neutral and the named expressions sum to 1;
    error_cm is how far the landmarks lie from the face model, on average.
    """

    coefficients: Mapping[str, float]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    probabilities: Mapping[str, float]
    error_cm: float

    @property
    def expression(self) -> str:
        """The most probable one."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


def read_expression(photo: Photo, face: int = 0) -> Reading:
    """What a face of a photo shows, as its landmarks tell.

    Convention: faces are counted from the largest, 0.
    Raises: FaceError when there is no such face.
    """
    return reading_of(fit_to_photo(photo, choose_face(photo, face)))


def reading_of(fit: FaceFit) -> Reading:
    """What a fitted face shows.

    Raises: CheckpointError when the readout's file is missing or belongs to another face model.
    """
    eta = log_odds(fit.coefficients)
    mass = np.exp(eta - eta.max())
    return Reading(
        coefficients=dict(zip(load_face_model().names, fit.coefficients.tolist(), strict=True)),
        yaw_deg=fit.pose.yaw_deg,
        pitch_deg=fit.pose.pitch_deg,
        roll_deg=fit.pose.roll_deg,
        probabilities=dict(zip(READ, (mass / mass.sum()).tolist(), strict=True)),
        error_cm=fit.error_cm,
    )


def log_odds(coefficients: Array) -> Array:
    """The log odds against neutral of READ, [..., 8] of coefficients [..., k]; those of neutral are 0.

    Raises: CheckpointError when the readout's file is missing or belongs to another face model.
    """
    readout = _readout()
    eta = features_of(coefficients) @ readout.weight.T + readout.intercept
    return eta - eta[..., :1]


def reading_lines(reading: Reading, *, most: int = 12) -> list[str]:
    """What a reading shows, strongest first: named expressions, then up to `most` shapes; what is below SEEN is left out."""
    likely = sorted(reading.probabilities.items(), key=lambda item: -item[1])
    shapes = sorted(reading.coefficients.items(), key=lambda item: -item[1])
    told = [f"{name} {value:.0%}" for name, value in likely if value >= SEEN]
    strong = [f"{name} {value:.2f}" for name, value in shapes if value >= SEEN]
    more = f" and {counted(len(strong) - most, 'weaker one')}" if len(strong) > most else ""
    return [
        f"reads as: {', '.join(told) or 'nothing that is known'}",
        f"shapes: {', '.join(strong[:most]) or 'none'}{more}",
    ]


def features_of(coefficients: Array) -> Array:
    """What the readout reads, [..., p] of coefficients [..., k]: the mean of each shape's sides, then how they differ.

    A mirrored face reads the same.
    """
    pairs = _pairs()
    means = [coefficients[..., list(sides)].mean(-1) for sides in pairs]
    apart = [np.abs(coefficients[..., sides[0]] - coefficients[..., sides[1]]) for sides in pairs if len(sides) == 2]
    return np.stack(means + apart, axis=-1)


@cache
def _pairs() -> Sequence[tuple[int, ...]]:
    """The shapes that are read: one index each, or those of the left and the right."""
    model = load_face_model()
    names = [name for name in both_sides(model.names) if not name.startswith(UNREAD)]
    return tuple(tuple(model.index(side) for side in sides_of(name, model.names)) for name in names)


@dataclass(frozen=True, slots=True, eq=False)
class _Readout:
    """A multinomial GLM: eta = weight [8, p] @ features + intercept [8]."""

    weight: Array
    intercept: Array


@cache
def _readout() -> _Readout:
    return _read(builtin_path(BUILTIN))


def _read(path: Path) -> _Readout:
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path.name} is no expression readout (format '{metadata.get('format', 'none')}'); needed '{FORMAT}', "
            "install the package again"
        )
    weight, intercept = (tensors[name].double().numpy() for name in ("weight", "intercept"))
    wanted = (len(READ), features_of(np.zeros(len(load_face_model().names))).shape[0])
    if weight.shape != wanted or json.loads(metadata["expressions"]) != list(READ):
        raise CheckpointError(
            f"{path.name} has weights of shape {weight.shape}, this face model needs {wanted}; install the package again"
        )
    return _Readout(weight, intercept)
