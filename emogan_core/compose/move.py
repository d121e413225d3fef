"""A face in a photo moved by the face model: from the coefficients of its fit to others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from ..face_model.model import FaceModel
from ..images import Photo, as_pixels
from .eyes import iris_shift, lid_share
from .motion import FADE_CM, STILL_PX, Patch, coarse_field, opening_patch, without_stillness
from .mouth import inside, lips_contact, with_photo
from .openings import MOUTH, Fitted, Moved, aligned, sides
from .scene import FINE, Scene, placed, relief_after, remembered_scene
from .shading import folds

Array = NDArray[np.float64]
Single = NDArray[np.float32]

STEP, DRAFT_STEP = 2, 4  # photo px between the places at which the skin's motion is found, but at lids and lips
MOUTH_MARGIN_CM = 0.35
LIPS_MOVED_CM = 0.1  # lips that moved this far show what they hid
UNSHADED = 1e-3  # log ratio of brightness below which nothing is shaded


@dataclass(slots=True, eq=False)
class _Canvas:
    """What an edit makes of a part of the photo: the box's left and top, its own pixels, the new ones and the mask."""

    left: int
    top: int
    own: Single
    colours: Single
    mask: Single

    def at(self, grid: Grid) -> tuple[slice, slice]:
        row, column = int(grid.top) - self.top, int(grid.left) - self.left
        return slice(row, row + grid.height), slice(column, column + grid.width)

    def lay_splits(self, pixels: NDArray[np.uint8], patch: Patch) -> None:
        """Give pixels that several layers of skin share the mean of what each shows there."""
        if not len(patch.split):
            return
        rows, columns = patch.split.T + np.array([[int(patch.grid.top)], [int(patch.grid.left)]])
        count = patch.splits.shape[1]
        values = _bicubic(pixels, np.repeat(columns, count), np.repeat(rows, count), patch.splits.reshape(-1, 2))
        self.colours[rows - self.top, columns - self.left] = values.reshape(-1, count, 3).mean(1)

    def lay(self, grid: Grid, behind: Single, front: Single) -> None:
        """Put `behind` [h, w, 3] where skin does not cover it: front [h, w] is the skin's share."""
        at = self.at(grid)
        mixed = behind + front[..., None] * (self.colours[at] - behind)
        changed = np.abs(mixed - self.own[at]).max(-1) > 0.25
        opened = front < 1
        self.colours[at] = np.where(opened[..., None], mixed, self.colours[at])
        self.mask[at] = np.where(opened, np.maximum(self.mask[at] * front, (1 - front) * changed), self.mask[at])


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
    _, moved, edges = aligned(model, fit, known.raw, placed(model, fit, known.base, after), known.openings)
    change = folds(model, known.relief, relief_after(model, fit, known, after), known.light)
    if shading is not None:
        change = change + shading
    length = np.hypot(moved[:, 0] - known.vertices[:, 0], moved[:, 1] - known.vertices[:, 1])
    change = change + known.lips * np.clip(length / (LIPS_MOVED_CM * fit.pose.scale), 0, 1)
    box = _box(known, moved, change, fit.pose.scale, width, height)
    result = photo.pixels.copy()
    if box is None:
        return result, mask
    left, top, right, bottom = box
    canvas = _drawn(photo, model, fit, known, moved, edges, change, after, box, draft)
    touched = canvas.mask > 0
    part = result[top:bottom, left:right]
    part[touched] = as_pixels(canvas.colours[touched], part.dtype)
    mask[top:bottom, left:right] = canvas.mask
    return result, mask


def _drawn(
    photo: Photo,
    model: FaceModel,
    fit: FaceFit,
    scene: Scene,
    moved: Array,
    edges: tuple[Moved, ...],
    change: Array,
    after: Array,
    box: tuple[int, int, int, int],
    draft: bool,
) -> _Canvas:
    """The box of the photo after an edit: skin, then what opens in it."""
    scale, skin = fit.pose.scale, model.triangles[model.triangle_part <= 1]
    left, top, right, bottom = box
    step, fine = (DRAFT_STEP, 1) if draft else (STEP, FINE)
    rough = Grid(left, top, -(-(right - left) // step), -(-(bottom - top) // step), step)
    field = coarse_field(model, moved, scene.sources.places, change, skin, rough, scale)
    full = _finer(field, step)[: bottom - top, : right - left]
    own = photo.pixels[top:bottom, left:right].astype(np.float32)
    canvas = _Canvas(left, top, own, own, own[..., 0])
    patches = []
    for opening, outcome in zip(scene.openings, edges, strict=True):
        grid = _grid(scene, opening, outcome, scale, box)
        if grid is None or _still(model, opening, scene.vertices, moved, fit.coefficients - after):
            continue
        patch = opening_patch(moved, scene.sources.places, skin, grid, fine)
        full[(*canvas.at(grid), slice(0, 2))] = without_stillness(patch.field)
        patches.append((opening, outcome, patch))
    canvas.colours = _sampled(photo.pixels, full[..., :2], left, top, "bilinear" if draft else "bicubic")
    for _, _, patch in patches:
        canvas.lay_splits(photo.pixels, patch)
    canvas.colours *= np.exp(full[..., 2:])
    canvas.mask = _mask(full)
    for opening, outcome, patch in patches:
        at = canvas.at(patch.grid)
        if opening.place is MOUTH:
            canvas.colours[at] *= lips_contact(patch.grid, opening, outcome, scale)[..., None]
            shut = not opening.photo.gap.any()
            behind = inside(model, moved, patch, scene.tones, scale, fine, upper=shut)
            behind = with_photo(behind, own[at], patch.grid, opening, outcome, scale)
            canvas.lay(patch.grid, behind, ndimage.gaussian_filter(patch.skin, 0.55))
        else:
            eye = scene.eyes[opening.place.name].part(patch.grid)
            shift = iris_shift(model, fit, after, opening.place)
            canvas.lay(patch.grid, eye.behind(patch.skin, shift, scale), lid_share(patch.skin, scale))
    return canvas


def _still(model: FaceModel, opening: Fitted, before: Array, moved: Array, change: Array) -> bool:
    """Whether an edit leaves an opening as it is: the skin around it, and the gaze."""
    near = np.unique(sides(model, opening.place)[1])
    looks = [index for index, name in enumerate(model.names) if name.startswith("eyeLook")]
    gaze = opening.place is not MOUTH and bool(np.any(change[looks]))
    return not gaze and float(np.abs(moved[near, :2] - before[near, :2]).max()) < STILL_PX


def _mask(full: Single) -> Single:
    """[h, w]: how much of each pixel is new: 1 where it moved by half a pixel or more, or is shaded by a hundredth."""
    length = np.sqrt(full[..., 0] ** 2 + full[..., 1] ** 2)
    shade = np.abs(full[..., 2])
    mask = np.minimum(np.maximum(2 * length, 100 * shade), 1)
    mask[(length == 0) & (shade < UNSHADED)] = 0
    return np.asarray(mask, dtype=np.float32)


def _finer(planes: Single, step: int) -> Single:
    """[h step, w step, c]: planes [h, w, c] between their cells' centres, bilinear."""
    tensor = torch.from_numpy(np.ascontiguousarray(planes)).permute(2, 0, 1)[None]
    whole = F.interpolate(tensor, scale_factor=step, mode="bilinear", align_corners=False)
    return np.asarray(whole[0].permute(1, 2, 0).contiguous().numpy())


def _sampled(pixels: NDArray[np.uint8], field: Single, left: int, top: int, mode: str) -> Single:
    """[h, w, 3] in 0..255: the photo at each pixel of a box plus the field there."""
    height, width = field.shape[:2]
    result = pixels[top : top + height, left : left + width].astype(np.float32)
    rows, columns = np.nonzero((field[..., 0] != 0) | (field[..., 1] != 0))
    if len(rows):
        result[rows, columns] = _bicubic(pixels, columns + left, rows + top, field[rows, columns], mode)
    return result


def _bicubic(
    pixels: NDArray[np.uint8],
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    moves: Single,
    mode: str = "bicubic",
) -> Single:
    """[n, 3] in 0..255: the photo at pixels plus moves [n, 2]."""
    x, y = columns + np.float32(0.5) + moves[:, 0], rows + np.float32(0.5) + moves[:, 1]
    x0, y0 = max(0, int(x.min()) - 4), max(0, int(y.min()) - 4)
    x1, y1 = min(pixels.shape[1], int(x.max()) + 5), min(pixels.shape[0], int(y.max()) + 5)
    x0, y0 = min(x0, pixels.shape[1] - 1), min(y0, pixels.shape[0] - 1)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    piece = torch.from_numpy(pixels[y0:y1, x0:x1].astype(np.float32)).permute(2, 0, 1)[None]
    places = np.stack([(x - x0) * (2 / (x1 - x0)) - 1, (y - y0) * (2 / (y1 - y0)) - 1], axis=-1)
    grid = torch.from_numpy(places.astype(np.float32))[None, None]
    values = F.grid_sample(piece, grid, mode=mode, padding_mode="border", align_corners=False)
    return np.asarray(values[0, :, 0].T.numpy())


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
    if opening.place is MOUTH:
        points = np.concatenate([opening.outline(opening.photo), outcome.outline()])
        margin = MOUTH_MARGIN_CM * scale
        low, high = np.floor(points.min(0) - margin), np.ceil(points.max(0) + margin)
    elif opening.place.name in scene.eyes:
        eye = scene.eyes[opening.place.name].grid
        low = np.array([eye.left, eye.top])
        high = np.array([eye.left + eye.width, eye.top + eye.height])
    else:
        return None
    left, top = np.maximum(low, box[:2]).astype(int)
    right, bottom = np.minimum(high, box[2:]).astype(int)
    if right - left < 4 or bottom - top < 4:
        return None
    return Grid(float(left), float(top), int(right - left), int(bottom - top))
