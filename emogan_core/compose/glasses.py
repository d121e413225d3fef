"""Glasses: rims stay where they are, and the face moves behind them.

A small net tells the pixels of rims around the eyes. The photo without them is what moves; they are laid over it after.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from ..devices import gradients_off
from ..face_model.fit import FaceFit
from ..faces import Crop, cut
from ..images import Photo, as_pixels
from ..networks.rims import RIM_HEIGHT, RIM_WIDTH, RimNet
from ..weights import builtin_path, read_tensors
from .sampling import finer

Array = NDArray[np.float64]
Single = NDArray[np.float32]

BUILTIN = "rims.safetensors"
FORMAT = "emogan-rims-1"
KEPT_TOLD = (
    "the glasses were left where they are and the face moves behind them; what their rims hid is made up, so look there"
)
SURE, LIKELY = 0.75, 0.25  # a rim's pixels: some of each piece are surely ones, and all with those likely beside
LEAST, LEAST_PIECE = 180, 12  # likely pixels of rims, and of a piece of them, below which there are none
BRIDGE, LEAST_BRIDGE = (slice(24, 64), slice(76, 100)), 10  # rows and columns over the nose, and pixels of rims in them
EDGE_PX, BESIDE_PX = 0.9, 1.8  # of the net's pixels: what goes with rims, and how far skin beside them tells nothing
HAIR = 0.12
"""Log brightness below the skin around by which what lies beside rims is hair, that does not go on behind them."""
GRAIN_PX, GRAIN_MOST = 1.5, 0.06  # what is finer, of those, is grain, and as faint: stronger lines are folds and hair
COARSE = 120.0  # px between the eyes at which the skin behind rims is made up
WIDE, LOW = 2.5, 0.07
"""Width of what is looked at, and how far its middle lies below that between the eyes, in eye distances."""


@dataclass(frozen=True, slots=True, eq=False)
class Rims:
    """The rims of glasses in a photo, and what is taken for the skin behind them.

    Convention: left, top are the corner of the part of the photo in which they lie; cover [h, w] is 1 on rims and 0
    beside them; hidden [h, w] likewise, with some of what is beside them; skin [h, w, 3] in 0..255 is the part without.
    """

    left: int
    top: int
    cover: Single
    hidden: Single
    skin: Single

    def taken_off(self, photo: Photo) -> Photo:
        """The photo without rims."""
        pixels = photo.pixels.copy()
        height, width = self.cover.shape
        part = pixels[self.top : self.top + height, self.left : self.left + width]
        where = self.hidden > 0
        mixed = part[where] + self.hidden[where][:, None] * (self.skin[where] - part[where])
        part[where] = as_pixels(mixed, pixels.dtype)
        return Photo(pixels)

    def lie_on(self, mask: Single) -> bool:
        """Whether the face moves behind them or right beside them, where a mask [h, w] says where the photo changed."""
        rows, columns = self.hidden.shape
        part = mask[self.top : self.top + rows, self.left : self.left + columns]
        return bool((part[self.hidden > 0] > 0).any())

    def within(self, left: int, top: int, height: int, width: int, *, of: Single | None = None) -> Single:
        """[h, w]: their cover, or another plane of theirs, in a box of the photo."""
        plane = self.cover if of is None else of
        result = np.zeros((height, width), dtype=np.float32)
        rows, columns = self.cover.shape
        first_row, last_row = max(top, self.top), min(top + height, self.top + rows)
        first, last = max(left, self.left), min(left + width, self.left + columns)
        if last_row > first_row and last > first:
            own = plane[first_row - self.top : last_row - self.top, first - self.left : last - self.left]
            result[first_row - top : last_row - top, first - left : last - left] = own
        return result


def rims_of(photo: Photo, fit: FaceFit) -> Rims | None:
    """The rims of a face's glasses; None where it wears none that are seen."""
    picture = eyes_picture(photo, fit.landmarks)
    with gradients_off():
        share = torch.sigmoid(_net()(standardised(picture[None])))[0].double().numpy()
    away = away_from_rims(share)
    if away is None:
        return None
    apart = float(np.linalg.norm(fit.landmarks[473] - fit.landmarks[468]))
    quad = eyes_quad(fit.landmarks)
    height, width = photo.pixels.shape[:2]
    left, top = np.clip(np.floor(quad.min(0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(quad.max(0)), 0, (width, height)).astype(int)
    if right - left < 2 or bottom - top < 2:
        return None
    inward = Crop(quad=quad, landmarks=np.zeros((5, 2)), frame="tight").from_photo(RIM_WIDTH)
    rows, columns = np.mgrid[top:bottom, left:right] + 0.5
    x = columns * inward[0, 0] + rows * inward[0, 1] + inward[0, 2] - 0.5
    y = columns * inward[1, 0] + rows * inward[1, 1] + inward[1, 2] - 0.5 - (RIM_WIDTH - RIM_HEIGHT) // 2
    far = ndimage.map_coordinates(away, (y, x), order=1, mode="constant", cval=RIM_WIDTH).astype(np.float32)
    cover, hidden = (np.clip(1 + px - far, 0, 1) for px in (EDGE_PX, BESIDE_PX))
    own = photo.pixels[top:bottom, left:right].astype(np.float32)
    return Rims(int(left), int(top), cover, hidden, _behind(own, hidden, max(1, round(apart / COARSE))))


def away_from_rims(share: Array) -> Array | None:
    """How far each pixel is from what is taken for rims, [h, w] px, where each [h, w] is one with a probability; None for
    no rims."""
    pieces, count = ndimage.label(share > LIKELY, structure=np.ones((3, 3)))
    if not count:
        return None
    numbers = np.arange(1, count + 1)
    sure, size = ndimage.maximum(share, pieces, numbers) > SURE, ndimage.sum_labels(pieces > 0, pieces, numbers)
    kept = np.isin(pieces, numbers[sure & (size >= LEAST_PIECE)])
    if kept.sum() < LEAST or kept[BRIDGE].sum() < LEAST_BRIDGE:
        return None
    return np.asarray(ndimage.gaussian_filter(ndimage.distance_transform_edt(~kept), 0.6))


def _behind(own: Single, hidden: Single, step: int) -> Single:
    """A part of a photo [h, w, 3] with the skin beside its hidden pixels continued behind them."""
    height, width = hidden.shape
    padded = np.pad(own, ((0, -height % step), (0, -width % step), (0, 0)), mode="edge")
    bare = np.pad((hidden <= 0).astype(np.float32), ((0, -height % step), (0, -width % step)))[..., None]
    cells = (padded.shape[0] // step, step, padded.shape[1] // step, step, -1)
    weight = bare.reshape(cells).mean((1, 3))
    colours = (padded * bare).reshape(cells).mean((1, 3))
    bright = np.log(colours.mean(-1, keepdims=True) / np.maximum(weight, 1e-3) + 8)
    around = ndimage.gaussian_filter(bright * weight, (10, 10, 0)) / (
        ndimage.gaussian_filter(weight, (10, 10, 0)) + 1e-3
    )
    skin = np.exp(-np.square(np.maximum(around - bright, 0) / HAIR)) + 0.01
    weight, colours = weight * skin, colours * skin
    filled, missing = np.zeros_like(colours), np.ones(weight.shape[:2])
    for sigma in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0):
        mass = ndimage.gaussian_filter(weight, (sigma, sigma, 0))
        mean = ndimage.gaussian_filter(colours, (sigma, sigma, 0)) / np.maximum(mass, 1e-4)
        share = missing * np.clip(mass[..., 0] / 0.15 - 0.5, 0, 1)
        filled += share[..., None] * mean
        missing -= share
    filled += missing[..., None] * mean
    return _grained(finer(filled, step)[:height, :width], own, hidden, step)


def _grained(skin: Single, own: Single, hidden: Single, step: int) -> Single:
    """Made-up skin [h, w, 3] with the grain of what is seen beside it, mirrored: smooth it would show as a band."""
    seen = ndimage.minimum_filter((hidden <= 0).astype(np.float32), 2 * step + 1) > 0
    if not seen.any():
        return skin
    bright = np.log(own.mean(-1) + 8)
    mass = ndimage.gaussian_filter(seen.astype(np.float32), GRAIN_PX * step) + 1e-3
    fine = bright - ndimage.gaussian_filter(bright * seen, GRAIN_PX * step) / mass
    fine = seen * fine / (1 + (fine / GRAIN_MOST) ** 2)
    nearest = ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
    rows, columns = (2 * nearest - np.indices(seen.shape)).reshape(2, -1)
    mirrored = fine[rows.clip(0, len(seen) - 1), columns.clip(0, seen.shape[1] - 1)].reshape(seen.shape)
    return np.asarray(skin * np.exp(mirrored)[..., None], dtype=np.float32)


@cache
def _net() -> RimNet:
    tensors, _ = read_tensors(builtin_path(BUILTIN))
    net = RimNet()
    net.load_state_dict(net.state_dict() | {name: tensor.float() for name, tensor in tensors.items()})
    return net.eval()


def eyes_quad(landmarks: Array) -> Array:
    """Corners [4, 2] of the square around the eyes of landmarks [478, 2] whose middle rows the net looks at."""
    left, right = landmarks[468], landmarks[473]
    across = right - left
    down = np.array([-across[1], across[0]])
    middle = (left + right) / 2 + LOW * down
    x, y = across * WIDE / 2, down * WIDE / 2
    return np.stack([middle - x - y, middle + x - y, middle + x + y, middle - x + y])


def eyes_picture(photo: Photo, landmarks: Array) -> Array:
    """What the net looks at, [RIM_HEIGHT, RIM_WIDTH, 3] in 0..255."""
    crop = Crop(quad=eyes_quad(landmarks), landmarks=np.zeros((5, 2)), frame="tight")
    square = cut(photo, crop, RIM_WIDTH)[0].permute(1, 2, 0).double().numpy()
    skipped = (RIM_WIDTH - RIM_HEIGHT) // 2
    return np.asarray((square[skipped : skipped + RIM_HEIGHT] + 1) * 127.5)


def standardised(pictures: Array) -> torch.Tensor:
    """[n, 3, h, w] for the net, of pictures [n, h, w, 3]: each of mean 0 and standard deviation 1."""
    middle, spread = pictures.mean((1, 2, 3), keepdims=True), pictures.std((1, 2, 3), keepdims=True)
    return torch.from_numpy((pictures - middle) / np.maximum(spread, 1.0)).float().permute(0, 3, 1, 2)
