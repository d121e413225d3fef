"""What the generator newly shows of an edited face, added to the photo that the face model moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from ..faces import Crop, cut, frame_quad
from ..images import Photo, as_pixels
from .frames import shares
from .masks import face_mask
from .motion import coarse_field
from .move import STEP, Motion, motion_of
from .open_mouth import shows_nothing
from .openings import MOUTH, TEETH_CM, Fitted, Moved, photo_edges
from .redrawing import Redrawing
from .sampling import finer
from .scene import Scene, remembered_scene

Array = NDArray[np.float64]
Single = NDArray[np.float32]

FEATHER = 0.25  # share of the face oval's radius over which the generator's part fades in
TONE = 0.06  # share of the crop above whose size colours are the photo's
DARKEST = 8.0  # added to pixels before their logarithm, so that noise in the dark counts little
NOISE = 0.03  # log brightness: a change of this size may be the generator's whim
MISS_CM = 0.08  # how far the two redrawn faces may lie from each other: next to an edge that looks like a change
MOST = 0.35  # of log brightness: no more is added to skin
LEAST = 2e-3  # and less is left out
RESOLVED = (
    8.0,
    16.0,
)  # of the generator's pixels: a drawn mouth less tall shows too little, one so tall all of its inside
LIP_CM = TEETH_CM + 0.03  # of what `photo_edges` takes for a drawn mouth's inside, lips at each edge


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A generator's two pictures, [s, s, 3] in 0..255 and as fine as they are of use, and where they lie in the photo."""

    before: Single
    after: Single
    crop: Crop
    pixel: float  # photo px

    def at(self, picture: Single, x: Array | Single, y: Array | Single) -> Single:
        """[..., c]: a picture at places of the photo."""
        matrix = self.crop.from_photo(len(picture))
        rows, columns = (matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] - 0.5 for k in (1, 0))
        planes = [
            ndimage.map_coordinates(picture[..., c], [rows, columns], np.float32, order=1, mode="nearest")
            for c in range(picture.shape[-1])
        ]
        return np.stack(planes, -1)


def with_novelty(
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

    The redrawn faces before and after are laid on each other by the mesh, so that only what looks different is left:
    shadows and folds, as log ratios, and the inside of a mouth that was shut. What the face model draws already is not
    added again. Where the difference may be one of place, beside edges, or is faint, it is left out.
    Convention: as `move_face`; crop is where the redrawn faces belong in the photo.
    """
    scene = remembered_scene(photo, model, fit)
    motion = motion_of(model, fit, scene, after, shading=shading)
    side = redrawing.after.shape[-1]
    step = max(STEP, int(crop.side_px / side))
    size = max(1, min(side, round(crop.side_px / step)))
    drawn = _Drawn(_shrunk(redrawing.before, size), _shrunk(redrawing.after, size), crop, crop.side_px / size)
    box = _box(frame_quad(crop.landmarks, "tight"), photo.pixels.shape)
    if box is None:
        return moved, mask
    left, top, right, bottom = box
    grid = Grid(left, top, -(-(right - left) // step), -(-(bottom - top) // step), step)
    colour = _colour_share(photo, redrawing, crop)
    ratio = _ratio(model, fit, motion, scene, grid, drawn, redrawing, colour)
    full = finer(ratio, step)[: bottom - top, : right - left]
    full[np.abs(full).max(-1) < LEAST] = 0
    part = (slice(top, bottom), slice(left, right))
    own = moved[part].astype(np.float32)
    values = own * np.exp(full)
    inside = _mouth(photo, values, (left, top), fit, motion, scene, drawn, redrawing, colour)
    result, whole = moved.copy(), mask.copy()
    touched = (full != 0).any(-1) | inside
    region = result[part]
    region[touched] = as_pixels(values[touched], region.dtype)
    shown = np.maximum(np.minimum(100 * np.abs(full).max(-1), 1), inside)
    whole[part] = np.where(touched, np.maximum(whole[part], shown), whole[part])
    return result, whole


def _ratio(
    model: FaceModel,
    fit: FaceFit,
    motion: Motion,
    scene: Scene,
    grid: Grid,
    drawn: _Drawn,
    redrawing: Redrawing,
    colour: float,
) -> Single:
    """[h, w, 3] on a grid: the log ratio of skin after over before that the face model does not explain."""
    skin = model.triangles[model.triangle_part <= 1]
    x, y = grid.centres()
    logs, shade = [], np.zeros(grid.shape, dtype=np.float32)
    for picture, one in zip((drawn.before, drawn.after), redrawing.fits, strict=True):
        places = _in_photo(drawn.crop, one.vertices(model)[:, :2], redrawing.after.shape[-1])
        field = coarse_field(model, motion.vertices, places, motion.change, skin, grid, fit.pose.scale)
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
    bright = bright - explained
    change = bright[..., None] + colour * (change - change.mean(-1, keepdims=True))
    oval = face_mask(drawn.crop, len(drawn.after), feather=FEATHER)[0, 0, ..., None].numpy()
    share = drawn.at(oval, x + 0 * y, y + 0 * x)[..., 0] * sure * _bare(motion.edges, scene.openings, grid)
    return np.asarray(MOST * np.tanh(change / MOST) * share[..., None], dtype=np.float32)


def _bare(edges: tuple[Moved, ...], openings: tuple[Fitted, ...], grid: Grid) -> Single:
    """[h, w]: 0 within mouth and eyes after an edit, 1 on the skin."""
    result = np.ones(grid.shape, dtype=np.float32)
    for outcome, _ in zip(edges, openings, strict=True):
        result *= 1 - _within(outcome, grid, grid.step)[0]
    return result


def _within(outcome: Moved, grid: Grid, soft: float) -> tuple[Single, Array, Array, Array]:
    """[h, w] each: how far cells lie between an opening's edges, their shares along and down it, and its height there."""
    x, y = grid.centres()
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64)
    along, down = np.moveaxis(outcome.frame.inside(points), -1, 0)
    share = along / outcome.frame.length
    around = np.r_[0.0, shares(), 1.0]
    upper, lower = (
        np.interp(share, around, np.r_[0.0, line, 0.0]) for line in (outcome.edges.upper, outcome.edges.lower)
    )
    height = lower - upper
    within = np.clip(np.minimum(down - upper, lower - down) / soft, 0, 1) * (height > 0) * (share > 0) * (share < 1)
    return within.astype(np.float32), share, (down - upper) / np.maximum(height, 1e-6), height


def _mouth(
    photo: Photo,
    values: Single,
    corner: tuple[int, int],
    fit: FaceFit,
    motion: Motion,
    scene: Scene,
    drawn: _Drawn,
    redrawing: Redrawing,
    colour: float,
) -> NDArray[np.bool_]:
    """Give the inside of a mouth that opens the generator's colours, coarser than which the face model's drawing stays.

    Changes values [h, w, 3] of the photo's part that begins at a corner; returns where, [h, w].
    """
    changed = np.zeros(values.shape[:2], dtype=np.bool_)
    scale = fit.pose.scale
    for opening, outcome in zip(scene.openings, motion.edges, strict=True):
        if opening.place is not MOUTH or not shows_nothing(photo.pixels, opening, scene.tones, scale):
            continue
        marks = _in_photo(drawn.crop, redrawing.fits[1].landmarks, redrawing.after.shape[-1])
        frame, edges = photo_edges(MOUTH, marks, scale)
        if not edges.gap.any() or not outcome.edges.gap.any():
            continue
        grid = Grid(corner[0], corner[1], values.shape[1], values.shape[0])
        low = np.floor(outcome.outline().min(0) - 4 * drawn.pixel).astype(int)
        high = np.ceil(outcome.outline().max(0) + 4 * drawn.pixel).astype(int)
        columns = slice(max(low[0] - corner[0], 0), min(max(high[0] - corner[0], 0), grid.width))
        rows = slice(max(low[1] - corner[1], 0), min(max(high[1] - corner[1], 0), grid.height))
        part = values[rows, columns]
        if not part.size:
            continue
        near = Grid(corner[0] + columns.start, corner[1] + rows.start, part.shape[1], part.shape[0])
        within, share, depth, height = _within(outcome, near, max(1.0, drawn.pixel / 2))
        around = np.r_[0.0, shares(), 1.0]
        upper, lower = (
            np.interp(share, around, np.r_[0.0, line, 0.0])
            for line in (edges.upper + LIP_CM * scale, edges.lower - LIP_CM * scale)
        )
        squeezed = np.minimum((lower - upper).clip(0) / np.maximum(height, 1e-6), 1)
        down = upper + depth.clip(0, 1) * height * squeezed
        source = frame.origin + np.stack([share * frame.length, down], -1) @ frame.axes
        shown = drawn.at(drawn.after, source[..., 0], source[..., 1]) * _tone(photo, drawn, source)
        tall = (edges.gap.max() / drawn.pixel - RESOLVED[0]) / (RESOLVED[1] - RESOLVED[0])
        alike = np.clip(edges.gap.max() / outcome.edges.gap.max() / 0.5 - 0.6, 0, 1) * np.clip(tall, 0, 1)
        soft = (drawn.pixel, drawn.pixel, 0)
        weight = np.maximum(ndimage.gaussian_filter(within, soft[:2]), 1e-3)[..., None]
        added = ndimage.gaussian_filter((shown - part) * within[..., None], soft) / weight
        added = added.mean(-1, keepdims=True) + colour * (added - added.mean(-1, keepdims=True))
        values[rows, columns] = part + alike * within[..., None] * added
        changed[rows, columns] = within * alike > 0
    return changed


def _tone(photo: Photo, drawn: _Drawn, places: Array) -> Single:
    """[h, w, 3]: by how much the photo is brighter than the redrawn face before, far and wide."""
    size = len(drawn.before)
    own = _pixels(cut(photo, drawn.crop, size))
    ratio = np.log(own + DARKEST) - np.log(drawn.before.clip(0) + DARKEST)
    wide = ndimage.gaussian_filter(ratio, (TONE * size, TONE * size, 0))
    return np.exp(drawn.at(wide, places[..., 0], places[..., 1]))


def _colour_share(photo: Photo, redrawing: Redrawing, crop: Crop) -> float:
    """How colourful the photo is beside the redrawn face, 0 (what is added to a gray photo stays gray) to 1."""
    own = cut(photo, crop, redrawing.before.shape[-1])
    spread, drawn_spread = (float((one - one.mean(1, keepdim=True)).std()) for one in (own, redrawing.before))
    share = min(1.0, spread / max(drawn_spread, 1e-6))
    return share if share > 1e-3 else 0.0


def _shrunk(picture: Tensor, size: int) -> Single:
    if size < picture.shape[-1]:
        picture = F.interpolate(picture, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return _pixels(picture)


def _pixels(picture: Tensor) -> Single:
    return np.asarray((picture[0].permute(1, 2, 0).numpy() + 1) * 127.5, dtype=np.float32)


def _in_photo(crop: Crop, points: Array, side: int) -> Array:
    """[n, 2] photo px of points of a picture of `side` px that fills the crop."""
    matrix = crop.to_photo(side)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _box(quad: Array, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom of the part of a photo that a frame's corners enclose, None where there is none."""
    left, top = np.maximum(np.floor(quad.min(0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(quad.max(0)), (shape[1], shape[0])).astype(int)
    return (int(left), int(top), int(right), int(bottom)) if right > left and bottom > top else None
