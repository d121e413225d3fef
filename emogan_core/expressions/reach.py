"""How far the face model's shapes go: coefficients stop at what a face can do, and that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..face_model import sides_of
from .axes import ExpressionAxis, is_of_shape

Array = NDArray[np.float64]

OPPOSITES = {
    "mouthSmile": "mouthFrown",
    "mouthFrown": "mouthSmile",
    "browDown": "browInnerUp",
    "browInnerUp": "browDown",
    "browOuterUp": "browDown",
    "eyeWide": "eyeSquint",
    "eyeSquint": "eyeWide",
    "eyeLookUp": "eyeLookDown",
    "eyeLookDown": "eyeLookUp",
    "eyeLookIn": "eyeLookOut",
    "eyeLookOut": "eyeLookIn",
    "jawLeft": "jawRight",
    "jawRight": "jawLeft",
    "mouthLeft": "mouthRight",
    "mouthRight": "mouthLeft",
    "mouthPucker": "mouthStretch",
}
"""The movement that a shape turns into below 0; all others stop there."""

LITTLE = 0.2
"""The part of what was asked of a shape below which that it stopped there is said."""
SEEN = 0.005
"""Of a coefficient, what is nothing."""
DRAWN_ONLY = (
    "a part of this edit is in what the generator draws alone; beside expressions that the face model moves, the photo's "
    "own pixels show nothing of it"
)


def within_reach(names: Sequence[str], coefficients: Array, change: Array) -> Array:
    """Coefficients in 0..1: below 0 the opposite movement begins where there is one.

    What an earlier edit took off beyond 0 stays off.
    """
    if not change.any():
        return coefficients
    present = coefficients.clip(0.0, 1.0)
    level = present + change
    result = level.clip(0.0, None)
    index = {name: at for at, name in enumerate(names)}
    for name, at in index.items():
        if level[at] < 0 and change[at] < 0:
            for opposite in opposites_of(name, names):
                result[index[opposite]] += -level[at]
    return np.asarray(result.clip(0.0, 1.0) + (coefficients - present))


def opposites_of(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """The shapes of a model into which one of them turns below 0, () where it stops there.

    >>> opposites_of("mouthSmileLeft", ("mouthFrownLeft", "mouthSmileLeft")), opposites_of("jawOpen", ("jawOpen",))
    (('mouthFrownLeft',), ())
    """
    side = next((end for end in ("Left", "Right") if name.endswith(end) and name.removesuffix(end) in OPPOSITES), "")
    opposite = OPPOSITES.get(name.removesuffix(side) if side else name)
    if opposite is None:
        return ()
    return (opposite + side,) if opposite + side in names else (f"{opposite}Left", f"{opposite}Right")


def stopped_notices(
    names: Sequence[str],
    coefficients: Array,
    changes: Mapping[ExpressionAxis, Array],
    wanted: Mapping[ExpressionAxis, float],
) -> tuple[str, ...]:
    """A sentence about each expression that moves nothing, and each shape that stops well before its intensity.

    Convention: `changes` [k] by axis are what each would add to a face's coefficients [k], were there no limits.
    """
    told = []
    total = np.sum([*changes.values(), np.zeros(len(coefficients))], axis=0)
    whole = within_reach(names, coefficients, total)
    for axis, change in changes.items():
        asked = float(np.abs(change).max())
        if asked < SEEN:
            continue
        done = float(np.abs(whole - within_reach(names, coefficients, total - change)).max())
        beyond = abs(wanted[axis]) > 1 and done < asked - SEEN
        if is_of_shape(axis) and (done < LITTLE * asked or beyond):
            told.append(_of_shape(axis.name, names, wanted[axis], done, coefficients))
        elif done < SEEN:
            told.append(f"{axis.name} {wanted[axis]:+g} moves nothing: all that it moves is as far as it goes already")
    return tuple(told)


def _of_shape(name: str, names: Sequence[str], value: float, done: float, coefficients: Array) -> str:
    sides = sides_of(name, names)
    shown = max(0.0, *(float(coefficients[names.index(side)]) for side in sides))
    turns = any(opposites_of(side, names) for side in sides)
    moved = "moves nothing" if done < SEEN else f"moves it by {done:.2f}"
    below = ", its opposite movement from 0 to -1" if turns else " and has no opposite movement"
    return f"{name} {value:+g} {moved}: this shape goes from 0 to 1{below}, and the face shows {shown:.2f} of it"
