"""Curves by which one thing passes into another."""

from __future__ import annotations

from typing import Any, TypeVar

from numpy.typing import NDArray
from torch import Tensor

Values = TypeVar("Values", NDArray[Any], Tensor)


def smooth_step(values: Values) -> Values:
    """0 below 0, 1 above 1, and a curve without corners between (Hermite's cubic)."""
    clipped: Values = values.clip(0, 1)
    result: Values = clipped * clipped * (3 - 2 * clipped)
    return result
