"""Blending the generator's picture into the photo, strip by strip."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..faces import Crop
from ..images import as_pixels

STRIP_PIXELS = 1 << 20  # photo pixels handled at once, so that memory does not grow with the photo


def blended(
    pixels: NDArray[np.uint8], crop: Crop, content: Tensor, mask: Tensor
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The photo's pixels with a picture blended in, and its mask on the photo.

    Convention: content [1, 3, s, s] of a range of 2 and mask [1, 1, s, s] in 0..1, 0 on the outermost pixels, on the
    crop's grid, on the CPU. Returns uint8 [h, w, 3] and float32 [h, w]; pixels whose mask is 0 are copied.
    """
    height, width = pixels.shape[:2]
    result = pixels.copy()
    whole = np.zeros((height, width), dtype=np.float32)
    for rows, columns in _strips(crop, height, width):
        shares = _places(crop, rows, columns)  # [1, h, w, 2]
        strength = _inside(mask, shares, mode="bilinear")[0, 0]  # [h, w]
        strength[~((shares[0] > 0) & (shares[0] < 1)).all(-1)] = 0
        values = torch.from_numpy(pixels[rows, columns].astype(np.float32))
        drawn = 127.5 * (_inside(content, shares, mode="bicubic")[0].permute(1, 2, 0) + 1)
        values = values + strength[..., None] * (drawn - values)
        touched = (strength > 0).numpy()
        part = result[rows, columns]
        part[touched] = as_pixels(values.numpy()[touched], part.dtype)
        whole[rows, columns] = strength.numpy()
    return result, whole


def _inside(planes: Tensor, shares: Tensor, *, mode: str) -> Tensor:
    """[1, c, h, w]: planes on the crop's grid, read at places given as shares of its sides."""
    grid = (2 * shares - 1).to(planes.dtype)
    return F.grid_sample(planes, grid, mode=mode, padding_mode="border", align_corners=False)


def _places(crop: Crop, rows: slice, columns: slice) -> Tensor:
    """[1, h, w, 2] float64: pixel centres of a photo region as shares (x, y) of the crop's sides."""
    matrix = torch.from_numpy(crop.from_photo(1))
    ys = torch.arange(rows.start, rows.stop, dtype=torch.float64).view(-1, 1) + 0.5
    xs = torch.arange(columns.start, columns.stop, dtype=torch.float64).view(1, -1) + 0.5
    places = [matrix[axis, 0] * xs + matrix[axis, 1] * ys + matrix[axis, 2] for axis in (0, 1)]
    return torch.stack(places, dim=-1).unsqueeze(0)


def _strips(crop: Crop, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """The part of the photo that the crop's bounding box covers, in bands of rows."""
    left, top = np.floor(crop.quad.min(0)).astype(int)
    right, bottom = np.ceil(crop.quad.max(0)).astype(int)
    left, right, top, bottom = max(0, left), min(width, right), max(0, top), min(height, bottom)
    band = max(1, math.floor(STRIP_PIXELS / max(1, right - left)))
    for start in range(top, bottom, band):
        yield slice(start, min(bottom, start + band)), slice(left, right)


def blurred(planes: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [n, c, h, w]; beyond the edge the edge goes on."""
    channels, reach = planes.shape[1], int(3 * sigma + 0.5)
    if reach == 0:
        return planes
    offsets = torch.arange(-reach, reach + 1, device=planes.device, dtype=planes.dtype)
    kernel = torch.exp(-offsets.square() / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).expand(channels, 1, 1, -1)  # [c, 1, 1, 2 reach + 1]
    rows = F.conv2d(F.pad(planes, (reach, reach, 0, 0), mode="replicate"), kernel, groups=channels)
    padded = F.pad(rows, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(padded, kernel.transpose(2, 3), groups=channels)
