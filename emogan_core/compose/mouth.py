"""The inside of the mouth: the photo's own where it was seen, the model's teeth, gums and tongue where it was not."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..face_model.mesh import Drawing, Grid, draw, vertex_normals
from ..face_model.model import PARTS, FaceModel
from .frames import shares
from .motion import Patch, at_pixels
from .openings import Fitted, Moved
from .tones import Tones

Array = NDArray[np.float64]
Single = NDArray[np.float32]

GUMS_BACK_CM = 0.05  # so that teeth look as long as they are
UPPER_DOWN_CM = 0.26  # upper teeth show as much below a resting upper lip as people's do
OPENS_CM = 0.5  # what jawOpen moves by more than this belongs to the lower jaw
ARCH_MIDDLE = (0.0, 5.0)  # x and z of the dental arch's middle in the neutral model, cm
NEAR_TEETH = 60  # vertices of a tooth and its neighbours
GROOVE_CM = 0.2  # half the width of the tongue's furrow
GAP_CM, GAP_KEPT = 0.1, 0.62  # teeth stand closer than this, and so much of the dark between them is left
CROWN_CM = 0.72  # from the biting edge to where gums may show
TEETH, GUMS, SOCKET = PARTS.index("teeth"), PARTS.index("gums_and_tongue"), PARTS.index("mouth_socket")


def inside(
    model: FaceModel,
    after: Array,
    patch: Patch,
    tones: Tones,
    scale: float,
    factor: int,
    *,
    blur: float = 0.0,
    upper: bool = True,
) -> Single:
    """[h, w, 3]: the drawn inside of the mouth, as blurred (px) as the photo is; `upper`: with its upper teeth and gums.

    The model's teeth, gums and tongue are lit by direction, by depth, and by what the lips leave of the light.
    """
    grid, skin, step = patch.cells, patch.covered, round(patch.cells.step)
    fine, unit = grid.finer(factor), scale / step  # cells per cm
    rough = np.isin(model.triangle_part, (SOCKET, GUMS, TEETH))
    fixed, tongue = _upper_jaw(model), _tongue(model)
    if not upper:
        rough &= ~np.isin(model.triangles, fixed).all(1)
    triangles, part = model.triangles[rough], model.triangle_part[rough]
    placed = after.copy()
    placed[model.part_vertices["gums_and_tongue"], 2] -= GUMS_BACK_CM * scale
    placed[fixed, :2] += UPPER_DOWN_CM * scale * _downwards(model, after)
    drawing = draw(placed, triangles, fine, both=True).where(np.repeat(np.repeat(skin < 0.999, factor, 0), factor, 1))
    kind = part[drawing.triangle]
    normals = vertex_normals(after, triangles)
    normal = drawing.values(normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    facing = np.abs(normal[:, 2])
    teeth = model.part_vertices["teeth"]
    behind = np.maximum(after[teeth, 2].max() - drawing.depth, 0) / scale  # cm behind the foremost tooth
    above, below, aside = _lip_distances(skin, factor, unit, drawing)
    lit = np.clip((above + below) / 1.6, 0, 1)  # how much light so tall an opening lets in
    is_teeth, is_gums = kind == TEETH, kind == GUMS
    crown = np.abs(drawing.values(model.neutral[:, 1].astype(np.float64)) - _biting_edge(model))
    on_tongue = np.where(is_gums, np.clip(drawing.values(tongue), 0, 1), 0.0)
    # the model's gums reach too far down between teeth
    between = is_gums & (on_tongue < 0.5) & (crown < CROWN_CM) & (behind < 2.5)
    is_teeth, is_gums = is_teeth | between, is_gums & ~between
    lips = (1 - 0.30 * np.exp(-above / 0.12)) * (1 - 0.18 * np.exp(-below / 0.07))
    corner = 1 - 0.40 * np.exp(-aside / 0.35)
    depth = np.exp(
        -np.maximum(behind - 0.1, 0) / np.where(is_teeth, 2.0, np.where(is_gums, 1.2 + 1.9 * lit, 0.8 + lit))
    )
    turned = np.clip((facing - 0.1) / 0.75, 0, 1)
    form = np.where(
        is_teeth, 0.5 + 0.5 * turned * (2 - turned), 0.5 + 0.3 * on_tongue + (0.5 - 0.3 * on_tongue) * facing
    ) * np.where(between, 0.85, 1)
    gloss = np.where(is_teeth, 0.07, 0.05) * np.exp(-(normal[:, 0] ** 2 + (normal[:, 1] + 0.2) ** 2) / 0.03)
    furrow = 1 - 0.2 * on_tongue * np.exp(-((drawing.values(model.neutral[:, 0].astype(np.float64)) / GROOVE_CM) ** 2))
    shade = (lips * corner * depth * furrow * (form + gloss)).astype(np.float32)
    flesh = tones.gums + on_tongue[:, None] * (tones.tongue - tones.gums)
    ivory = tones.teeth * (1 + (1 - shade[:, None]) * tones.shaded)
    base = np.where(is_teeth[:, None], ivory, np.where(is_gums[:, None], flesh, tones.gums * 0.5))
    deep = 1 - np.clip(1.6 * (1 - shade[:, None]) - 0.6, 0, 1) * (1 - tones.deep)  # red in the dark
    colours = (tones.dark + (base * deep - tones.dark) * shade[:, None]).astype(np.float32)
    empty = np.broadcast_to(tones.dark.astype(np.float32), (fine.height * fine.width, 3)).copy()
    empty[drawing.cell] = colours
    white = np.zeros(fine.height * fine.width, dtype=bool)
    white[drawing.cell] = is_teeth
    closed = _without_gaps(empty.reshape(*fine.shape, 3), white.reshape(fine.shape), GAP_CM * unit * factor)
    whole = closed.reshape(grid.height, factor, grid.width, factor, 3).mean((1, 3))
    soft, blur = max(0.6, 0.02 * unit), blur / step
    sigma = (max(0.75 * soft, blur), max(soft, blur), 0)
    return at_pixels(
        tones.toning.of(np.asarray(ndimage.gaussian_filter(whole, sigma), dtype=np.float32)), patch.grid, step
    )


def _without_gaps(colours: Single, teeth: NDArray[np.bool_], reach: float) -> Single:
    """[h, w, 3]: narrow dark gaps between teeth side by side filled in most of the way, as neighbours touch."""
    row = np.ones((1, 2 * max(1, round(reach / 2)) + 1), dtype=bool)
    between = ndimage.binary_closing(teeth, row)
    filled = ndimage.grey_closing(colours, footprint=row[..., None])
    return np.where(between[..., None], GAP_KEPT * colours + (1 - GAP_KEPT) * filled, colours).astype(np.float32)


@lru_cache(maxsize=4)
def _upper_jaw(model: FaceModel) -> NDArray[np.int64]:
    """The vertices of teeth and gums that stay where they are when the jaw opens."""
    parts = np.r_[model.part_vertices["gums_and_tongue"], model.part_vertices["teeth"]]
    opening = np.abs(model.expressions[model.index("jawOpen")][parts]).max(1)
    return np.asarray(parts[opening < OPENS_CM], dtype=np.int64)


@lru_cache(maxsize=4)
def _tongue(model: FaceModel) -> Array:
    """[v]: 1 on the tongue, which the model has in one piece with the gums: lower, and inside of the dental arch."""
    gums, teeth = model.part_vertices["gums_and_tongue"], model.part_vertices["teeth"]
    places, rows = (model.neutral[part][:, [0, 2]] - ARCH_MIDDLE for part in (gums, teeth))
    near = cKDTree(rows).query(places, k=NEAR_TEETH)[1]
    arch = np.linalg.norm(rows[near].mean(1), axis=1)  # the row of teeth in that direction
    result = np.zeros(len(model.neutral))
    result[gums] = np.clip((arch - np.linalg.norm(places, axis=1) + 0.1) / 0.2, 0, 1)
    result[_upper_jaw(model)] = 0.0
    return result


def _downwards(model: FaceModel, after: Array) -> Array:
    """[2]: from the eyes to the mouth in the photo, a unit vector."""
    eyes = [after[model.part_vertices[name], :2].mean(0) for name in ("eyeball_left", "eyeball_right")]
    across = eyes[0] - eyes[1]
    return np.asarray(np.array([-across[1], across[0]]) / max(float(np.linalg.norm(across)), 1e-6))


def lips_contact(grid: Grid, opening: Fitted, moved: Moved, scale: float) -> Single:
    """[h, w]: factors that darken the line where lips meet that were apart before."""
    shut = np.clip(1 - moved.edges.gap / (0.08 * scale), 0, 1)
    apart = np.clip(opening.photo.gap / (0.2 * scale), 0, 1)
    if not (shut * apart).any():
        return np.ones(grid.shape, dtype=np.float32)
    x, y = grid.centres()
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64)
    along, down = np.moveaxis(moved.frame.inside(points), -1, 0)
    share = along / moved.frame.length
    line = np.interp(share, shares(), moved.edges.middle)
    strength = np.interp(share, shares(), shut * apart) * np.clip(np.minimum(share, 1 - share) / 0.1 + 0.5, 0, 1)
    narrow = np.exp(-(((down - line) / (0.035 * scale)) ** 2))
    wide = np.exp(-(((down - line) / (0.11 * scale)) ** 2))
    return np.asarray(1 - strength * (0.38 * narrow + 0.14 * wide), dtype=np.float32)


def _lip_distances(skin: Single, factor: int, scale: float, drawing: Drawing) -> tuple[Single, Single, Single]:
    """[n] cm from the drawn cells up to the upper lip, down to the lower one, and aside to the nearer corner."""
    hole = skin < 0.5
    height, width = hole.shape
    if not hole.any():
        far = np.zeros(len(drawing.cell), dtype=np.float32)
        return far, far, far
    rows = np.arange(height)[:, None]
    top = np.where(hole.any(0), hole.argmax(0), height // 2).astype(np.float64)
    bottom = np.where(hole.any(0), height - hole[::-1].argmax(0), height // 2).astype(np.float64)
    top, bottom = (ndimage.gaussian_filter1d(line, max(1.0, 0.05 * scale)) for line in (top, bottom))
    columns = np.flatnonzero(hole.any(0))
    x = np.arange(width)[None]
    aside = np.minimum(x - columns[0], columns[-1] - x) / scale
    planes = (rows + 0.5 - top, bottom - rows - 0.5, np.broadcast_to(aside * scale, hole.shape))
    row, column = np.divmod(drawing.cell, drawing.grid.width)
    at = row // factor * width + column // factor
    above, below, beside = ((np.maximum(plane, 0) / scale).astype(np.float32).reshape(-1)[at] for plane in planes)
    return above, below, beside


def _biting_edge(model: FaceModel) -> float:
    """Height (cm, of the neutral model) at which upper and lower teeth meet."""
    teeth = model.neutral[model.part_vertices["teeth"]]
    front = teeth[teeth[:, 2] > teeth[:, 2].max() - 0.6]
    return float((front[:, 1].min() + front[:, 1].max()) / 2) if len(front) else 0.0
