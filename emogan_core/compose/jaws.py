"""What a mouth holds: the face model's teeth in people's proportions, its gums, and a tongue, placed in the photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..face_model.model import PARTS, FaceModel

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

TEETH, GUMS = PARTS.index("teeth"), PARTS.index("gums_and_tongue")
TONGUE = len(PARTS)
NONE = 9.0  # cm above a biting edge, and number from the middle, of what is no tooth
GUM_ACROSS = 0.88  # gums between teeth are taken for their sides
OPENS_CM = 0.5  # what jawOpen moves by more than this belongs to the lower jaw
ARCH_MIDDLE_Z = 5.0  # the dental arch's middle in the neutral model, cm; its x is 0
GUMS_BACK_CM = 0.05  # so that teeth look as long as they are
UPPER_SHOWS_CM, LOWER_SHOWS_CM = 0.34, 0.0  # biting edges are this far below the line between resting lips
UPPER_LONGER = 1.12  # the model's upper crowns are 1 cm long
LOWER_WIDTHS = (0.54, 0.59, 0.68, 0.71, 0.72, 1.1, 1.05, 1.0)
"""Widths of the lower teeth from the middle, cm, as usual for people: the model's are as wide as the upper ones."""
TONGUE_BACK = (9.7, 9.4, 8.9, 8.2, 7.4, 6.6, 5.8, 5.0, 4.2, 3.4)  # z of places along the tongue, from its tip, cm
TONGUE_UP = (-4.0, -3.75, -3.5, -3.3, -3.15, -3.05, -3.05, -3.2, -3.6, -4.3)  # y of its middle there
TONGUE_WIDE = (0.55, 0.95, 1.3, 1.5, 1.65, 1.75, 1.8, 1.85, 1.85, 1.85)  # half its width there
TONGUE_ROUND = 0.85  # by how many cm its sides hang
TONGUE_LEAST, TONGUE_MOST = 0.55, 0.62  # a tongue rises so many cm above the lower teeth, or so much of an open mouth
ACROSS = 25
EDGE_CM, ROOT_CM = 0.04, 1.5  # up from where a tooth is no biting edge, is root
MIDDLE_CM = 0.4  # half the width of a mouth's middle, where it is seen how much of teeth shows
ROW_CM, LOWER_CM = 0.4, 0.22  # upper teeth of which less is seen, and with them lower ones of which more is, hang lower
LOWERED_CM = 0.27  # by at most so much


@dataclass(frozen=True, slots=True, eq=False)
class Jaws:
    """Upper and lower jaw with the tongue, in the neutral model's coordinates (cm).

    Convention: the first v of vertices [m, 3] are the model's, the rest the tongue's; triangles [t, 3], part [t] their
    part (TEETH, GUMS, TONGUE); lower [m] is `lower_jaw`'s; across [m] is the place between a tooth's sides (-1 to 1),
    height [m] that above its biting edge (NONE off teeth), order [m] its number from the middle; rise [m] is the same
    height, of gums above the biting edge of the tooth they hold (NONE on the tongue).
    """

    vertices: Array
    triangles: Whole
    part: Whole
    lower: Array
    across: Array
    height: Array
    order: Array
    rise: Array


@lru_cache(maxsize=4)
def jaws_of(model: FaceModel) -> Jaws:
    """The jaws of a face model."""
    count, gums = len(model.neutral), np.arange(len(model.neutral))[model.part_vertices["gums_and_tongue"]]
    vertices, lower = model.neutral.astype(np.float64), lower_jaw(model)
    across, height, order, row_radius = (np.full(count, value) for value in (GUM_ACROSS, NONE, NONE, 0.0))
    rows = [_teeth(model, lower, which) for which in (0, 1)]
    for which, row in enumerate(rows):
        for number, tooth in row:
            radius, angle = _around_arch(vertices[tooth, 0], vertices[tooth, 2])
            front = angle[radius > np.median(radius)]
            across[tooth] = (2 * angle - front.min() - front.max()) / float(np.ptp(front))
            up = vertices[tooth, 1]
            height[tooth], order[tooth] = (up.max() - up) if which else (up - up.min()), number
            row_radius[tooth] = np.median(radius)
    edge = float(vertices[(order == 1) & (height < EDGE_CM), 1].mean())
    vertices[lower == 0, 1] += (UPPER_LONGER - 1) * (vertices[lower == 0, 1] - edge)
    height[lower == 0] *= UPPER_LONGER
    teeth = np.flatnonzero(order < NONE)
    near = teeth[cKDTree(vertices[teeth]).query(vertices[gums])[1]]
    order[gums] = order[near]
    rise = height.copy()
    rise[gums] = height[near] + (vertices[gums, 1] - vertices[near, 1]) * np.where(lower[gums] == 0, 1, -1)
    inner = np.zeros(count)  # cm inside of the row of lower teeth: the tongue, one piece with the gums, and their back
    inner[gums] = (row_radius[near] - _around_arch(vertices[gums, 0], vertices[gums, 2])[0]) * lower[gums]
    below = np.concatenate([tooth for _, tooth in rows[1]])
    vertices[below] = _narrowed(vertices, rows[1])[below]
    rough = np.isin(model.triangle_part, (GUMS, TEETH))
    triangles, part = model.triangles[rough].astype(np.int64), model.triangle_part[rough].astype(np.int64)
    roots = (part == TEETH) & (height[triangles].max(1) > ROOT_CM)
    kept = ~roots & (inner[triangles].mean(1) <= 0)
    mound, faces = _mound()
    return Jaws(
        np.concatenate([vertices, mound]),
        np.concatenate([triangles[kept], faces + count]),
        np.r_[part[kept], np.full(len(faces), TONGUE)],
        *(
            np.r_[of, np.full(len(mound), rest)]
            for of, rest in ((lower, 1.0), (across, 0.0), (height, NONE), (order, NONE), (rise, NONE))
        ),
    )


def hanging(model: FaceModel, before: Array, line: Array, scale: float) -> tuple[float, float]:
    """By how many px the upper and the lower jaw lie lower than the model has them, by a shut mouth.

    Convention: before [v, 3] is the projected mesh before an edit, line [2] the middle between its lips:
    biting edges lie as far below it as people's do.
    """
    down, edges = _downwards(model, before), _biting_edges(model)
    upper, lower = (
        float((line - before[edge, :2].mean(0)) @ down) + shows * scale
        for edge, shows in zip(edges, (UPPER_SHOWS_CM, LOWER_SHOWS_CM), strict=True)
    )
    return upper, lower


def placed_jaws(model: FaceModel, after: Array, hang: tuple[float, float], scale: float) -> Array:
    """[m, 3]: the jaws' vertices in the photo, by the projected mesh after [v, 3] of an edit; hang is `hanging`'s."""
    jaws, count = jaws_of(model), len(model.neutral)
    result = np.concatenate([after, np.zeros((len(jaws.vertices) - count, 3))])
    for which in (0, 1):
        rigid = np.flatnonzero((jaws.lower[:count] == which) & (jaws.height[:count] < NONE))
        bases = np.column_stack([model.neutral[rigid], np.ones(len(rigid))])
        pose = np.linalg.lstsq(bases, after[rigid], rcond=None)[0]  # [4, 3]
        jaw = np.flatnonzero(jaws.lower[:count] == which)
        result[jaw] += (jaws.vertices[jaw] - model.neutral[jaw]) @ pose[:3]
    result[count:] = np.column_stack([jaws.vertices[count:], np.ones(len(result) - count)]) @ pose  # the lower jaw's
    result[model.part_vertices["gums_and_tongue"], 2] -= GUMS_BACK_CM * scale
    down = _downwards(model, after)
    for which, by in enumerate(hang):
        result[jaws.lower == which, :2] += by * down
    upper, lower = (float((result[edge, :2] @ down).mean()) for edge in _biting_edges(model))
    limit = max(TONGUE_LEAST * scale, TONGUE_MOST * (lower - upper))
    rise = lower - result[count:, :2] @ down
    result[count:, :2] += (np.maximum(rise, 0) * max(0.0, 1 - limit / max(float(rise.max()), 1e-6)))[:, None] * down
    return result


def hanging_in(
    model: FaceModel, after: Array, hang: tuple[float, float], hole: Array, scale: float
) -> tuple[float, float]:
    """`hang` as it looks best between lips: hole [n, 2] are the places (px) where they are parted.

    Tips of upper teeth that just show below the lip hang lower, so that they are a row, and with them lower teeth of
    which much shows.
    """
    placed, down = placed_jaws(model, after, hang, scale), _downwards(model, after)
    upper, lower = (placed[edge, :2].mean(0) for edge in _biting_edges(model))
    near = np.abs((hole - upper) @ np.array([down[1], -down[0]])) < MIDDLE_CM * scale
    if not near.any():
        return hang
    lips = hole[near] @ down
    half = np.sqrt(3) * lips.std()  # of what is evenly spread: finer than the places lie
    shown, shown_lower = upper @ down - lips.mean() + half, lips.mean() + half - lower @ down
    by = float(np.clip(ROW_CM - shown / scale, 0, LOWERED_CM))
    return hang[0] + by * scale, hang[1] + float(np.clip(shown_lower / scale - LOWER_CM, 0, by)) * scale


@lru_cache(maxsize=4)
def _biting_edges(model: FaceModel) -> tuple[Whole, Whole]:
    """The vertices on the biting edges of the upper and of the lower middle teeth."""
    jaws, count = jaws_of(model), len(model.neutral)
    edge = np.flatnonzero((jaws.order[:count] == 1) & (jaws.height[:count] < EDGE_CM))
    return edge[jaws.lower[edge] == 0], edge[jaws.lower[edge] == 1]


def _teeth(model: FaceModel, lower: Array, which: int) -> list[tuple[int, Whole]]:
    """The teeth of one jaw (0 the upper), each with its number from the middle, 1 to 8, and its vertices."""
    triangles = model.triangles[model.triangle_part == TEETH]
    count = len(model.neutral)
    edges = sparse.csr_matrix(
        (np.ones(len(triangles) * 2), (triangles[:, :2].T.ravel(), triangles[:, 1:].T.ravel())), (count, count)
    )
    label = connected_components(edges, directed=False)[1]
    teeth = [np.flatnonzero(label == one) for one in np.unique(label[triangles])]
    result = []
    for side in (-1, 1):
        row = [tooth for tooth in teeth if lower[tooth[0]] == which and np.sign(model.neutral[tooth, 0].mean()) == side]
        row.sort(key=lambda tooth: float(_around_arch(*np.abs(model.neutral[tooth][:, [0, 2]].mean(0)))[1]))
        result += [(number + 1, tooth) for number, tooth in enumerate(row)]
    return result


def _narrowed(vertices: Array, teeth: list[tuple[int, Whole]]) -> Array:
    """Vertices [v, 3] turned around the arch's middle, so that its lower teeth have LOWER_WIDTHS."""
    radius, angle = _around_arch(np.abs(vertices[:, 0]), vertices[:, 2])
    right = [tooth for _, tooth in teeth if vertices[tooth, 0].mean() > 0]
    fine = np.linspace(0, np.pi / 2, 400)
    middles = [np.array([float(of[tooth].mean()) for tooth in right]) for of in (angle, radius)]
    arch = np.interp(fine, middles[0], middles[1])
    length = np.r_[0, np.cumsum(np.hypot(np.diff(arch), arch[1:] * fine[1]))]
    sides = [(float(angle[one].max()) + float(angle[other].min())) / 2 for one, other in pairwise(right)]
    wanted = np.interp(np.cumsum((0.0, *LOWER_WIDTHS)), length, fine)
    turned = np.interp(angle, [0.0, *sides, float(angle[right[-1]].max())], wanted)
    radius = radius * np.interp(turned, fine, arch) / np.interp(angle, fine, arch)
    x = np.sign(vertices[:, 0]) * radius * np.sin(turned)
    return np.column_stack([x, vertices[:, 1], radius * np.cos(turned) + ARCH_MIDDLE_Z])


def _around_arch(x: Array, z: Array) -> tuple[Array, Array]:
    """Distance (cm) and angle (0 in front) of places x, z from the dental arch's middle."""
    return np.hypot(x, z - ARCH_MIDDLE_Z), np.arctan2(x, z - ARCH_MIDDLE_Z)


def _mound() -> tuple[Array, Whole]:
    """Vertices [n, 3] and triangles [t, 3] of a resting tongue: a mound with a round tip, seen from above and before."""
    share = np.linspace(-1, 1, ACROSS)
    lines = np.linspace(0, len(TONGUE_BACK) - 1, 3 * len(TONGUE_BACK))
    back, up, wide = (
        ndimage.gaussian_filter1d(np.interp(lines, np.arange(len(TONGUE_BACK)), line), 1.0, mode="nearest")
        for line in (TONGUE_BACK, TONGUE_UP, TONGUE_WIDE)
    )
    x = wide[:, None] * np.sin(share * np.pi / 2)
    y = up[:, None] - TONGUE_ROUND * np.sin(share * np.pi / 2) ** 2
    places = np.stack([x, y, np.broadcast_to(back[:, None], x.shape)], -1).reshape(-1, 3)
    first = (np.arange(len(lines) - 1)[:, None] * ACROSS + np.arange(ACROSS - 1)).ravel()
    quads = np.stack([first, first + 1, first + ACROSS + 1, first + ACROSS], -1)  # rows run backwards, x to the left
    return places, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def lower_jaw(model: FaceModel) -> Array:
    """[v]: 1 for what of gums, tongue and teeth moves with the jaw, 0 for what stays; not a number elsewhere."""
    parts = np.r_[model.part_vertices["gums_and_tongue"], model.part_vertices["teeth"]]
    result = np.full(len(model.neutral), np.nan)
    result[parts] = np.abs(model.expressions[model.index("jawOpen")][parts]).max(1) > OPENS_CM
    return result


def _downwards(model: FaceModel, after: Array) -> Array:
    """[2]: from the eyes to the mouth in the photo, a unit vector."""
    eyes = [after[model.part_vertices[name], :2].mean(0) for name in ("eyeball_left", "eyeball_right")]
    across = eyes[0] - eyes[1]
    return np.asarray(np.array([-across[1], across[0]]) / max(float(np.linalg.norm(across)), 1e-6))
