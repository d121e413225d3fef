"""A face in a photo moved by the face model: from the coefficients of its fit to others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from ..images import Photo, as_pixels
from ..inversion import Edit
from .canvas import Canvas
from .eyes import iris_shift, lid_share
from .lids import lids_after
from .motion import FADE_CM, STILL_PX, coarse_field, opening_patch, seamless, without_stillness
from .mouth import corners_eased, inside, lips_contact
from .open_mouth import darkness, seen_inside
from .openings import MOUTH, Fitted, Moved, aligned, sides
from .outline import with_outline
from .sampling import finer, keep_inside, sampled
from .scene import FINE, Scene, below, placed, relief_after, remembered_scene
from .shading import folds
from .veil import veiled

Array = NDArray[np.float64]
Single = NDArray[np.float32]

STEP, DRAFT_STEP = 2, 4  # photo px between the places at which the skin's motion is found, but at lids and lips
STEP_CM, MOUTH_STEP_CM = 0.067, 0.027
"""The same in large photos, and at lips: finer than that the mesh shows its facets."""
MOUTH_MARGIN_CM = 0.35
LIP_EDGE_CM = 0.025  # how softly lips end
LIPS_MOVED_CM = 0.1  # lips that moved this far show what they hid
SHADED = 0.3  # no shading, folds and all, changes log brightness by more
SHADE_LEAST = 1e-4  # and below which pixels keep their value
EDGE_PX = 0.55  # blur of the lips' edges at least
UNSHADED = 1e-3  # log ratio of brightness below which nothing is shaded


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """What an edit does to a face's mesh.

    Convention: vertices [v, 3] are the projected mesh after it, with its openings' edges; change [v] the log ratio of
    brightness that is drawn on it.
    """

    vertices: Array
    edges: tuple[Moved, ...]
    change: Array


def mesh_motion(
    model: FaceModel, fit: FaceFit, scene: Scene, after: Array, *, shading: NDArray[np.floating] | None = None
) -> Motion:
    """What coefficients after [k] and an extra shading [v] do to the mesh of a scene."""
    raw = placed(model, fit, scene.base, after)
    _, moved, edges = aligned(model, fit, scene.raw, raw, scene.openings, coefficients=after)
    change = folds(model, scene.relief, relief_after(model, fit, scene, after), scene.light)
    if shading is not None:
        change = SHADED * np.tanh((change + shading) / SHADED)
    length = np.hypot(moved[:, 0] - scene.vertices[:, 0], moved[:, 1] - scene.vertices[:, 1])
    return Motion(moved, edges, change + scene.lips * np.clip(length / (LIPS_MOVED_CM * fit.pose.scale), 0, 1))


def mesh_shading(model: FaceModel, edit: Edit) -> Array | None:
    """[v]: the shading of an edit of one face, 0 beyond the face's vertices; None where it has none."""
    if edit.shading is None or not edit.shading.any():
        return None
    whole = np.zeros(len(model.neutral))
    whole[: edit.shading.shape[1]] = edit.shading[0]
    return whole


def move_face(
    photo: Photo,
    model: FaceModel,
    fit: FaceFit,
    after: Array,
    *,
    shading: NDArray[np.floating] | None = None,
    draft: bool = False,
    scene: Scene | None = None,
) -> tuple[NDArray[np.uint8], Single]:
    """The photo's pixels with one face's expression changed, and where they changed.

    Convention: after [k] are the coefficients after, 0 to 1; shading [v] is an extra log ratio of brightness on the
    mesh; `draft` finds the motion on a coarser grid; `scene` is `scene_of` the same face (by default it
    is remembered for the faces edited last). Returns
    uint8 [h, w, 3] and float32 [h, w] in 0..1, exactly 0 where pixels are untouched.
    """
    height, width = photo.pixels.shape[:2]
    mask = np.zeros((height, width), dtype=np.float32)
    if shading is None and np.array_equal(after, fit.coefficients):
        return photo.pixels.copy(), mask
    known = scene or remembered_scene(photo, model, fit)
    motion = mesh_motion(model, fit, known, after, shading=shading)
    box = _box(known, motion.vertices, motion.change, fit.pose.scale, width, height)
    result = photo.pixels.copy()
    if box is None:
        return result, mask
    left, top, right, bottom = box
    seen = below(photo, known.veil, known.raw, fit.pose.scale)
    if known.rims is None:
        canvas = _drawn(seen, model, fit, known, motion, after, box, draft)
    else:
        canvas = _drawn(known.rims.taken_off(seen), model, fit, known, motion, after, box, draft)
        cover = known.rims.within(left, top, *canvas.mask.shape)
        canvas.colours += cover[..., None] * (seen.pixels[top:bottom, left:right] - canvas.colours)
        canvas.mask *= 1 - cover
    touched = canvas.mask > 0
    part = result[top:bottom, left:right]
    part[touched] = as_pixels(veiled(canvas.colours[touched], known.veil), part.dtype)
    mask[top:bottom, left:right] = canvas.mask
    return result, mask


def _drawn(
    photo: Photo,
    model: FaceModel,
    fit: FaceFit,
    scene: Scene,
    motion: Motion,
    after: Array,
    box: tuple[int, int, int, int],
    draft: bool,
) -> Canvas:
    """The box of the photo, without rims, after an edit: skin, then what opens in it."""
    moved, edges, change = motion.vertices, motion.edges, motion.change
    scale, skin = fit.pose.scale, model.triangles[model.triangle_part <= 1]
    left, top, right, bottom = box
    step, fine = (DRAFT_STEP, 1) if draft else (STEP, FINE)
    step = max(step, round(STEP_CM * scale))
    rough = Grid(left, top, -(-(right - left) // step), -(-(bottom - top) // step), step)
    field = coarse_field(model, moved, scene.sources.places, change, skin, rough, scale)
    field[..., :2] = with_outline(field[..., :2], fit, rough)
    full = finer(field, step)[: bottom - top, : right - left]
    own = photo.pixels[top:bottom, left:right].astype(np.float32)
    canvas = Canvas(left, top, own, own, own[..., 0])
    patches = []
    for opening, outcome in zip(scene.openings, edges, strict=True):
        grid = _grid(scene, opening, outcome, scale, box)
        if grid is None or _still(model, opening, scene.vertices, moved, fit.coefficients - after):
            continue
        at = canvas.at(grid)
        lids = around_lids = None
        if opening.place is MOUTH:
            cell = max(1, round(MOUTH_STEP_CM * scale))
            lower = sides(model, MOUTH)[0]
            patch = opening_patch(moved, scene.sources.places, lower, skin, grid, scale=scale, factor=fine, step=cell)
        else:
            around = scene.eyes[opening.place.name][1]
            lids = lids_after(outcome.frame, outcome.edges, around.lids, scale)
            around_lids = around.motion(full[at][..., :2], grid, lids, scale)
            patch = seamless(grid, lids.skin(grid), around_lids.field)
        full[(*at, slice(0, 2))] = without_stillness(patch.field)
        patches.append((opening, outcome, patch, lids, around_lids))
    keep_inside(full[..., :2], left, top, photo.pixels.shape[1], photo.pixels.shape[0])
    canvas.colours = sampled(photo.pixels, full[..., :2], left, top, "bilinear" if draft else "bicubic")
    for opening, _, patch, lids, around_lids in patches:
        canvas.lay_seam(photo.pixels, patch)
        if lids is not None and around_lids is not None:
            at = canvas.at(patch.grid)
            around = scene.eyes[opening.place.name][1]
            canvas.colours[at] = around.moved(canvas.colours[at], patch.grid, full[at][..., :2], around_lids, lids)
    shaded = _where(np.abs(full[..., 2]) > SHADE_LEAST)
    canvas.colours[shaded] *= scene.light.ratios(full[shaded][..., 2], canvas.colours[shaded])
    canvas.mask = _mask(full)
    for opening, outcome, patch, lids, _ in patches:
        at = canvas.at(patch.grid)
        if lids is None:
            canvas.colours[at] *= corners_eased(canvas.colours[at], patch.grid, opening, outcome, scale)
            canvas.colours[at] *= lips_contact(patch.grid, opening, outcome, scale)[..., None]
            behind = None
            if scene.shut or darkness(photo.pixels, opening, scene.tones) < 1:
                behind = inside(
                    model, moved, patch, scene.tones, scale, fine, blur=scene.blur, hang=scene.hang, upper=scene.shut
                )
            if behind is None or not scene.shut:
                behind = seen_inside(photo.pixels, patch.grid, opening, outcome, scene.tones, scale, drawn=behind)
            canvas.lay(
                patch.grid, behind, ndimage.gaussian_filter(patch.skin, max(EDGE_PX, LIP_EDGE_CM * scale, scene.blur))
            )
        else:
            eye, around = scene.eyes[opening.place.name]
            canvas.colours[at] = lids.with_seam(canvas.colours[at], patch.grid, scale)
            ball = _inside_box(eye.grid, box)
            if ball is not None:
                shift = iris_shift(model, fit, after, opening.place)
                canvas.lay(ball, eye.part(ball).behind(lids, shift, scale), lid_share(lids.skin(ball), scale))
            canvas.darken(patch.grid, around.lashes_on(patch.grid, lids, scale))
    return canvas


def _still(model: FaceModel, opening: Fitted, before: Array, moved: Array, change: Array) -> bool:
    """Whether an edit leaves an opening as it is: the skin around it, and the gaze."""
    near = np.unique(sides(model, opening.place)[1])
    looks = [index for index, name in enumerate(model.names) if name.startswith("eyeLook")]
    gaze = opening.place is not MOUTH and bool(np.any(change[looks]))
    return not gaze and float(np.abs(moved[near, :2] - before[near, :2]).max()) < STILL_PX


def _where(wanted: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest rectangle around what is wanted [h, w]."""
    rows, columns = np.flatnonzero(wanted.any(1)), np.flatnonzero(wanted.any(0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _mask(full: Single) -> Single:
    """[h, w]: how much of each pixel is new: 1 where it moved by half a pixel or more, or is shaded by a hundredth."""
    length = np.sqrt(full[..., 0] ** 2 + full[..., 1] ** 2)
    shade = np.abs(full[..., 2])
    mask = np.minimum(np.maximum(2 * length, 100 * shade), 1)
    mask[(length == 0) & (shade < UNSHADED)] = 0
    return np.asarray(mask, dtype=np.float32)


def _box(
    scene: Scene, after: Array, change: Array, scale: float, width: int, height: int
) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom of what an edit can touch, or None when it moves nothing."""
    before = scene.vertices
    length = np.hypot(after[:, 0] - before[:, 0], after[:, 1] - before[:, 1])
    moving = (length > STILL_PX) | (np.abs(change) > UNSHADED)
    if not moving.any():
        return None
    points = np.concatenate([before[moving, :2], after[moving, :2]])
    reach = FADE_CM * scale + 2
    left, top = np.maximum(np.floor(points.min(0) - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(0) + reach), (width, height)).astype(int)
    return (int(left), int(top), int(right), int(bottom)) if right > left and bottom > top else None


def _grid(scene: Scene, opening: Fitted, outcome: Moved, scale: float, box: tuple[int, int, int, int]) -> Grid | None:
    """The pixels around an opening, before and after, inside the box; None where there are none."""
    if opening.place is not MOUTH:
        eye = scene.eyes.get(opening.place.name)
        return None if eye is None else _inside_box(eye[1].grid, box)
    points = np.concatenate([opening.outline(opening.photo), outcome.outline()])
    margin = MOUTH_MARGIN_CM * scale
    low, high = np.floor(points.min(0) - margin), np.ceil(points.max(0) + margin)
    return _inside_box(Grid(low[0], low[1], int(high[0] - low[0]), int(high[1] - low[1])), box)


def _inside_box(grid: Grid, box: tuple[int, int, int, int]) -> Grid | None:
    left, top = max(int(grid.left), box[0]), max(int(grid.top), box[1])
    right, bottom = min(int(grid.left) + grid.width, box[2]), min(int(grid.top) + grid.height, box[3])
    if right - left < 4 or bottom - top < 4:
        return None
    return Grid(float(left), float(top), right - left, bottom - top)
