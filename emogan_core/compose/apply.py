"""Carrying a change on a crop's grid out on the photo's own pixels, strip by strip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..errors import EmoganError
from ..faces import Crop
from .mouth import Opening, between, parting

STRIP_PIXELS = 1 << 20  # photo pixels handled at once, so that memory does not grow with the photo
REACH = 3  # photo pixels that bicubic sampling may touch beyond a position


@dataclass(frozen=True, slots=True)
class Change:
    """What to do inside a crop; every part is [1, c, s, s] on the crop's grid, on the CPU.

    Convention: `mask` in 0..1, 0 on the outermost pixels; `flow` backwards, in shares of the crop's side; `added` and
    `content` of a range of 2. Pixels become photo(p + flow) + added, with the opening between the lips drawn over
    them, or, where there is content, the mask's blend of photo and content.
    """

    mask: Tensor
    flow: Tensor | None = None
    added: Tensor | None = None
    opening: Opening | None = None
    content: Tensor | None = None


def changed_pixels(
    pixels: NDArray[np.uint8], crop: Crop, change: Change
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The photo's pixels after a change, and its mask on the photo.

    Convention: uint8 [h, w, 3] and float32 [h, w]; pixels whose mask is 0 are copied.
    Raises: EmoganError when the crop does not touch the photo.
    """
    height, width = pixels.shape[:2]
    result = pixels.copy()
    mask = np.zeros((height, width), dtype=np.float32)
    for rows, columns in _strips(crop, height, width):
        shares = _places(crop, rows, columns)  # [1, h, w, 2]
        strength = _inside(change.mask, shares, mode="bilinear")[0, 0]  # [h, w]
        strength[~((shares[0] > 0) & (shares[0] < 1)).all(-1)] = 0
        values = _new_values(pixels, crop, change, shares, strength, rows, columns)
        touched = (strength > 0).numpy()
        part = result[rows, columns]
        part[touched] = values[touched]
        mask[rows, columns] = strength.numpy()
    return result, mask


def _new_values(
    pixels: NDArray[np.uint8],
    crop: Crop,
    change: Change,
    shares: Tensor,
    strength: Tensor,
    rows: slice,
    columns: slice,
) -> NDArray[np.uint8]:
    """uint8 [h, w, 3]: what stands in this strip after the change, whether its mask says so or not."""
    if change.content is not None:
        values = torch.from_numpy(pixels[rows, columns].astype(np.float32))
        content = 127.5 * (_inside(change.content, shares, mode="bicubic")[0].permute(1, 2, 0) + 1)
        values = values + strength[..., None] * (content - values)
    else:
        values = _moved_values(pixels, crop, change, shares, rows, columns)
    return values.round().clamp(0, 255).to(torch.uint8).numpy()


def _moved_values(
    pixels: NDArray[np.uint8], crop: Crop, change: Change, shares: Tensor, rows: slice, columns: slice
) -> Tensor:
    """float32 [h, w, 3] in 0..255: the photo moved, shaded, and its lips parted."""
    shift = torch.zeros(2, *shares.shape[1:3], dtype=torch.float64)
    if change.flow is not None:
        shift = _inside(change.flow, shares, mode="bicubic")[0].double()  # [2, h, w]
    opening = change.opening
    if opening is not None:
        fields = torch.cat([opening.below, opening.gap, opening.along], dim=1)
        below, gap, along = _inside(fields, shares, mode="bicubic")[0]
        gap = gap.clamp_min(0)
        shift[1] += parting(below, gap, opening.reach)
    matrix = crop.to_photo(1)
    ys = torch.arange(rows.start, rows.stop, dtype=torch.float64).view(-1, 1) + 0.5
    xs = torch.arange(columns.start, columns.stop, dtype=torch.float64).view(1, -1) + 0.5
    values = _sampled(
        pixels,
        xs + float(matrix[0, 0]) * shift[0] + float(matrix[0, 1]) * shift[1],
        ys + float(matrix[1, 0]) * shift[0] + float(matrix[1, 1]) * shift[1],
    )
    if change.added is not None:
        values = values + 127.5 * _inside(change.added, shares, mode="bicubic")[0].permute(1, 2, 0)
    if opening is not None:
        edge = max(opening.edge, 1.5 / crop.side_px)  # no sharper than the photo's pixels allow
        opacity, filling = between(below, gap, along, opening.colour, edge)
        values = values + opacity[..., None] * (127.5 * (filling + 1) - values)
    return values


def _sampled(pixels: NDArray[np.uint8], x: Tensor, y: Tensor) -> Tensor:
    """float32 [h, w, 3] in 0..255: the photo at positions, bicubic; beyond its edge the edge goes on."""
    height, width = pixels.shape[:2]
    x, y = x.clamp(0, width), y.clamp(0, height)
    x0, x1 = max(0, int(x.min()) - REACH), min(width, int(x.max()) + REACH + 1)
    y0, y1 = max(0, int(y.min()) - REACH), min(height, int(y.max()) + REACH + 1)
    piece = torch.from_numpy(pixels[y0:y1, x0:x1].astype(np.float32)).permute(2, 0, 1).unsqueeze(0)
    grid = torch.stack([2 * (x - x0) / (x1 - x0) - 1, 2 * (y - y0) / (y1 - y0) - 1], dim=-1).float().unsqueeze(0)
    sampled = F.grid_sample(piece, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return sampled[0].permute(1, 2, 0)


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
    if left >= right or top >= bottom:
        raise EmoganError(
            f"the face lies outside of this photo of {width} x {height} pixels; give the photo it was found in"
        )
    band = max(1, math.floor(STRIP_PIXELS / (right - left)))
    for start in range(top, bottom, band):
        yield slice(start, min(bottom, start + band)), slice(left, right)
