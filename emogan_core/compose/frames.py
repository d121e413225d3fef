"""The coordinates in which an opening of the face is looked at: along from corner to corner, and down across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COLUMNS = 24  # places along an opening at which its edges are compared
INSET = 0.13  # share of an opening's length, at each corner, where its edges are too close to tell apart


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The coordinates of an opening: origin [2] and axes [2, 2] (along, down; unit length), `length` px."""

    origin: Array
    axes: Array
    length: float

    def inside(self, points: Array) -> Array:
        """Photo points [..., 2] as (along, down)."""
        return np.asarray((points - self.origin) @ self.axes.T)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """An opening's upper and lower edge [COLUMNS] (down, px) at even shares of its length."""

    upper: Array
    lower: Array

    @property
    def gap(self) -> Array:
        return np.maximum(self.lower - self.upper, 0.0)

    @property
    def middle(self) -> Array:
        return (self.lower + self.upper) / 2


def shares() -> Array:
    """[COLUMNS]: where edges are compared, in shares of an opening's length."""
    return np.linspace(INSET, 1 - INSET, COLUMNS)


def frame_between(left: Array, right: Array) -> Frame:
    """The frame of an opening whose corners are two photo points."""
    along = right - left
    length = max(float(np.hypot(*along)), 1e-6)
    x = along / length
    return Frame(left, np.stack([x, (-x[1], x[0])]), length)


def outline_of(frame: Frame, edges: Edges) -> Array:
    """[n, 2] photo px: points along an opening's edges, and its corners."""
    along = np.r_[shares(), shares(), 0.0, 1.0] * frame.length
    down = np.r_[edges.upper, edges.lower, 0.0, 0.0]
    return np.asarray(frame.origin + np.column_stack([along, down]) @ frame.axes)
