"""Reading a photo between its pixels."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

Single = NDArray[np.float32]

STRETCH = 2  # times as large as it is, at most, skin at the photo's border is drawn where it moves away from it


def finer(planes: Single, step: int) -> Single:
    """[h step, w step, c]: planes [h, w, c] between their cells' centres, bilinear."""
    tensor = torch.from_numpy(np.ascontiguousarray(planes)).permute(2, 0, 1)[None]
    whole = F.interpolate(tensor, scale_factor=step, mode="bilinear", align_corners=False)
    return np.asarray(whole[0].permute(1, 2, 0).contiguous().numpy())


def in_cells(planes: Single, step: int) -> Single:
    """[h', w', c]: planes [h, w, c] averaged over cells of `step` px; borders go on beyond them."""
    if step == 1:
        return planes
    height, width = planes.shape[:2]
    whole = np.pad(planes, ((0, -height % step), (0, -width % step), (0, 0)), mode="edge")
    return np.asarray(whole.reshape(-(-height // step), step, -(-width // step), step, -1).mean((1, 3)))


def keep_inside(field: Single, left: int, top: int, width: int, height: int) -> None:
    """Limit the motions [h, w, 2] of a box, in place, so that none takes pixels from beyond a photo of width x height.

    Skin that moves away from the photo's border is stretched there; the border's pixels repeated would be streaks.
    """
    for axis, (start, size) in enumerate(((left, width), (top, height))):
        shape = (1, -1) if axis == 0 else (-1, 1)
        places = (start + 0.5 + np.arange(field.shape[1 - axis], dtype=np.float32)).reshape(shape)
        np.clip(field[..., axis], -places / STRETCH, (size - places) / STRETCH, out=field[..., axis])


def sampled(pixels: NDArray[np.uint8], field: Single, left: int, top: int, mode: str) -> Single:
    """[h, w, 3] in 0..255: the photo at each pixel of a box plus the field there."""
    height, width = field.shape[:2]
    result = pixels[top : top + height, left : left + width].astype(np.float32)
    rows, columns = np.nonzero((field[..., 0] != 0) | (field[..., 1] != 0))
    if len(rows):
        result[rows, columns] = read_at(pixels, columns + left, rows + top, field[rows, columns], mode)
    return result


def read_at(
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
