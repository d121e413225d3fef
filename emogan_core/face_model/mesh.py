"""Drawing a triangle mesh with a depth buffer, and the normals of its vertices.

Convention: vertices [v, 3] are x, y (down) and depth (larger is nearer), as `Pose.project` returns them; a grid's cell
(row, column) stands for the point (left + (column + 0.5) * step, top + (row + 0.5) * step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Whole = NDArray[np.int64]

EDGE = 1e-7  # a cell this little outside a triangle, as a share of its edge, still belongs to it: no gaps between two


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells over a part of a photo: `step` photo px wide, the first one's outer corner at (left, top)."""

    left: float
    top: float
    width: int
    height: int
    step: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    def finer(self, factor: int) -> Grid:
        """The same part of the photo with `factor` x `factor` cells for each."""
        return Grid(self.left, self.top, self.width * factor, self.height * factor, self.step / factor)

    def cells(self, points: NDArray[np.floating]) -> Array:
        """Points [..., 2 or more] of the photo in cells: cell centres at halves."""
        return np.asarray((points[..., :2] - (self.left, self.top)) / self.step, dtype=np.float64)

    def centres(self) -> tuple[Single, Single]:
        """Photo x [1, w] and y [h, 1] of the cells' centres."""
        x = self.left + (np.arange(self.width, dtype=np.float32) + np.float32(0.5)) * self.step
        y = self.top + (np.arange(self.height, dtype=np.float32) + np.float32(0.5)) * self.step
        return x[None].astype(np.float32), y[:, None].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What a mesh covers: for each covered cell the nearest triangle and where in it.

    Convention: cell [n] indexes the flattened grid, each at most once; triangle [n] indexes the triangles drawn;
    weights [n, 3] are barycentric, corners [n, 3] the vertices; depth [n] as the vertices' own.
    """

    grid: Grid
    cell: NDArray[np.int32]
    triangle: Whole
    corners: NDArray[np.int32]
    weights: Single
    depth: Single

    def values(self, of_vertices: NDArray[np.floating]) -> Single:
        """[n, ...]: values of vertices [v, ...], interpolated at the covered cells."""
        values = np.asarray(of_vertices, dtype=np.float32)
        weights = self.weights.reshape(*self.weights.shape, *[1] * (values.ndim - 1))
        total: Single = values[self.corners[:, 0]] * weights[:, 0]
        total += values[self.corners[:, 1]] * weights[:, 1]
        total += values[self.corners[:, 2]] * weights[:, 2]
        return total

    def filled(self, of_cells: NDArray[np.generic], empty: float) -> NDArray[np.generic]:
        """[h, w, ...]: values of the covered cells on the whole grid, `empty` elsewhere."""
        whole = np.full((self.grid.height * self.grid.width, *of_cells.shape[1:]), empty, dtype=of_cells.dtype)
        whole[self.cell] = of_cells
        return whole.reshape(*self.grid.shape, *of_cells.shape[1:])

    def where(self, wanted: NDArray[np.bool_]) -> Drawing:
        """The part of a drawing on cells that are wanted [h, w]."""
        kept = np.flatnonzero(wanted.reshape(-1)[self.cell])
        return Drawing(
            self.grid, self.cell[kept], self.triangle[kept], self.corners[kept], self.weights[kept], self.depth[kept]
        )

    def covered(self) -> NDArray[np.bool_]:
        """[h, w]"""
        return np.asarray(self.filled(np.ones(len(self.cell), dtype=np.bool_), False), dtype=np.bool_)


def draw(vertices: NDArray[np.floating], triangles: NDArray[np.integer], grid: Grid, *, both: bool = False) -> Drawing:
    """A mesh drawn on a grid: at each cell's centre the nearest triangle that faces the viewer (`both`: or turns away).

    Triangles run counter-clockwise as seen from outside, y up. Each is cut into rows of cells and these into cells.
    """
    places = grid.cells(vertices)
    kept, corners, twice = _facing(places, triangles, grid, both)
    lines = _edges(places, corners, twice)  # [m, 3, 3]
    owner, row, first, count = _rows(places, corners, lines, grid)
    slope, start = (np.empty((len(owner), 3), dtype=np.float32) for _ in range(2))  # of the weights along a row
    for k in range(3):
        along = lines[:, k, 0][owner]
        slope[:, k] = along
        start[:, k] = along * (first + 0.5) + lines[:, k, 1][owner] * (row + 0.5) + lines[:, k, 2][owner]
    heights = np.asarray(vertices[:, 2], dtype=np.float32)[corners[owner]]
    rise, base = (slope * heights).sum(1), (start * heights).sum(1)
    span = np.repeat(np.arange(len(count), dtype=np.int32), count)
    offset = np.arange(len(span), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    depth = base[span] + rise[span] * offset
    cell = (row * grid.width + first).astype(np.int32)[span] + offset
    seen = _nearest(cell, depth, grid.width * grid.height)
    span, offset, cell, depth = span[seen], offset[seen], cell[seen], depth[seen]
    triangle = owner[span]
    weights = start[span] + slope[span] * offset.astype(np.float32)[:, None]
    return Drawing(grid, cell, kept[triangle], corners[triangle].astype(np.int32), weights, depth)


def _facing(places: Array, triangles: NDArray[np.integer], grid: Grid, both: bool) -> tuple[Whole, Whole, Array]:
    """Which triangles may be seen on the grid, their corners, and twice their areas (signed, y down)."""
    a, b, c = (places[triangles[:, k]] for k in range(3))
    twice = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    near = ((high > 0) & (low < (grid.width, grid.height))).all(1)
    kept = np.flatnonzero(near & ((np.abs(twice) > 1e-9) if both else (twice < -1e-9)))
    return kept, triangles[kept].astype(np.int64), twice[kept]


def _edges(places: Array, corners: Whole, twice: Array) -> Array:
    """[m, 3, 3]: for each corner the line (a, b, c) whose a x + b y + c is that corner's barycentric weight."""
    lines = np.empty((len(corners), 3, 3))
    for k in range(3):
        p, q = places[corners[:, (k + 1) % 3]], places[corners[:, (k + 2) % 3]]
        lines[:, k, 0] = (p[:, 1] - q[:, 1]) / twice
        lines[:, k, 1] = (q[:, 0] - p[:, 0]) / twice
        lines[:, k, 2] = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]) / twice
    return lines


def _rows(places: Array, corners: Whole, lines: Array, grid: Grid) -> tuple[Whole, Whole, Whole, Whole]:
    """Every row of cells of every triangle: the triangle, the row, the first column, and how many columns."""
    heights = places[corners, 1]  # [m, 3]
    top = np.maximum(np.ceil(heights.min(1) - 0.5 - EDGE), 0).astype(np.int64)
    bottom = np.minimum(np.floor(heights.max(1) - 0.5 + EDGE), grid.height - 1).astype(np.int64)
    many = np.maximum(bottom - top + 1, 0)
    owner = np.repeat(np.arange(len(corners)), many)
    row = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + top[owner]
    start, stop = np.full(len(owner), -np.inf), np.full(len(owner), np.inf)
    for k in range(3):
        a, b, c = (lines[:, k, axis][owner] for axis in range(3))
        rest = b * (row + 0.5) + c
        with np.errstate(divide="ignore", invalid="ignore"):  # edges along the row have no crossing and no say
            crossing = -rest / a
            slack = np.abs(crossing) * EDGE + EDGE
            start = np.where(a > 0, np.maximum(start, crossing - slack), start)
            stop = np.where(a < 0, np.minimum(stop, crossing + slack), stop)
        stop = np.where((a == 0) & (rest < -EDGE), -np.inf, stop)
    first = np.ceil(np.clip(start, 0, grid.width) - 0.5).astype(np.int64)
    last = np.floor(np.clip(stop, -1, grid.width) - 0.5).astype(np.int64)
    first = np.maximum(first, 0)
    count = np.maximum(np.minimum(last, grid.width - 1) - first + 1, 0)
    some = np.flatnonzero(count)
    return owner[some], row[some], first[some], count[some]


def _nearest(cell: NDArray[np.int32], depth: Single, cells: int) -> NDArray[np.int32]:
    """Which of several candidates [n] for cells are the nearest there, one a cell."""
    chosen = np.full(cells, -1, dtype=np.int32)
    everyone = np.arange(len(cell), dtype=np.int32)
    chosen[cell] = everyone
    rivals = everyone[chosen[cell] != everyone]
    while len(rivals):  # each round every contested cell gets a nearer candidate, or keeps what it has
        rivals = rivals[depth[rivals] > depth[chosen[cell[rivals]]]]
        chosen[cell[rivals]] = rivals
    return chosen[chosen >= 0]


def vertex_normals(vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> Array:
    """[v, 3]: unit normals in the vertices' own axes, the mean of the triangles around weighted by area; 0 for none.

    Convention: for vertices with y down (projected ones) triangles run clockwise, so y is turned up and back again.
    """
    upright = np.asarray(vertices, dtype=np.float64) * (1.0, -1.0, 1.0)
    a, b, c = (upright[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    total = np.zeros_like(upright)
    for axis in range(3):
        for k in range(3):
            total[:, axis] += np.bincount(triangles[:, k], weights=faces[:, axis], minlength=len(upright))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-12) * (1.0, -1.0, 1.0))
