"""What travels along our links, and what none of our nodes can use. Nothing here needs the host."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..emogan_core import ExpressionAxes, Generator, Inversion, ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class HeldGenerator:
    """A generator and the host's handle on it, which decides when it lies on which device; see `host.at_work`."""

    generator: Generator
    handle: Any


@dataclass(frozen=True, slots=True)
class Places:
    """In which pictures of an IMAGE faces were found.

    Convention: the IMAGE has `count` pictures of `size` (height, width) px; face i lies in picture `rows[i]`, no two in
    one; `marks[i]` is the mark of its part of that picture, see `pictures.mark_of`.
    """

    count: int
    size: tuple[int, int]
    rows: tuple[int, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HeldInversion:
    """Faces as codes, with the generator that draws them and the places where they were found."""

    inversion: Inversion
    held: HeldGenerator
    places: Places


EXPRESSION = (Mapping, "Load Expression, Read Expression or another edit")
PICTURES, PLANES = (Tensor, "an IMAGE"), (Tensor, "a MASK")
PAYLOADS: Mapping[str, tuple[type, str]] = {
    "generator": (HeldGenerator, "Load Generator"),
    "inversion": (HeldInversion, "Invert Face, Load Inversion or Sample Faces"),
    "axes": (ExpressionAxes, "Load Expression Axes or Fit Expression GLM"),
    **dict.fromkeys(("expression", "add"), EXPRESSION),
    **dict.fromkeys(("image", "images", "reference", "driving", "before", "after"), PICTURES),
    **dict.fromkeys(("mask", "face_mask", "ignore_mask"), PLANES),
}
"""What each of our nodes' linked inputs takes, by its name, and where that comes from."""


def expect_usable(inputs: Mapping[str, object]) -> None:
    """Let through what the host checks by a socket's type name alone, or not at all.

    A link of any type can bring anything, and two copies of this pack have the same type names but not the same classes, so
    the class is the payload's version. No NaN is ever beyond the host's limits of a number.
    Raises: ShapeError.
    """
    for name, value in inputs.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ShapeError(f"{name} {value} came; give a finite number")
        needed, source = PAYLOADS.get(name, (object, ""))
        if value is None or (isinstance(value, needed) and (needed is not Mapping or _is_expression(value))):
            continue
        raise ShapeError(
            f"what came at '{name}' is of type {type(value).__name__} and not what this EmotionGAN makes and takes; connect "
            f"{source}, and have one copy of EmotionGAN installed"
        )


def _is_expression(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(number, int | float) and math.isfinite(number)
        for name, number in value.items()
    )
