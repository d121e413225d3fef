"""Cutting a frame out of a photo, and the affine maps between the two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ..devices import gradients_off
from ..images import Photo
from .align import Face, frame_quad

MAX_SAMPLES = 24  # per crop pixel and axis: beyond it the average is no better, only slower
SHOWN_SIDE = 1.6  # of the upright window around a face, in sides of its crop
STRIP_POINTS = 1 << 18  # photo positions handled at once, so that memory does not grow with the photo


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """Where in a photo a generator's picture of a face belongs.

    Convention: photo pixels, origin at the corner of the top-left pixel. quad [4, 2] is a square or parallelogram,
    corners top left, top right, bottom right, bottom left as the face stands; it may reach outside the photo.
    """

    quad: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    frame: str

    @property
    def side_px(self) -> float:
        """Length of the upper edge in photo pixels."""
        return float(np.linalg.norm(self.quad[1] - self.quad[0]))

    def to_photo(self, size: int) -> NDArray[np.float64]:
        """Affine matrix [2, 3] from pixels of the crop at `size` px a side to photo pixels."""
        corner, right, _, below = self.quad
        return np.stack([(right - corner) / size, (below - corner) / size, corner], axis=1)

    def from_photo(self, size: int) -> NDArray[np.float64]:
        """Affine matrix [2, 3] from photo pixels to pixels of the crop at `size` px a side."""
        forward = self.to_photo(size)
        linear = np.linalg.inv(forward[:, :2])
        return np.concatenate([linear, -linear @ forward[:, 2:]], axis=1)


def crop_of(face: Face, frame: str) -> Crop:
    """The crop of one face in a frame, "tight" or "ffhq".

    Raises: ShapeError for another frame; FaceError when eyes and mouth coincide.
    """
    return Crop(quad=frame_quad(face.landmarks, frame), landmarks=face.landmarks, frame=frame)


def whole_crop(photo: Photo, frame: str, landmarks: NDArray[np.float64] | None = None) -> Crop:
    """The crop of a picture that is a generator's frame from edge to edge; where nothing was looked for, landmarks are 0."""
    height, width = photo.pixels.shape[:2]
    quad = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    return Crop(quad=quad, landmarks=np.zeros((5, 2)) if landmarks is None else landmarks, frame=frame)


def window_around(crop: Crop, *, height: int, width: int) -> tuple[int, int, int]:
    """Left, top and side of an upright square of a photo, in whole pixels inside it, that shows a face."""
    side = max(1, min(round(SHOWN_SIDE * crop.side_px), height, width))
    middle = crop.quad.mean(axis=0)
    left, top = (
        min(max(0, round(float(at) - side / 2)), length - side)
        for at, length in zip(middle, (width, height), strict=True)
    )
    return left, top, side


def cut(photo: Photo, crop: Crop, size: int) -> torch.Tensor:
    """The crop's content at `size` px a side, [1, 3, size, size] in [-1, 1], float32 on the CPU.

    Every crop pixel is the mean of the photo over its own area; enlarged crops are bicubic. Outside the photo the
    picture is mirrored at its edges.
    """
    per_pixel = crop.side_px / size
    samples = min(MAX_SAMPLES, max(1, math.ceil(per_pixel - 1e-6)))
    rows_at_once = max(1, STRIP_POINTS // (size * samples * samples))
    strips = [
        _cut_rows(photo.pixels, crop.to_photo(size * samples), size, samples, range(top, min(size, top + rows_at_once)))
        for top in range(0, size, rows_at_once)
    ]
    with gradients_off():
        return torch.cat(strips, dim=2)


def _cut_rows(
    pixels: NDArray[np.uint8], to_photo: NDArray[np.float64], size: int, samples: int, rows: range
) -> torch.Tensor:
    """Rows of a crop, [1, 3, len(rows), size]; `to_photo` maps from a crop that is `samples` times finer."""
    fine_x = np.arange(size * samples) + 0.5
    fine_y = np.arange(rows.start * samples, rows.stop * samples) + 0.5
    x = _folded(to_photo[0, 0] * fine_x + to_photo[0, 1] * fine_y[:, None] + to_photo[0, 2], pixels.shape[1])
    y = _folded(to_photo[1, 0] * fine_x + to_photo[1, 1] * fine_y[:, None] + to_photo[1, 2], pixels.shape[0])
    x0, x1 = _span(x, pixels.shape[1])
    y0, y1 = _span(y, pixels.shape[0])
    with gradients_off():
        piece = torch.from_numpy(pixels[y0:y1, x0:x1].astype(np.float32)).permute(2, 0, 1)[None]
        grid = np.stack([2 * (x - x0) / (x1 - x0) - 1, 2 * (y - y0) / (y1 - y0) - 1], axis=-1)
        fine = F.grid_sample(
            piece,
            torch.from_numpy(grid.astype(np.float32))[None],
            mode="bicubic" if samples == 1 else "bilinear",
            padding_mode="border",
            align_corners=False,  # grid -1 and 1 are the outer edges of the outer pixels: our own convention
        )
        return (F.avg_pool2d(fine, samples) / 127.5 - 1).clamp(-1, 1)


def _folded(position: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Positions mirrored at the edges 0 and `length` until they lie inside."""
    wrapped = np.mod(position, 2 * length)
    folded: NDArray[np.float64] = np.minimum(wrapped, 2 * length - wrapped)
    return folded


def _span(position: NDArray[np.float64], length: int) -> tuple[int, int]:
    """First and past-last pixel needed around these positions, with the bicubic kernel's reach."""
    return max(0, math.floor(position.min()) - 2), min(length, math.ceil(position.max()) + 3)
