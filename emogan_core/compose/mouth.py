"""The inside of the mouth: the photo's own where it was seen, the model's teeth, gums and tongue where it was not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Drawing, Grid, draw, vertex_normals
from ..face_model.model import FaceModel
from .curves import smooth_step
from .frames import shares
from .jaws import GUMS, TONGUE, Jaws, hanging_in, jaws_of, placed_jaws
from .motion import Patch, at_pixels
from .openings import Fitted, Moved
from .tones import Tones

Array = NDArray[np.float64]
Single = NDArray[np.float32]

GROOVE_CM = 0.22  # half the width of the tongue's furrow
GAP_CM, GAP_KEPT = 0.1, 0.45  # teeth stand closer than this, and so much of the dark between them is left
CORNER_DOWN_CM, CORNER_EASED = 0.25, 0.7  # where corners are drawn down so far, so much of lines past them is taken off
PAST_CM, WITHIN_CM, THIN_CM = 0.34, 0.7, 0.2  # how far past and before corners; from which width on dark lines are none
LINING = 0.08  # so much of the colour of gums is seen in the dark of a mouth
WALLS, WALLS_CM = 0.22, 0.5  # so much more at its walls, falling off over that
WIDE_CM = (0.35, 0.75)  # half the height of a mouth whose walls begin to show, and of one that shows them
CROWN_CM = 1.15  # gums show only where more of a jaw than this is uncovered
NECKS = 0.45  # so much darker than side teeth is what is above their necks and is not red
TEETH_DEEP = 0.3  # teeth in the dark turn so much less red than flesh
TONGUE_FADES_CM = (0.3, 0.5)  # over which the back of the tongue comes out of the dark, at least and at most
LOWER_LESS = 0.24  # of the light, as they stand behind the upper ones and the lower lip
ROW = (1.0, 0.97, 0.92, 0.86, 0.78, 0.7, 0.62, 0.55)  # brightness of teeth from the middle: cheeks shade them


def inside(
    model: FaceModel,
    after: Array,
    patch: Patch,
    tones: Tones,
    scale: float,
    factor: int,
    *,
    blur: float = 0.0,
    hang: tuple[float, float] = (0.0, 0.0),
    upper: bool = True,
) -> Single:
    """[h, w, 3]: the drawn inside of the mouth, as blurred (px) as the photo is; `upper`: with its upper teeth and gums.

    Teeth, gums and tongue are lit by direction, by depth, and by what the lips leave of the light; `hang` is `hanging`'s.
    """
    grid, skin, step = patch.cells, patch.covered, round(patch.cells.step)
    fine, unit = grid.finer(factor), scale / step  # cells per cm
    jaws = jaws_of(model)
    if upper:
        rows, columns = np.nonzero(skin < 0.5)
        hole = np.column_stack([columns + 0.5, rows + 0.5]) * step + (grid.left, grid.top)
        hang = hanging_in(model, after, hang, hole, scale)
    placed = placed_jaws(model, after, hang, scale)
    kept = np.full(len(jaws.triangles), True) if upper else ~(jaws.lower[jaws.triangles] == 0).all(1)
    triangles, part = jaws.triangles[kept], jaws.part[kept]
    opened = np.repeat(np.repeat(skin < 0.999, factor, 0), factor, 1)
    drawing = draw(placed, triangles, fine, both=True).where(opened)
    kind = part[drawing.triangle]
    normal = drawing.values(vertex_normals(placed, triangles))
    normal *= np.where(normal[:, 2:] < 0, -1, 1) / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    above, below, aside = _lip_distances(skin, factor, unit, drawing)
    lit = np.clip((above + below) / 1.6, 0, 1)  # how much light so tall an opening lets in
    behind = _behind(jaws, placed, drawing, scale)
    red = _gums_shown(jaws, drawing, above, below) * (kind == GUMS)
    is_tongue = kind == TONGUE
    is_teeth = ~is_tongue & (red < 0.5)
    reach = np.select([is_teeth, is_tongue], [2.2, 0.8 + 1.3 * lit], 1.0 + lit)
    depth = np.exp(-np.maximum(behind - np.where(is_tongue, 1.2, 0.1), 0) / reach)
    under_lip = 0.32 * np.clip((above + below) / 0.6, 0.5, 1)  # thin strips of teeth are not all shade
    lips = (1 - under_lip * np.exp(-above / 0.13)) * (1 - 0.22 * np.exp(-below / 0.08))
    corner = 1 - 0.5 * np.exp(-aside / 0.4)
    form = np.select(
        [is_teeth, is_tongue],
        [_teeth_form(jaws, drawing, normal), _tongue_form(drawing.values(jaws.vertices[:, 0]), normal)],
        0.45 + 0.5 * normal[:, 2],
    )
    necks = np.clip((drawing.values(jaws.rise) - 0.9) / 0.35, 0, 1) * np.clip(
        (drawing.values(jaws.order) - 2) / 3, 0, 1
    )
    form *= np.where(kind == GUMS, 1 - NECKS * necks * (1 - red), 1)
    form *= np.where(is_tongue, _out_of_the_dark(drawing, is_tongue, unit * factor), 1)
    shade = np.asarray(lips * corner * depth * form, dtype=np.float32)[:, None]
    ivory = tones.teeth * (1 + (1 - shade) * tones.shaded)
    base = np.where(is_tongue[:, None], tones.tongue, ivory + red[:, None] * (tones.gums - ivory))
    reddened = np.clip(1.6 * (1 - shade) - 0.6, 0, 1) * np.where(is_teeth, TEETH_DEEP, 1)[:, None]  # in the dark
    walls = _lining(skin < 0.5, unit).repeat(factor, 0).repeat(factor, 1).reshape(-1, 1)
    empty = (tones.dark + walls * (tones.gums * tones.deep - tones.dark)).astype(np.float32)
    throat = empty[drawing.cell]
    empty[drawing.cell] = throat + (base * (1 - reddened * (1 - tones.deep)) - throat) * shade
    white = np.zeros(fine.height * fine.width, dtype=bool)
    white[drawing.cell] = is_teeth
    closed = _without_gaps(empty.reshape(*fine.shape, 3), white.reshape(fine.shape), GAP_CM * unit * factor)
    whole = closed.reshape(grid.height, factor, grid.width, factor, 3).mean((1, 3))
    soft, blur = max(0.6, 0.02 * unit), blur / step
    sigma = (max(0.75 * soft, blur), max(soft, blur), 0)
    return at_pixels(
        tones.toning.of(np.asarray(ndimage.gaussian_filter(whole, sigma), dtype=np.float32)), patch.grid, step
    )


def _behind(jaws: Jaws, placed: Array, drawing: Drawing, scale: float) -> Array:
    """[n] cm behind the foremost tooth of the same jaw."""
    foremost = [placed[(jaws.lower == jaw) & (jaws.order == 1), 2].max() for jaw in (0, 1)]
    fronts = np.where(jaws.lower > 0, foremost[1], foremost[0])
    return np.asarray(np.maximum(drawing.values(fronts) - drawing.depth, 0) / scale, dtype=np.float64)


def _lining(hole: NDArray[np.bool_], unit: float) -> Array:
    """[h, w]: how much of the colour of gums is in a mouth's dark: most at the walls of one that is wide open."""
    inwards = np.asarray(ndimage.distance_transform_edt(hole)) / unit
    wide = float(np.clip((inwards.max() - WIDE_CM[0]) / (WIDE_CM[1] - WIDE_CM[0]), 0, 1))
    return np.asarray(LINING + wide * WALLS * np.exp(-inwards / WALLS_CM), dtype=np.float64)


def _gums_shown(jaws: Jaws, drawing: Drawing, above: Single, below: Single) -> Array:
    """[n]: how much of the colour of gums is seen, 0 to 1: off a tooth's crown, where a jaw is uncovered beyond it."""
    rise = drawing.values(jaws.rise)
    behind, before = (np.where(drawing.values(jaws.lower) > 0.5, *both) for both in ((below, above), (above, below)))
    uncovered = behind + np.minimum(rise, before)
    return np.asarray(np.clip((np.minimum(rise, uncovered) - CROWN_CM) / 0.12, 0, 1), dtype=np.float64)


def _out_of_the_dark(drawing: Drawing, tongue: NDArray[np.bool_], unit: float) -> Array:
    """[n]: how much of the light reaches what is drawn of the tongue, 0 to 1: less towards where it ends at the back."""
    rows, columns = np.divmod(drawing.cell, drawing.grid.width)
    end, tip = np.full(drawing.grid.width, drawing.grid.height), np.zeros(drawing.grid.width)
    np.minimum.at(end, columns[tongue], rows[tongue])
    np.maximum.at(tip, columns[tongue], rows[tongue])
    end, tip = (ndimage.median_filter(line, 2 * round(GAP_CM * unit) + 1) for line in (end, tip))  # no slits in teeth
    fades = np.clip((tip - end) / 2, TONGUE_FADES_CM[0] * unit, TONGUE_FADES_CM[1] * unit)
    return np.asarray(smooth_step((rows - end[columns]) / fades[columns]), dtype=np.float64)


def _teeth_form(jaws: Jaws, drawing: Drawing, normal: Single) -> Array:
    """[n]: how bright teeth are by their shape: round from side to side, darker at the gums and at the biting edge."""
    across, height, order = (drawing.values(of) for of in (jaws.across, jaws.height, jaws.order))
    turned = np.clip((normal[:, 2] - 0.1) / 0.75, 0, 1)
    side = np.clip(np.abs(across), 0, 1)
    round_ = 1 - 0.16 * side**3 - 0.2 * np.exp(-(((1 - side) / 0.1) ** 2))
    tall = 1 - 0.1 * np.clip((height - 0.45) / 0.5, 0, 1) - 0.12 * np.exp(-height / 0.07)
    row = np.interp(order, np.arange(1, 9), ROW) * (1 - LOWER_LESS * drawing.values(jaws.lower))
    return np.asarray((0.5 + 0.5 * turned * (2 - turned)) * round_ * tall * row)


def _tongue_form(across: Single, normal: Single) -> Array:
    """[n]: how bright the tongue is by its shape, across cm from its furrow: light falls on it from before and above."""
    furrow = 1 - 0.12 * np.exp(-((across / GROOVE_CM) ** 2))
    return np.asarray(furrow * (0.22 + 0.42 * np.clip(0.85 * normal[:, 2] - 0.53 * normal[:, 1], 0, 1)))


def _without_gaps(colours: Single, teeth: NDArray[np.bool_], reach: float) -> Single:
    """[h, w, 3]: narrow dark gaps between teeth side by side filled in most of the way, as neighbours touch.

    What is left of the dark has the colour of the teeth, whatever is seen between them.
    """
    row = np.ones((1, 2 * max(1, round(reach / 2)) + 1), dtype=bool)
    between = ndimage.binary_closing(teeth, row)
    filled = ndimage.grey_closing(colours, footprint=row[..., None])
    kept = filled * (colours.mean(-1, keepdims=True) / np.maximum(filled.mean(-1, keepdims=True), 1e-3))
    return np.where(between[..., None], GAP_KEPT * kept + (1 - GAP_KEPT) * filled, colours).astype(np.float32)


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


def corners_eased(colours: Single, grid: Grid, opening: Fitted, moved: Moved, scale: float) -> Single:
    """[h, w, 3]: factors that lighten thin dark lines at corners that close, and past those that are drawn down.

    Of the dark in the corners of an open mouth a line is left when it closes; past a corner that is drawn down the skin
    is pressed together, which makes of a soft shade a line. Colours [h, w, 3] are the skin's.
    """
    frame, before = moved.frame, opening.frame
    ends = [(one.origin, one.origin + one.length * one.axes[0]) for one in (before, frame)]
    drops = [float((after - old) @ frame.axes[1]) / (CORNER_DOWN_CM * scale) for old, after in zip(*ends, strict=True)]
    then, now = float(opening.photo.gap.mean()), float(moved.edges.gap.mean())
    closed = float(np.clip(1 - now / then, 0, 1)) if then > 0 else 0.0
    if max(*drops, closed) <= 0:
        return np.ones((*grid.shape, 3), dtype=np.float32)
    x, y = grid.centres()
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64)
    along, down = np.moveaxis(frame.inside(points), -1, 0)
    weight = np.zeros(grid.shape)
    for drop, out in zip(drops, (-along / scale, (along - frame.length) / scale), strict=True):
        past, within = np.clip(out / 0.12 + 0.5, 0, 1), np.clip((out + WITHIN_CM) / 0.3, 0, 1)
        strength = np.maximum(min(max(drop, 0.0), 1.0) * past, closed * within)
        weight = np.maximum(weight, strength * np.clip((PAST_CM - out) / 0.2, 0, 1))
    line = np.interp(along / frame.length, np.r_[0, shares(), 1], np.r_[0, moved.edges.middle, 0])
    weight *= CORNER_EASED * np.clip((0.22 - np.abs(down - line) / scale) / 0.12, 0, 1)
    size, soft = 2 * max(1, round(THIN_CM * scale / 2)) + 1, 0.02 * scale
    light = ndimage.gaussian_filter(colours.clip(0), (soft, soft, 0)) + 1  # haze that was taken off leaves some below 0
    ratio = np.log(ndimage.grey_closing(light, (size, size, 1)) / light)  # of each colour: the dark there is red
    return np.asarray(np.exp(ndimage.gaussian_filter(ratio, (soft, soft, 0)) * weight[..., None]), dtype=np.float32)


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
