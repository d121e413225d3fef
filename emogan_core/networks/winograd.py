"""3x3 convolution with a quarter of the multiplications: tiles of 4x4 outputs become 36 matrix products.

Faster on a CPU where channels are many: the cost of transforming tiles grows linearly with their number only.
Source: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks"; the matrices come from Toom and Cook's
interpolation at 0, +-2/3, +-3/2 and infinity, which left less than half the error of the usual 0, +-1, +-2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import torch
from torch import Tensor

TILE = 4
WINDOW = TILE + 2
POINTS = (0.0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)
LEAST_CHANNELS = 128  # 0.5 of the plain time at 256 and 512, 0.6 at 128, 0.9 at 64
LEAST_PIXELS = 1024  # 0.6 of the plain time at 32 x 32, 1.2 at 16 x 16
OUTPUTS_AT_ONCE = 128
PIXELS_AT_ONCE = 1024  # with kernels transformed before; four times as many where they are transformed at each call


def suits(kernel: Tensor) -> bool:
    """Whether a kernel [outputs, inputs, 3, 3] has channels enough, and is float32 on the CPU."""
    many = min(kernel.shape[:2]) >= LEAST_CHANNELS
    return many and kernel.dtype == torch.float32 and kernel.device.type == "cpu"


def pays(kernel: Tensor, out: Tensor) -> bool:
    """Whether to draw `out` [n, outputs, h, w] by tiles: it is large enough, and its sides are multiples of a tile."""
    count, _, height, width = out.shape
    whole = height % TILE == 0 and width % TILE == 0
    return suits(kernel) and whole and count * height * width >= LEAST_PIXELS


@lru_cache(maxsize=1)
def transforms() -> tuple[Tensor, Tensor, Tensor]:
    """Matrices that transform a kernel [36, 9], a window of inputs [36, 36], and back to a tile of outputs [16, 36]."""
    with torch.inference_mode(False):
        points = torch.tensor(POINTS, dtype=torch.float64)

        def values(terms: int) -> Tensor:
            """The matrix from a polynomial's coefficients to its values; at infinity that is the leading coefficient."""
            powers = torch.stack([points**term for term in range(terms)], dim=1)
            return torch.cat([powers, torch.eye(terms, dtype=torch.float64)[-1:]])

        window = torch.linalg.inv(values(WINDOW)).T
        size = window.abs().amax(dim=1, keepdim=True)  # moved to the kernels, so that inputs keep their magnitude
        one_axis = (values(3) * size, window / size, values(TILE).T)
        kernel, inputs, outputs = (torch.kron(part, part).float() for part in one_axis)
    return kernel, inputs, outputs


def kernels(weight: Tensor) -> Iterator[Tensor]:
    """A kernel [outputs, inputs, 3, 3], transformed in parts [36, up to 128 outputs, inputs]."""
    for part in torch.split(weight, OUTPUTS_AT_ONCE):
        flat = part.reshape(-1, 9)
        yield (transforms()[0] @ flat.T).view(-1, len(part), weight.shape[1])


def convolve(
    x: Tensor, weight: Tensor, *, bias: Tensor | None = None, parts: list[Tensor] | None = None, out: Tensor
) -> Tensor:
    """Convolve x [n, inputs, h + 2, w + 2] into `out` [n, outputs, h, w], both channels-last.

    Convention: h and w are multiples of 4; `parts` are `kernels(weight)` where these are needed several times, else None.
    """
    count, _, height, width = out.shape
    padded, target = x.permute(0, 2, 3, 1), out.permute(0, 2, 3, 1)
    pixels = PIXELS_AT_ONCE * (4 if parts is None else 1)
    rows = min(max(TILE, pixels // width // TILE * TILE), height)
    pictures = max(1, pixels // (width * height))
    for n in range(0, count, pictures):
        for first in range(0, height, rows):
            end = min(first + rows, height)
            tiles = _tiles(padded[n : n + pictures, first : end + 2])
            _outputs(tiles, kernels(weight) if parts is None else parts, bias, target[n : n + pictures, first:end])
    return out


def _tiles(x: Tensor) -> Tensor:
    """Windows of x [n, 4 a + 2, 4 b + 2, c], four apart, transformed: [36, n a b, c]."""
    count, down, along, channels = x.shape
    sizes = (WINDOW, WINDOW, count, down // TILE, along // TILE, channels)
    picture, row, column, channel = x.stride()
    windows = x.as_strided(sizes, (row, column, picture, TILE * row, TILE * column, channel), x.storage_offset())
    return (transforms()[1] @ windows.reshape(WINDOW * WINDOW, -1)).view(WINDOW * WINDOW, -1, channels)


def _outputs(tiles: Tensor, parts: Iterable[Tensor], bias: Tensor | None, target: Tensor) -> None:
    """Products of transformed tiles and kernels, transformed back and written to target [n, 4 a, 4 b, outputs]."""
    count, down, along, _ = target.shape
    begin = 0
    for part in parts:
        end = begin + part.shape[1]
        drawn = transforms()[2] @ torch.bmm(tiles, part.transpose(1, 2)).flatten(1)
        drawn = drawn.view(TILE, TILE, count, down // TILE, along // TILE, -1).permute(2, 3, 0, 4, 1, 5)
        where = target[..., begin:end].view(count, down // TILE, TILE, along // TILE, TILE, -1)
        if bias is None:
            where.copy_(drawn)
        else:
            torch.add(drawn, bias[begin:end], out=where)
        begin = end
