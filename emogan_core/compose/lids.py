"""How an eye's lids move: the skin between brow and lid, and below the eye, column by column in the eye's frame.

The mesh folds its upper lid; pulled along with it a photo's brow or lashes would be smeared. Here the skin keeps its
order: the lid's edge goes where the edge goes, the brow where the mesh takes it, and what lies between is shared out.
"""

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
ROOTS_CM = 0.2  # from a lid's edge: roots of lashes, hardly stretched
STIFF = 6.0  # the power of its brightness with which skin stretches
WAY = np.linspace(0, 1, 48)  # places between a lid's edge and the brow
BELOW_CM = 0.9  # how far below the eye the lower lid's motion is felt
BESIDE_CM = 0.5  # the same beyond the corners
WET_CM = 0.09  # a closed upper lid covers this much of the lower one: its wet edge
SEEKING = 4  # rounds in which the brow's place after is found


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
        """[h, w, 3]: pixels with a soft dark line where lids meet."""
        share, depth = self.below(grid)
        shut = np.interp(share, SPAN, np.clip(self.covered / (WET_CM * scale), 0, 1))
        if not shut.any():
            return colours
        near = (shut * np.exp(-((depth / max(0.03 * scale, 1.0)) ** 2)))[..., None]
        soft = np.stack([ndimage.gaussian_filter(colours[..., c], max(0.02 * scale, 0.7)) for c in range(3)], -1)
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
    shut = np.clip(1 - after.gap / (WET_CM * scale), 0, 1) * np.clip(before.gap / (WET_CM * scale), 0, 1)
    over = WET_CM * scale * ndimage.gaussian_filter1d(shut, 1.0)
    upper = np.where(over > 0, np.minimum(after.upper + over, after.lower + over), after.upper)
    return Lids(frame, upper, np.maximum(upper, after.lower), np.maximum(upper - after.lower, 0))


def brow_above(lids: Lids, brow: Array, scale: float) -> Array:
    """[73] px down: the skin above the upper lid that does not go with it, from the brow's landmarks [5, 2]."""
    places = lids.frame.inside(brow)
    line = np.interp(SPAN * lids.frame.length, places[:, 0], places[:, 1])
    height = np.clip(lids.upper - line, LEAST_CM * scale, MOST_CM * scale)
    return np.asarray(lids.upper - ndimage.gaussian_filter1d(height, 2.0, mode="nearest"))


def above_lid(plane: Single, grid: Grid, lids: Lids, brow: Array) -> Array:
    """[73, 48]: a plane [h, w] of the photo at WAY from the upper lid's edge to the brow."""
    off = (lids.upper - brow)[:, None] * WAY
    points = lids.points(lids.upper)[:, None] - off[..., None] * lids.frame.axes[1]
    at = [points[..., 1] - grid.top - 0.5, points[..., 0] - grid.left - 0.5]
    return np.asarray(ndimage.map_coordinates(plane, at, order=1, mode="nearest"), dtype=np.float64)


def softness(lids: Lids, brow: Array, photo: Single, grid: Grid, scale: float) -> Array:
    """[73, 48]: how much of a stretch each place takes, from the lid's edge (0) to the brow (1); the mean is 1.

    Bright skin stretches; folds, hair and the roots of lashes, which are dark, stay as wide as they are.
    Convention: photo [h, w, 3] is the skin without lashes, brow [73] as `brow_above` gives it.
    """
    off = (lids.upper - brow)[:, None] * WAY
    bright = np.maximum(above_lid(photo.mean(-1), grid, lids, brow), 0) + 1.0
    bright = ndimage.gaussian_filter(bright, (2.0, 1.5), mode="nearest")
    weight = (bright / bright.max(1, keepdims=True)) ** STIFF + 0.02
    weight *= _step(off / (ROOTS_CM * scale)) * _step((1 - WAY) / 0.15)
    weight = ndimage.gaussian_filter(weight, (3.0, 1.5), mode="nearest")
    return np.asarray(weight / weight.mean(1, keepdims=True))


def lid_field(field: Single, grid: Grid, before: Lids, after: Lids, brow: Array, soft: Array, scale: float) -> Single:
    """[h, w, 2] px: the skin's motion (backwards) around an eye.

    Convention: field [h, w, 2] is that of the mesh, brow [73] as `brow_above` and soft [73, 48] as `softness` give
    them, in the frame before.
    """
    share, down = after.inside(grid)
    axes = after.frame.axes
    beside = np.maximum(np.maximum(-share, share - 1), 0) * after.frame.length / (BESIDE_CM * scale)
    weight = _step(1 - beside)
    above = down < np.interp(share, SPAN, (after.upper + after.lower) / 2)
    column = (share - SPAN[0]) / (SPAN[1] - SPAN[0])
    result = field.astype(np.float64)
    for side, old, new, given, (far_points, far_move) in (
        (1.0, before.upper, after.upper, soft, _followed(field, grid, before.points(brow))),
        (-1.0, before.lower + after.covered, after.lower, np.ones_like(soft), _below(field, grid, after, scale)),
    ):
        edge_move = (before.points(old) - after.points(new)) @ axes.T
        far_move = far_move @ axes.T
        place, line = after.frame.inside(far_points).T
        order = np.argsort(place)
        height = np.maximum(side * (new - np.interp(SPAN * after.frame.length, place[order], line[order])), 1.0)
        source = np.maximum(height + side * (edge_move[:, 1] - far_move[:, 1]), 0.05 * height)
        table = _shared(height, source, given)  # [73, 48]
        off = side * (np.interp(share, SPAN, new) - down)  # px from the lid's edge into the skin
        tall = np.interp(share, SPAN, height)
        inside = (above if side > 0 else ~above) & (off < tall)
        part = np.clip(off / tall, 0, 1)
        was = ndimage.map_coordinates(table, [column, part * (len(WAY) - 1)], order=1, mode="nearest")
        mix = _step(part)
        along = np.interp(share, SPAN, edge_move[:, 0]) * (1 - mix) + np.interp(share, SPAN, far_move[:, 0]) * mix
        across = np.interp(share, SPAN, edge_move[:, 1]) - side * (was - np.maximum(off, 0))
        vector = along[..., None] * axes[0] + across[..., None] * axes[1]
        result += (inside * weight)[..., None] * (vector - result)
    return result.astype(np.float32)


def _followed(field: Single, grid: Grid, points: Array) -> tuple[Array, Array]:
    """Points [n, 2] of the photo after the field's motion, and that motion (backwards) there [n, 2]."""
    place, move = points, np.zeros_like(points)
    for _ in range(SEEKING):
        move = _at(field, grid, place)
        place = points - move
    return place, move


def _below(field: Single, grid: Grid, after: Lids, scale: float) -> tuple[Array, Array]:
    """The same for the line below the lower lid, where it is after: a cheek may rise to where the lid was."""
    place = after.points(after.lower + BELOW_CM * scale)
    return place, _at(field, grid, place)


def _at(field: Single, grid: Grid, points: Array) -> Array:
    """[n, 2]: the motion at points [n, 2] of the photo, smoothed along them."""
    rows, columns = points[:, 1] - grid.top - 0.5, points[:, 0] - grid.left - 0.5
    planes = [ndimage.map_coordinates(field[..., k], [rows, columns], order=1, mode="nearest") for k in (0, 1)]
    return np.asarray(ndimage.gaussian_filter1d(np.stack(planes, -1), 2.0, axis=0, mode="nearest"), dtype=np.float64)


def _shared(after: Array, before: Array, soft: Array) -> Array:
    """[73, 48]: places before (px from the lid's edge) for those after at WAY of the height `after` [73].

    Monotone; the height before [73] and after correspond.
    """
    growth = after / before - 1
    rate = np.maximum(1 + growth[:, None] * np.where(growth[:, None] > 0, soft, 1.0), 0.05)
    there = np.concatenate([np.zeros((len(rate), 1)), np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2, axis=1)], axis=1)
    there /= there[:, -1:]
    return np.stack([size * np.interp(WAY, line, WAY) for size, line in zip(before, there, strict=True)])


def _step(values: NDArray[np.floating]) -> Array:
    clipped = np.clip(values, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), dtype=np.float64)
