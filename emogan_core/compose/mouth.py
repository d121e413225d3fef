"""The inside of the mouth: the photo's own where it was seen, the model's teeth, gums and tongue where it was not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Drawing, Grid, draw, vertex_normals
from ..face_model.model import PARTS, FaceModel
from .frames import shares
from .motion import Patch
from .openings import Fitted, Moved

Array = NDArray[np.float64]
Single = NDArray[np.float32]

GUMS_BACK_CM = 0.05  # so that teeth look as long as they are
CROWN_CM = 0.72  # from the biting edge to where gums may show
TEETH, GUMS, SOCKET = PARTS.index("teeth"), PARTS.index("gums_and_tongue"), PARTS.index("mouth_socket")


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Colours [3] in 0..255 from which the mouth's inside is drawn: all of the photo's own exposure and cast."""

    teeth: Array
    gums: Array
    dark: Array


def tones_of(cheek: Array, lips: Array, eye_white: Array) -> Tones:
    """Tones from the photo's cheek, lips and eye white (each a colour [3] in 0..255).

    Teeth are about as bright as the eye's white, so a little brighter than a fair cheek and far brighter than a dark
    one; their colour leans to yellow by as much as the photo has colour.
    """
    bright = float(cheek.mean())
    white = float(np.clip(eye_white.mean(), 0.92 * bright, 2.2 * bright))
    level = 1.04 * white  # median of 32 true smiles; what lies in the lips' shade is darker than the white
    colour = float(np.clip(np.ptp(cheek) / max(0.22 * bright, 1e-6), 0, 1))
    cast = eye_white / max(float(eye_white.mean()), 1e-6)
    warm = 1 + colour * (np.array([1.03, 1.0, 0.96]) * (0.5 + 0.5 * cast) - 1)
    flesh = lips / max(float(lips.mean()), 1e-6)
    red = 1 + colour * (0.5 * flesh + 0.5 * np.array([1.3, 0.85, 0.85]) - 1)
    return Tones(level * warm, 0.70 * level * red, 0.085 * level * (1 + colour * (np.array([1.35, 0.85, 0.8]) - 1)))


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
    grid, skin = patch.grid, patch.skin
    fine = grid.finer(factor)
    rough = np.isin(model.triangle_part, (SOCKET, GUMS, TEETH))
    if not upper:
        drop = np.linalg.norm(model.expressions[model.index("jawOpen")], axis=1)
        fixed = (drop < 0.3)[model.triangles].all(1)  # what does not follow the jaw
        rough &= ~(fixed & (model.triangle_part != SOCKET))
    triangles, part = model.triangles[rough], model.triangle_part[rough]
    placed = after.copy()
    placed[model.part_vertices["gums_and_tongue"], 2] -= GUMS_BACK_CM * scale
    drawing = draw(placed, triangles, fine, both=True).where(np.repeat(np.repeat(skin < 0.999, factor, 0), factor, 1))
    kind = part[drawing.triangle]
    normals = vertex_normals(after, triangles)
    normal = drawing.values(normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    facing = np.abs(normal[:, 2])
    teeth = model.part_vertices["teeth"]
    behind = np.maximum(after[teeth, 2].max() - drawing.depth, 0) / scale  # cm behind the foremost tooth
    above, below, aside = _lip_distances(skin, factor, scale, drawing)
    lit = np.clip((above + below) / 1.6, 0, 1)  # how much light so tall an opening lets in
    is_teeth, is_gums = kind == TEETH, kind == GUMS
    crown = np.abs(drawing.values(model.neutral[:, 1].astype(np.float64)) - _biting_edge(model))
    between = is_gums & (crown < CROWN_CM) & (behind < 2.5)  # the model's gums reach too far down between teeth
    is_teeth, is_gums = is_teeth | between, is_gums & ~between
    lips = (1 - 0.30 * np.exp(-above / 0.12)) * (1 - 0.18 * np.exp(-below / 0.07))
    corner = 1 - 0.40 * np.exp(-aside / 0.35)
    depth = np.exp(
        -np.maximum(behind - 0.1, 0) / np.where(is_teeth, 2.0, np.where(is_gums, 1.6 + 2.4 * lit, 1.0 + lit))
    )
    turned = np.clip((facing - 0.1) / 0.75, 0, 1)
    form = np.where(is_teeth, 0.42 + 0.58 * turned * (2 - turned), 0.5 + 0.5 * facing) * np.where(between, 0.8, 1)
    gloss = np.where(is_teeth, 0.07, 0.05) * np.exp(-(normal[:, 0] ** 2 + (normal[:, 1] + 0.2) ** 2) / 0.03)
    shade = (lips * corner * depth * (form + gloss)).astype(np.float32)
    base = np.where(is_teeth[:, None], tones.teeth, np.where(is_gums[:, None], tones.gums, tones.gums * 0.5))
    deep = 1 - np.clip(1.6 * (1 - shade[:, None]) - 0.6, 0, 1) * (1 - tones.dark / tones.dark.max())  # red in the dark
    colours = (tones.dark + (base * deep - tones.dark) * shade[:, None]).astype(np.float32)
    empty = np.broadcast_to(tones.dark.astype(np.float32), (fine.height * fine.width, 3)).copy()
    empty[drawing.cell] = colours
    whole = empty.reshape(grid.height, factor, grid.width, factor, 3).mean((1, 3))
    soft = max(0.6, 0.02 * scale)
    sigma = (max(0.75 * soft, blur), max(soft, blur), 0)
    return np.asarray(ndimage.gaussian_filter(whole, sigma), dtype=np.float32)


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
