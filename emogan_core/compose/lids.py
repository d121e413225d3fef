"""An eye's lids: where their edges are before and after an edit, and the skin between them and the brow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from .frames import Edges, Frame, shares

Array = NDArray[np.float64]
Single = NDArray[np.float32]

BROWS = {  # lower edges of the brows, by MediaPipe's points, from the picture's left to its right
    "eye_right": (46, 53, 52, 65, 55),
    "eye_left": (285, 295, 282, 283, 276),
}
SPAN = np.linspace(-0.4, 1.4, 73)  # shares of an eye's length at which its lids are known
LEAST_CM, MOST_CM = 0.2, 1.3  # between a lid's edge and the brow that it leaves where it is
SEAM_CM, SEAM = 0.05, 0.45  # the dark line between closed lids: half its width, and by how much it is darker
WAY = np.linspace(0, 1, 48)  # places between a lid's edge and the brow
SLIVER_CM = 0.2  # what is light and narrower than this across the seam is wet or white: nothing of it is left
AJAR = 0.6  # of that: lids that are no further apart meet, as the mesh's often do not quite
WET_CM = 0.09  # a closed upper lid covers this much of the lower one: its wet edge


@dataclass(frozen=True, slots=True, eq=False)
class Lids:
    """The edges of an eye's lids in its frame: down [73] px at SPAN; 0 beyond the corners.

    Convention: covered [73] px is by how much a closed upper lid lies over the lower one.
    """

    frame: Frame
    upper: Array
    lower: Array
    covered: Array

    @property
    def gap(self) -> Array:
        return np.maximum(self.lower - self.upper, 0.0)

    def inside(self, grid: Grid) -> tuple[Array, Array]:
        """[h, w] each: a grid's pixels as shares along the eye, and px down across it."""
        x, y = grid.centres()
        points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64)
        along, down = np.moveaxis(self.frame.inside(points), -1, 0)
        return along / self.frame.length, down

    def points(self, line: Array) -> Array:
        """[73, 2] photo px: a line across the eye's columns."""
        along = np.column_stack([SPAN * self.frame.length, line])
        return np.asarray(self.frame.origin + along @ self.frame.axes)

    def skin(self, grid: Grid) -> Single:
        """[h, w]: how much of each pixel the lids and the skin around the eye take."""
        share, down = self.inside(grid)
        upper, lower = (np.interp(share, SPAN, line) for line in (self.upper, self.lower))
        opened = np.minimum(down + 0.5, lower) - np.maximum(down - 0.5, upper)
        return np.asarray(1 - np.clip(opened, 0, 1), dtype=np.float32)

    def below(self, grid: Grid) -> tuple[Array, Array]:
        """[h, w] each: a grid's pixels as shares along the eye, and px below the upper lid's edge."""
        share, down = self.inside(grid)
        return share, down - np.interp(share, SPAN, self.upper)

    def with_seam(self, colours: Single, grid: Grid, scale: float) -> Single:
        """[h, w, 3]: pixels with a soft dark line where lids meet, and nothing wet or white beside it."""
        share, depth = self.below(grid)
        shut = np.interp(share, SPAN, np.clip(self.covered / (WET_CM * scale), 0, 1))
        if not shut.any():
            return colours
        wet = WET_CM * scale / 2
        beyond = np.maximum(np.abs(depth - wet) - wet, 0)  # of the wet edge below the seam
        near = (shut * np.exp(-((beyond / max(0.03 * scale, 1.0)) ** 2)))[..., None]
        line = line_along(self.frame.axes[1], SLIVER_CM * scale)
        plain = np.stack([ndimage.grey_opening(colours[..., c], footprint=line, mode="nearest") for c in range(3)], -1)
        soft = np.stack([ndimage.gaussian_filter(plain[..., c], max(0.03 * scale, 0.7)) for c in range(3)], -1)
        dark = (1 - SEAM * shut * np.exp(-((depth / (SEAM_CM * scale)) ** 2)))[..., None]
        return np.asarray((colours + near * (soft - colours)) * dark, dtype=np.float32)


def lids_of(frame: Frame, edges: Edges) -> Lids:
    """An eye's lids from its edges between the corners."""
    places = np.r_[0.0, shares(), 1.0]
    upper, lower = (np.interp(SPAN, places, np.r_[0.0, line, 0.0]) for line in (edges.upper, edges.lower))
    return Lids(frame, upper, np.maximum(upper, lower), np.zeros(len(SPAN)))


def lids_after(frame: Frame, edges: Edges, before: Lids, scale: float) -> Lids:
    """An eye's lids after an edit; where they meet, the upper one covers the lower one's wet edge."""
    after = lids_of(frame, edges)
    left = after.gap / (WET_CM * scale)
    shut = np.clip((1 - left) / (1 - AJAR), 0, 1) * np.clip(before.gap / (WET_CM * scale), 0, 1)
    shut = ndimage.gaussian_filter1d(shut, 1.0)
    upper = after.upper + shut * (after.gap + WET_CM * scale)
    return Lids(frame, upper, np.maximum(upper, after.lower), np.maximum(upper - after.lower, 0))


def brow_above(lids: Lids, brow: Array, scale: float) -> Array:
    """[73] px down: the skin above the upper lid that does not go with it, from the brow's landmarks [5, 2]."""
    places = lids.frame.inside(brow)
    line = np.interp(SPAN * lids.frame.length, places[:, 0], places[:, 1])
    height = np.clip(lids.upper - line, LEAST_CM * scale, MOST_CM * scale)
    return np.asarray(lids.upper - ndimage.gaussian_filter1d(height, 2.0, mode="nearest"))


def grid_above(lids: Lids, brow: Array, grid: Grid, margin: float) -> tuple[Grid, tuple[slice, slice]]:
    """The part of a grid between the upper lid's edge and the brow [73], and `margin` px around, and where it lies in it."""
    points = np.concatenate([lids.points(lids.upper), lids.points(brow)]) - (grid.left, grid.top)
    size = np.array([grid.width, grid.height])
    left, top = np.clip(np.floor(points.min(0) - margin), 0, size - 1).astype(int)
    right, bottom = np.clip(np.ceil(points.max(0) + margin), (left + 1, top + 1), size).astype(int)
    part = Grid(grid.left + left, grid.top + top, int(right - left), int(bottom - top))
    return part, (slice(int(top), int(bottom)), slice(int(left), int(right)))


def above_lid(plane: Single, grid: Grid, lids: Lids, brow: Array) -> Array:
    """[73, 48]: a plane [h, w] of the photo at WAY from the upper lid's edge to the brow."""
    off = (lids.upper - brow)[:, None] * WAY
    points = lids.points(lids.upper)[:, None] - off[..., None] * lids.frame.axes[1]
    at = [points[..., 1] - grid.top - 0.5, points[..., 0] - grid.left - 0.5]
    return np.asarray(ndimage.map_coordinates(plane, at, order=1, mode="nearest"), dtype=np.float64)


def line_along(direction: Array, length: float) -> NDArray[np.bool_]:
    """A footprint: the pixels of a line of that length (px) along a direction [2]."""
    half = max(1, round(length / 2))
    steps = np.linspace(-half, half, 4 * half + 1)
    columns, rows = (np.round(steps * component).astype(int) for component in direction)
    footprint = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.bool_)
    footprint[half + rows, half + columns] = True
    return footprint


def shut_share(before: Lids, after: Lids) -> float:
    """By how much of its opening an edit closes an eye, 0 to 1, in its middle third."""
    middle = slice(len(SPAN) // 3, -(len(SPAN) // 3))
    then, now = float(before.gap[middle].mean()), float(after.gap[middle].mean())
    return float(np.clip((then - now) / max(then, 1e-6), 0, 1))
