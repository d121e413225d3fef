"""How far the photo's pixels move: from the face's mesh before to the mesh after, backwards.

The pixel at p after an edit is the photo's at p + field(p): there the point of the mesh that stands at p was before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.csgraph import dijkstra
from skimage.measure import points_in_poly

from ..face_model.contours import OVAL
from ..face_model.edges import edges_of
from ..face_model.mesh import Grid, draw, vertex_normals
from ..face_model.model import FaceModel
from .openings import MOUTH, Fitted, sides
from .sampling import finer

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Flags = NDArray[np.bool_]

FADE_CM = 1.7  # beyond the head's outline the motion has faded away
STILL_PX = 0.03  # motion this small is none: what stays is copied, not resampled
BEHIND_CM = 0.12  # a vertex this far behind what is drawn in front of it was not seen
TURNED = 0.05  # a vertex whose normal points to the viewer less than this was not seen
LIP_SHOWN_CM = 0.09  # hidden parts of a lip take their pixels no deeper in the seen lip than this
FACING = 0.25  # how much of the viewer's direction a normal needs for its skin's motion to be trusted
SMOOTH_CM = 0.06
LIPS_SMOOTH_CM = 0.08  # over which the motion of lips is smoothed: the mesh folds at their corners
SEAM_CM = 0.04  # over which lips that meet pass into each other, as between lips at rest
TOGETHER = 1.5  # cells by which motions of the two sides differ where they hang together
SPLIT_PX = 0.4  # motions within a pixel that differ more than this are told apart
ROUNDS = 60  # of averaging over neighbours when hidden vertices are given a source


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A small part of the photo in which the skin opens.

    Convention: grid at the photo's own pixels; skin [h, w] is the share of each pixel that skin covers; field
    [h, w, 2] is the skin's motion, continued into the opening. Where the skin above the opening and that below it meet
    they move differently: seam [n, 2] are the rows and columns of such pixels, beyond [n, 2] the motion of what lies on
    the other side, share [n] how much of the pixel is that. Large photos are looked at in cells of several pixels:
    covered [h', w'] is skin's share of these.
    """

    grid: Grid
    skin: Single
    field: Single
    seam: NDArray[np.int64]
    beyond: Single
    share: Single
    cells: Grid
    covered: Single


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where the mesh's vertices take their pixels: places [v, 2] in the photo; deep [v] is by how many cm lips were
    hidden."""

    places: Array
    deep: Array


def seen_sources(model: FaceModel, before: Array, scale: float, openings: tuple[Fitted, ...]) -> Sources:
    """The photo positions from which the mesh's vertices take their pixels.

    A vertex that was seen takes them from where it was. One that was hidden (behind the other lip, in the lid's fold)
    takes those of the seen skin next to it; on the lips, of the skin as far from the lips' line on its own side.
    """
    skin = model.triangles[model.triangle_part <= 1]
    count = int(skin.max()) + 1
    step = max(1.0, scale / 22)
    low = np.floor(before[:count, :2].min(0)) - 2
    size = np.ceil((before[:count, :2].max(0) + 2 - low) / step).astype(int)
    drawing = draw(before, skin, Grid(float(low[0]), float(low[1]), int(size[0]), int(size[1]), step))
    front = np.asarray(drawing.filled(drawing.depth, -np.inf), dtype=np.float64)
    cells = np.clip(drawing.grid.cells(before[:count]).astype(int), 0, size - 1)
    normals = vertex_normals(before, skin)[:count]
    hidden = (front[cells[:, 1], cells[:, 0]] > before[:count, 2] + BEHIND_CM * scale) | (normals[:, 2] < TURNED)
    sources = before[:, :2].copy()
    around = _around(skin, count)
    sources[:count] = _continued(around, before[:count, :2], hidden)
    deep = np.zeros(len(before))
    for opening in (one for one in openings if one.place is MOUTH):
        deep[:count] = _hidden_depth(model, hidden)
        sign = np.where(sides(model, MOUTH)[0] > 0.5, 1.0, -1.0)
        back = np.minimum(0.6 * deep + 0.03 * (deep > 0), LIP_SHOWN_CM) * scale
        sources += (back * sign)[:, None] * opening.frame.axes[1]
    return Sources(sources, deep)


def _around(skin: NDArray[np.integer], count: int) -> sparse.csr_matrix:
    """[n, n]: 1 where two vertices of the skin share an edge (more where they share several)."""
    edges = edges_of(skin)
    pairs = np.concatenate([edges, edges[:, ::-1]])
    return sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))


def _continued(around: sparse.csr_matrix, values: Array, hidden: Flags) -> Array:
    """[n, 2]: values of seen vertices; hidden ones get the mean of their neighbours', round by round."""
    rows = around[hidden]
    value = np.where(hidden[:, None], 0.0, values)
    known = (~hidden).astype(np.float64)
    for _ in range(ROUNDS):
        total, weight = rows @ (value * known[:, None]), rows @ known
        some = weight > 0
        value[hidden] = np.where(some[:, None], total / np.maximum(weight, 1)[:, None], value[hidden])
        known[hidden] = some
    unknown = known == 0
    value[unknown] = values[unknown]
    return value


def _hidden_depth(model: FaceModel, hidden: Flags) -> Array:
    """[n] cm along the skin from what was seen of the lips to each of their hidden vertices; 0 for the rest."""
    _, near = sides(model, MOUTH)
    edges = edges_of(near)
    apart = np.linalg.norm(model.neutral[edges[:, 0]] - model.neutral[edges[:, 1]], axis=1)
    graph = sparse.csr_matrix((apart, (edges[:, 0], edges[:, 1])), shape=(len(hidden), len(hidden)))
    inside = np.unique(near)
    start = inside[~hidden[inside]]
    distance = dijkstra(graph, directed=False, indices=start, min_only=True, limit=2.0)
    return np.asarray(np.where(np.isfinite(distance) & hidden, distance, 0.0))


@lru_cache(maxsize=4)
def _within_oval(model: FaceModel) -> Array:
    """[v]: 1 for vertices of the face inside its outline, 0 for ears, neck and the skin under the chin."""
    outline = model.neutral[model.landmark_vertex[list(OVAL)], :2]
    inside = np.array(points_in_poly(model.neutral[:, :2], outline))  # type: ignore[no-untyped-call]
    inside[model.face_vertices :] = False
    return np.asarray(inside, dtype=np.float64)


def coarse_field(
    model: FaceModel,
    vertices: Array,
    sources: Array,
    change: Array,
    triangles: NDArray[np.integer],
    grid: Grid,
    scale: float,
) -> Single:
    """[h, w, 3] on a coarse grid: the skin's motion in px and its log ratio of brightness.

    The motion of the face is faded out beyond its outline, over hair, ears and neck, and continued over openings: a jaw
    that moves takes the neck below it along, and does not leave its edge behind there. Where the mesh turns away from
    the viewer its own motion says little about the photo, so there too the motion of what faces the viewer goes on.
    """
    drawing = draw(vertices, triangles, grid)
    x, y = grid.centres()
    own = np.stack(np.broadcast_arrays(x, y), axis=-1).reshape(-1, 2)[drawing.cell]
    facing = vertex_normals(vertices, triangles)[:, 2] * _within_oval(model)
    values = drawing.values(np.column_stack([sources, change, facing]))
    values[:, :2] -= own
    whole = np.asarray(drawing.filled(values, 0.0), dtype=np.float32)
    field = _faded(whole[..., :2], whole[..., 3] > FACING, FADE_CM * scale / grid.step)
    field = without_stillness(field)
    smooth = SMOOTH_CM * scale / grid.step
    return np.stack(
        [ndimage.gaussian_filter(plane, smooth) for plane in (field[..., 0], field[..., 1], whole[..., 2])], -1
    )


def _faded(field: Single, covered: Flags, reach: float) -> Single:
    """Outside of what is covered the nearest motion, smoothed, falling to exactly 0 at `reach` cells."""
    distance, nearest = ndimage.distance_transform_edt(~covered, return_indices=True)
    outside = field[nearest[0], nearest[1]]
    smooth = np.stack([ndimage.uniform_filter(outside[..., k], size=max(3, int(reach / 3))) for k in (0, 1)], -1)
    share = np.clip(distance / reach, 0, 1)[..., None]
    fade = (1 - share**2) ** 2
    mixed = outside + np.minimum(share * 3, 1) * (smooth - outside)
    return np.where(covered[..., None], field, mixed * fade).astype(np.float32)


def opening_patch(
    vertices: Array,
    sources: Array,
    below: Array,
    triangles: NDArray[np.integer],
    grid: Grid,
    *,
    scale: float,
    factor: int = 2,
    step: int = 1,
) -> Patch:
    """The skin around an opening, looked at in cells of `step` px, edges antialiased by factor x factor parts of each.

    The mesh folds at an opening's corners, and its hidden parts have no pixels of their own: the motion is smoothed,
    where the two sides move apart each for itself: `below` [v] is 1 for the skin below the opening, else 0.
    """
    cells = Grid(grid.left, grid.top, -(-grid.width // step), -(-grid.height // step), step)
    drawing = draw(vertices, triangles, cells.finer(factor))
    x, y = drawing.grid.centres()
    own = np.stack(np.broadcast_arrays(x, y), axis=-1).reshape(-1, 2)[drawing.cell]
    lower = np.round(drawing.values(below))[:, None]
    moves = drawing.values(sources) - own
    upper = 1 - lower
    fine = np.asarray(drawing.filled(np.hstack([moves * upper, upper, moves * lower, lower]), 0.0), dtype=np.float32)
    parts = fine.reshape(cells.height, factor, cells.width, factor, 6).mean((1, 3))
    skin = parts[..., 2] + parts[..., 5]
    soft = LIPS_SMOOTH_CM * scale / step
    whole = _smoothed(parts[..., :2] + parts[..., 3:5], skin, soft)
    alone = _parted(parts, skin, step, soft)[..., None]
    planes = [whole + alone * (_smoothed(parts[..., k : k + 2], parts[..., k + 2], soft) - whole) for k in (0, 3)]
    lower_share, near = (ndimage.gaussian_filter(plane, SEAM_CM * scale / step) for plane in (parts[..., 5], skin))
    lower_share = lower_share / np.maximum(near, 1e-6)
    if skin.any():
        nearest = ndimage.distance_transform_edt(skin < 0.5, return_distances=False, return_indices=True)
        planes, lower_share = [plane[nearest[0], nearest[1]] for plane in planes], lower_share[nearest[0], nearest[1]]
    pixels = at_pixels(np.dstack([*planes, lower_share, skin]), grid, step)
    first, last = pixels[..., :2], pixels[..., 2:4]
    share = pixels[..., 4]
    under = share > 0.5
    other = np.minimum(share, 1 - share)
    rows, columns = np.nonzero((other > 0.02) & (np.abs(first - last).max(-1) > SPLIT_PX))
    field, beyond = (np.where(side[..., None], last, first) for side in (under, ~under))
    seam = np.stack([rows, columns], -1)
    return Patch(
        grid, pixels[..., 5], field, seam, beyond[rows, columns], other[rows, columns].astype(np.float32), cells, skin
    )


def _smoothed(weighted: Single, weight: Single, sigma: float) -> Single:
    """[h, w, 2]: motions, given times their weight, smoothed over cells where there are any and continued beyond."""
    mass = ndimage.gaussian_filter(weight, sigma)
    known = mass > 1e-3
    if not known.any():
        return np.zeros_like(weighted)
    planes = [ndimage.gaussian_filter(weighted[..., k], sigma) / np.maximum(mass, 1e-3) for k in (0, 1)]
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(np.stack(planes, -1)[nearest[0], nearest[1]], dtype=np.float32)


def _parted(parts: Single, skin: Single, step: int, soft: float) -> Single:
    """[h, w]: where the two sides of an opening move apart, 1, and where they hang together, 0, as beyond its corners."""
    first, last = (parts[..., k : k + 2] / np.maximum(parts[..., k + 2 : k + 3], 1e-6) for k in (0, 3))
    meet, hole = (parts[..., 2] > 0) & (parts[..., 5] > 0), skin < 0.5
    if not (meet | hole).any():
        return np.ones_like(skin)
    jump = np.abs(first - last).max(-1) / step
    parted = np.where(hole, 1.0, np.clip((jump - TOGETHER) / TOGETHER, 0, 1))
    nearest = ndimage.distance_transform_edt(~(meet | hole), return_distances=False, return_indices=True)
    return np.asarray(ndimage.gaussian_filter(parted[nearest[0], nearest[1]], soft), dtype=np.float32)


def at_pixels(planes: NDArray[np.floating], grid: Grid, step: int) -> Single:
    """[h, w, c]: planes on cells of `step` px, on the grid's own pixels."""
    planes = np.asarray(planes, dtype=np.float32)
    return planes if step == 1 else finer(planes, step)[: grid.height, : grid.width]


def seamless(grid: Grid, skin: Single, field: Single) -> Patch:
    """A patch in which no skin meets skin that moves differently."""
    none = np.zeros((0, 2), dtype=np.int64)
    return Patch(grid, skin, field, none, np.zeros((0, 2), np.float32), np.zeros(0, np.float32), grid, skin)


def without_stillness(field: Single) -> Single:
    """Motion less STILL_PX, so that what hardly moves does not move at all and nothing jumps."""
    length = np.sqrt((field**2).sum(-1, keepdims=True))
    return np.asarray(field * np.maximum(0, 1 - STILL_PX / np.maximum(length, 1e-9)), dtype=np.float32)
