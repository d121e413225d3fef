"""What the generator newly shows of an edited face, added to the photo that the face model moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.draw import polygon

from ..face_model.contours import BROWS, EYES, OUTER_LIPS
from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from ..faces import Crop, frame_quad
from ..images import Photo, as_pixels
from .drawn_mouth import drawn_inside, within
from .masks import face_mask
from .motion import coarse_field
from .move import STEP, Motion, mesh_motion
from .openings import MOUTH
from .redrawing import DARKEST, Redrawing, RegisteredFaces, registered
from .sampling import finer
from .scene import Scene, remembered_scene

Array = NDArray[np.float64]
Single = NDArray[np.float32]

FEATHER = 0.25  # share of the face oval's radius over which the generator's part fades in
NOISE = 0.03  # log brightness: a change of this size may be noise of the generator
MISS_CM = 0.08  # how far the two redrawn faces may lie from each other: next to an edge that looks like a change
MOST = 0.35  # of log brightness: no more is added to skin
LEAST = 2e-3  # and less is left out
OTHER_HUE = 0.3  # how much of a hue is kept that shadow and light on this skin do not have
BESIDE = (1.5, 8.0)
"""Of the generator's pixels: so near to lips, brows and eyes their colours may stand for skin, so far all is skin."""


def with_generator_detail(
    photo: Photo,
    moved: NDArray[np.uint8],
    mask: Single,
    model: FaceModel,
    fit: FaceFit,
    after: Array,
    crop: Crop,
    redrawing: Redrawing,
    *,
    shading: NDArray[np.floating] | None = None,
) -> tuple[NDArray[np.uint8], Single]:
    """A face that `move_face` moved, with what the generator shows beyond that; and where the photo changed.

    The redrawn faces before and after are registered by the mesh, so that only what looks different is left:
    shadows and folds, as log ratios, and the inside of a mouth that was shut. What the face model draws already is not
    added again. Where the difference may be one of place, beside edges, or is faint, it is left out.
    Convention: as `move_face`; crop is where the redrawn faces belong in the photo.
    """
    box = _box(frame_quad(crop.landmarks, "tight"), photo.pixels.shape)
    if box is None:
        return moved, mask
    scene = remembered_scene(photo, model, fit)
    motion = mesh_motion(model, fit, scene, after, shading=shading)
    step = max(STEP, int(crop.side_px / redrawing.after.shape[-1]))
    drawn = registered(redrawing, photo, crop, step=step)
    left, top, right, bottom = box
    grid = Grid(left, top, -(-(right - left) // step), -(-(bottom - top) // step), step)
    ratio = finer(_ratio(model, fit, motion, grid, drawn, scene.light.tint), step)[: bottom - top, : right - left]
    ratio[np.abs(ratio).max(-1) < LEAST] = 0
    part = (slice(top, bottom), slice(left, right))
    values = moved[part].astype(np.float32) * np.exp(ratio)
    share = np.minimum(100 * np.abs(ratio).max(-1), 1)
    _add_mouth(photo, values, share, box, fit, motion, scene, drawn)
    result, whole = moved.copy(), mask.copy()
    if scene.rims is not None:
        cover = scene.rims.within(left, top, *share.shape)
        values += cover[..., None] * (moved[part] - values)
        share = share * (1 - cover)
    touched = share > 0
    result[part][touched] = as_pixels(values[touched], result.dtype)
    whole[part] = np.maximum(whole[part], share)
    return result, whole


def _ratio(model: FaceModel, fit: FaceFit, motion: Motion, grid: Grid, drawn: RegisteredFaces, tint: Array) -> Single:
    """[h, w, 3] on a grid: the log ratio of skin after over before that the face model does not explain; tint is the skin's."""
    skin = model.triangles[model.triangle_part <= 1]
    x, y = grid.centres()
    logs, shade = [], np.zeros(grid.shape, dtype=np.float32)
    for picture, mesh in zip((drawn.before, drawn.after), drawn.meshes, strict=True):
        field = coarse_field(model, motion.vertices, mesh, motion.change, skin, grid, fit.pose.scale)
        logs.append(np.log(drawn.at(picture, x + field[..., 0], y + field[..., 1]).clip(0) + DARKEST))
        shade = field[..., 2]
    soft = drawn.pixel / grid.step
    before, after = (ndimage.gaussian_filter(one, (soft, soft, 0)) for one in logs)
    change = after - before
    bright = change.mean(-1)
    miss = MISS_CM * fit.pose.scale / grid.step
    doubt = NOISE**2 + miss**2 * sum(np.square(one.mean(-1)) for one in np.gradient(before, axis=(0, 1)))
    sure = bright**2 / (bright**2 + doubt)
    explained = np.clip(shade, np.minimum(bright, 0), np.maximum(bright, 0))
    change = drawn.coloured(_of_skin(change - explained[..., None], tint))
    oval = face_mask(drawn.crop, len(drawn.after), feather=FEATHER)[0, 0, ..., None].numpy()
    share = drawn.at(oval, *np.broadcast_arrays(x, y))[..., 0] * sure * _bare(model, motion, grid, soft)
    return np.asarray(MOST * np.tanh(change / MOST) * share[..., None], dtype=np.float32)


def _of_skin(change: Single, tint: Array) -> Single:
    """A change [h, w, 3] with less of what shadow and light do not do to this skin: beside lips their red is in it."""
    usual = change.mean(-1, keepdims=True) * tint
    return np.asarray(usual + OTHER_HUE * (change - usual), dtype=np.float32)


def _bare(model: FaceModel, motion: Motion, grid: Grid, soft: float) -> Single:
    """[h, w]: 0 on lips, on brows, eyes and the lids between them, and within a mouth after an edit, 1 on the skin.

    Coarse pictures show teeth where lips are, brows that pale or thicken where they rise, and a shut lid as light on the
    eye that was there; none have folds worth having.
    """
    result = np.ones(grid.shape, dtype=np.float32)
    for outcome in motion.edges:
        result *= 1 - within(outcome, grid, grid.step)[0]
    covered = np.zeros(grid.shape, dtype=np.float32)
    places = motion.vertices[model.landmark_vertex]
    lids = [
        np.concatenate([places[list(eye)], places[[*upper, *lower]]])
        for eye, (upper, lower) in zip(EYES, BROWS, strict=True)
    ]
    for outline in (places[list(OUTER_LIPS)], *(one[ConvexHull(one[:, :2]).vertices] for one in lids)):
        columns, rows = grid.cells(outline).T
        covered[polygon(rows - 0.5, columns - 0.5, grid.shape)] = 1  # type: ignore[no-untyped-call]
    away = ndimage.distance_transform_edt(covered == 0) / soft
    return np.asarray(result * np.clip((away - BESIDE[0]) / (BESIDE[1] - BESIDE[0]), 0, 1), dtype=np.float32)


def _add_mouth(
    photo: Photo,
    values: Single,
    share: Single,
    box: tuple[int, int, int, int],
    fit: FaceFit,
    motion: Motion,
    scene: Scene,
    drawn: RegisteredFaces,
) -> None:
    """Give the inside of a mouth that was shut the generator's colours; values and share are the box's, and change."""
    left, top, right, bottom = box
    for opening, outcome in zip(scene.openings, motion.edges, strict=True):
        if opening.place is not MOUTH or not scene.shut:
            continue
        points, margin = outcome.outline(), 4 * drawn.pixel
        low = np.clip(np.floor(points.min(0) - margin), (left, top), (right, bottom)).astype(int)
        high = np.clip(np.ceil(points.max(0) + margin), (left, top), (right, bottom)).astype(int)
        if not (high > low).all():
            continue
        at = (slice(low[1] - top, high[1] - top), slice(low[0] - left, high[0] - left))
        grid = Grid(float(low[0]), float(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
        added = drawn_inside(photo, values[at], grid, outcome, drawn, fit.pose.scale)
        if added is not None:
            values[at] += added
            share[at] = np.maximum(share[at], np.minimum(np.abs(added).max(-1), 1))


def _box(quad: Array, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom of the part of a photo that a frame's corners enclose, None where there is none."""
    left, top = np.maximum(np.floor(quad.min(0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(quad.max(0)), (shape[1], shape[0])).astype(int)
    return (int(left), int(top), int(right), int(bottom)) if right > left and bottom > top else None
