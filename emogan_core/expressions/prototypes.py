"""Named expressions as movements of the face: action units, and the face model's shapes that stand for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import ExpressionError
from ..face_model import load_face_model, sides_of

NAMED = ("happiness", "surprise", "anger", "sadness", "disgust", "fear", "contempt")
"""The expressions that have a name; the order in which they are shown."""

SHAPES_OF_UNIT: Mapping[str, tuple[str, ...]] = {
    "1": ("browInnerUp",),
    "2": ("browOuterUp",),
    "4": ("browDown",),
    "5": ("eyeWide",),
    "6": ("cheekSquint", "cheekRaiser"),
    "7": ("eyeSquint",),
    "9": ("noseSneer",),
    "10": ("mouthUpperUp",),
    "12": ("mouthSmile",),
    "14": ("mouthDimple",),
    "15": ("mouthFrown",),
    "17": ("mouthShrugLower",),
    "20": ("mouthStretch",),
    "23/24": ("mouthPress", "mouthRollLower", "mouthRollUpper"),
    "25": ("mouthLowerDown", "mouthUpperUp"),
    "26": ("jawOpen",),
}
"""The face model's shapes that show each action unit of the Facial Action CodingOptions System (Ekman & Friesen 1978)."""

UNITS: Mapping[str, tuple[str, ...]] = {
    "happiness": ("12", "25", "6"),
    "surprise": ("1", "2", "25", "26", "5"),
    "anger": ("4", "5", "7", "23/24", "9", "17"),
    "sadness": ("1", "4", "15", "17", "7"),
    "disgust": ("9", "10", "17", "4", "7"),
    "fear": ("1", "2", "4", "5", "20", "25", "26"),
    "contempt": ("12", "14"),
}
"""Action units of each expression: those of most people, then some of those that many add.

Source: the prototypes of Du, Tao & Martinez 2014 (Compound facial expressions of emotion, PNAS 111), contempt after Ekman
& Friesen; AU 9 in anger is ours (press faces called angry show it). Training people labelled angry mostly shout, so pressed
lips move the other way; but of five training people edited with bared teeth a viewer who did not know called none angry
with confidence, and of the same five with pressed lips three.
"""

PROTOTYPES: Mapping[str, Mapping[str, float]] = {
    "surprise": {"browInnerUp": 0.95, "browOuterUp": 0.95, "eyeWide": 0.75, "jawOpen": 0.38, "mouthLowerDown": 0.1},
    "anger": {
        "browDown": 1.0,
        "eyeWide": 0.5,
        "eyeSquint": 0.35,
        "noseSneer": 0.4,
        "mouthPress": 1.0,
        "mouthRollLower": 0.35,
        "mouthRollUpper": 0.35,
        "mouthFrown": 0.1,
        "mouthShrugLower": 0.15,
    },
    "sadness": {
        "browInnerUp": 1.0,
        "browDown": 0.3,
        "eyeSquint": 0.2,
        "eyeBlink": 0.1,
        "mouthFrown": 0.9,
        "mouthShrugLower": 0.55,
    },
    "disgust": {
        "browDown": 0.6,
        "eyeSquint": 0.45,
        "cheekRaiser": 0.3,
        "noseSneer": 0.7,
        "mouthUpperUp": 0.3,
        "mouthFrown": 0.3,
        "mouthShrugLower": 0.35,
    },
    "fear": {
        "browInnerUp": 1.0,
        "browOuterUp": 0.35,
        "browDown": 0.5,
        "eyeWide": 1.0,
        "mouthStretch": 0.95,
        "jawOpen": 0.17,
        "mouthLowerDown": 0.55,
        "mouthFrown": 0.2,
    },
    "contempt": {
        "mouthSmileLeft": 0.45,
        "mouthDimpleLeft": 0.7,
        "cheekSquintLeft": 0.3,
        "mouthPressLeft": 0.2,
        "mouthUpperUpLeft": 0.15,
    },
}
"""Levels of the face model's shapes at intensity 1, set by hand and eye after UNITS; a name without its side means both.

Happiness is not among them: it is fitted (emogan_core.training.expression_moves). Contempt is one-sided by definition,
here on the person's left.
"""


def prototype(name: str) -> NDArray[np.float64]:
    """The face model's coefficients [k] of a named expression at intensity 1, in 0..1.

    Raises: ExpressionError for a name that has no prototype.
    """
    if name not in PROTOTYPES:
        raise ExpressionError(f"'{name}' has no prototype; choose from {', '.join(PROTOTYPES)}")
    return levels(PROTOTYPES[name])


def levels(table: Mapping[str, float]) -> NDArray[np.float64]:
    """Coefficients [k] of a table of shapes; a name without its side means both.

    Raises: ExpressionError for a name that the face model lacks.
    """
    model = load_face_model()
    coefficients = np.zeros(len(model.names))
    for name, level in table.items():
        sides = sides_of(name, model.names)
        if not sides:
            raise ExpressionError(f"the face model has no shape '{name}'; `emogan expressions` lists them")
        coefficients[[model.index(side) for side in sides]] = level
    return coefficients
