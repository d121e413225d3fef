"""Between the host's IMAGE and the core's photos and tensors.

Convention: an IMAGE is [n, h, w, 3 or 4], 0..1, float32 or, on some hosts, float16; it is never written into.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import overload

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..emogan_core import (
    MAX_PIXELS,
    Composite,
    Crop,
    Photo,
    PhotoError,
    ShapeError,
    counted,
    photo_from_tensor,
    window_around,
)

MAX_PREVIEWED = 4
MAX_PREVIEW_PX = 512


class Photos(Sequence[Photo]):
    """The pictures of an IMAGE, each made when it is asked for, so that a clip is not held a second time.

    The last one is kept: whoever asks for it again and again gets the very same.
    """

    def __init__(self, image: Tensor) -> None:
        self._image = image
        self._last: tuple[int, Photo] | None = None

    def __len__(self) -> int:
        return len(self._image)

    @overload
    def __getitem__(self, index: int) -> Photo: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Photo]: ...
    def __getitem__(self, index: int | slice) -> Photo | Sequence[Photo]:
        if isinstance(index, slice):
            return Photos(self._image[index])
        row = range(len(self))[index]
        if self._last is None or self._last[0] != row:
            plane = self._image[row, ..., :3].detach().float().cpu().permute(2, 0, 1)  # [3, h, w]
            self._last = (row, photo_from_tensor(2 * plane - 1))
        return self._last[1]


def photos_of(image: Tensor) -> Photos:
    """Every picture of an IMAGE, rounded to 8 bits; alpha stays behind.

    Raises: ShapeError; PhotoError beyond the pixels that a photo from a file may have.
    """
    if image.ndim != 4 or image.shape[0] == 0 or image.shape[-1] not in (3, 4):
        raise ShapeError(f"an image came with shape {tuple(image.shape)}; connect an IMAGE [n, h, w, 3 or 4]")
    height, width = int(image.shape[1]), int(image.shape[2])
    if height * width > MAX_PIXELS:
        raise PhotoError(
            f"an image of {width} x {height} px came, {height * width / 1e6:.0f} megapixels; up to "
            f"{MAX_PIXELS // 1_000_000} are edited, make it smaller first"
        )
    return Photos(image)


def image_of(pictures: Tensor) -> Tensor:
    """An IMAGE of pictures [n, 3, h, w] in about [-1, 1]; values beyond are clipped."""
    return pictures.detach().float().cpu().permute(0, 2, 3, 1).add(1).div(2).clamp(0, 1).contiguous()


def image_of_photo(photo: Photo) -> Tensor:
    """An IMAGE of one photo, the numbers that the host's own Load Image gives."""
    return torch.tensor(photo.pixels).float().div(255).unsqueeze(0)


def enlarged(pictures: Tensor, side: int) -> Tensor:
    """Square pictures [n, 3, r, r] at another size, [n, 3, side, side]."""
    return F.interpolate(pictures, size=(side, side), mode="bicubic", align_corners=False, antialias=True)


def with_edit(original: Tensor, composite: Composite) -> Tensor:
    """One picture of an IMAGE [h, w, 3 or 4] with an edit in it.

    Where the edit's mask is 0, and in alpha everywhere, the numbers are the original's own, bit for bit.
    """
    changed = torch.from_numpy(composite.mask > 0).unsqueeze(-1).to(original.device)  # [h, w, 1]
    pixels = torch.from_numpy(composite.photo.pixels).to(original.device).float().div(255).to(original.dtype)
    edited = original.clone()
    edited[..., :3] = torch.where(changed, pixels, original[..., :3])
    return edited


def masks_of(mask: Tensor | None, *, count: int, size: Sequence[int]) -> list[Tensor | None]:
    """One mask [h, w] for each of `count` pictures, or None; a mask may come without a batch, and one may serve for all.

    Raises: ShapeError for another number or size.
    """
    if mask is None:
        return [None] * count
    planes = (mask if mask.ndim == 3 else mask.unsqueeze(0)).detach().float().cpu()
    if planes.ndim != 3 or len(planes) not in (1, count) or tuple(planes.shape[1:]) != tuple(size):
        raise ShapeError(
            f"a mask of shape {tuple(mask.shape)} came for {counted(count, 'picture')} of {size[1]} x {size[0]} px; connect one of "
            "these pictures"
        )
    return list(planes.expand(count, -1, -1))


def mark_of(photo: Photo, crop: Crop) -> str:
    """A text that tells the part of a photo around a face from every other one; what lies elsewhere may change."""
    height, width = photo.pixels.shape[:2]
    low = np.clip(np.floor(crop.quad.min(0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(crop.quad.max(0)), 0, (width, height)).astype(int)
    part = np.ascontiguousarray(photo.pixels[low[1] : high[1], low[0] : high[0]])
    return sha256(f"{part.shape} {low}".encode() + part.tobytes()).hexdigest()


def around_faces(pictures: Sequence[Tensor], crops: Sequence[Crop]) -> Tensor:
    """A preview of pictures [h, w, c]: the part of each around its face, all of one size, no larger than needed."""
    height, width = int(pictures[0].shape[0]), int(pictures[0].shape[1])
    windows = [window_around(crop, height=height, width=width) for crop in crops]
    size = min(MAX_PREVIEW_PX, max(side for _, _, side in windows))
    parts = []
    for picture, (left, top, side) in zip(pictures, windows, strict=True):
        part = picture[top : top + side, left : left + side].float().permute(2, 0, 1).unsqueeze(0)
        parts.append(enlarged(part, size).clamp(0, 1).squeeze(0).permute(1, 2, 0))
    return torch.stack(parts)


def side_by_side(left: Tensor, right: Tensor, *, side: int = 256) -> Image.Image:
    """A small picture for the progress bar: rows of left | right, from two [n, 3, r, r] in [-1, 1]."""
    rows = torch.cat([left[:MAX_PREVIEWED].float().cpu(), right[:MAX_PREVIEWED].float().cpu()], dim=3)
    rows = F.interpolate(rows, size=(side, 2 * side), mode="bilinear", align_corners=False)
    stacked = torch.cat(list(rows), dim=1).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(stacked.permute(1, 2, 0).numpy()))
