"""The filtered leaky ReLU of StyleGAN3: upsample, leaky ReLU, downsample, so that it does not alias.

A leaky ReLU at twice a layer's rate makes tensors of gigabytes, so it is done tile by tile: a tile of outputs needs a
little more than its own part of the input, and what is made at the high rate is freed before the next one.
Tiles hold their channels innermost, which lets depthwise filters run at memory bandwidth on a CPU.
Source: Karras et al. 2021, "Alias-Free Generative Adversarial Networks", section 3.2 and appendix C.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from .layers import SQRT2

SLOPE = 0.2
TILE_NUMBERS = {"cpu": 1 << 21, "cuda": 1 << 26}  # at the high rate; on a CPU so that they fit its cache
TILE_CHANNELS = 32  # at least, before planes are cut into squares
CHANNEL_BLOCK = 16  # channels that depthwise filters process at once


@dataclass(frozen=True, slots=True)
class Resampling:
    """How a side of `size_in` samples becomes one of `size_out` through a rate `up` times higher.

    Convention: zeros are inserted after each sample, `before` more zeros in front (fewer where negative), and both
    filters keep only the samples whose taps lie wholly inside.
    """

    size_in: int
    size_out: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    before: int

    def span(self, start: int, stop: int) -> tuple[int, int, int]:
        """For outputs start..stop: the first input needed, how many, and how many high-rate samples to drop first."""
        first = start * self.down + self.up_taps - 1 - self.before  # in the full convolution of the inputs
        count = (stop - start - 1) * self.down + self.down_taps
        begin = -((self.up_taps - 1 - first) // self.up)
        crop = first - begin * self.up
        # transposed convolutions crop both ends alike, so there are inputs enough for that at the far end
        inputs = -((self.up_taps - 2 * crop - count) // self.up) + 1
        return begin, inputs, crop


@dataclass(frozen=True, slots=True)
class _Tile:
    """A block of outputs of some pictures and channels.

    Convention: one picture is a slice too: indexing by an integer would change the memory layout.
    """

    rows: slice
    channels: slice
    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class FilteredLeakyReLU:
    """The settings of a filtered leaky ReLU: how it is resampled, its filters and its clamp.

    Convention: filters have one axis (applied along both) or two, or are None where the plan's factor is 1; outputs of
    the leaky ReLU are clamped to `clamp` in size.
    """

    plan: Resampling
    up_filter: Tensor | None
    down_filter: Tensor | None
    clamp: float | None


def filtered_leaky_relu(x: Tensor, scale: Tensor, bias: Tensor, settings: FilteredLeakyReLU) -> Tensor:
    """Leaky ReLU of x * scale + bias at a higher rate: [n, c, size_in, size_in] -> [n, c, size_out, size_out].

    Convention: scale [n, c], bias [c]. Gradients reach these and x, of first order only; what is made at the high rate is
    recomputed for them instead of being kept.
    """
    result: Tensor = _FilteredLeakyReLU.apply(x, scale, bias, settings)  # type: ignore[no-untyped-call]
    return result


class _FilteredLeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, bias: Tensor, settings: FilteredLeakyReLU) -> Tensor:
        ctx.save_for_backward(x, scale, bias)
        ctx.settings = settings
        side = settings.plan.size_out
        out: Tensor = x.new_empty(x.shape[0], side, side, x.shape[1]).permute(0, 3, 1, 2)
        for tile in _tiles(out, settings.plan):
            part, part_scale, part_bias = _cut(x, scale, bias, tile, settings.plan)
            out[tile.rows, tile.channels, tile.top : tile.bottom, tile.left : tile.right] = _activated(
                part, part_scale, part_bias, tile, settings
            )
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, bias = ctx.saved_tensors
        grads = [torch.zeros_like(tensor) for tensor in (x, scale, bias)]
        for tile in _tiles(grad, ctx.settings.plan):
            parts = [part.detach().requires_grad_(True) for part in _cut(x, scale, bias, tile, ctx.settings.plan)]
            with torch.enable_grad():
                outputs = _activated(parts[0], parts[1], parts[2], tile, ctx.settings)
            incoming = grad[tile.rows, tile.channels, tile.top : tile.bottom, tile.left : tile.right]
            found = torch.autograd.grad(outputs, parts, incoming)
            for whole, part in zip(_cut(grads[0], grads[1], grads[2], tile, ctx.settings.plan), found, strict=True):
                whole.add_(part)
        return (*grads, None)


def _tiles(out: Tensor, plan: Resampling) -> Iterator[_Tile]:
    """Blocks of outputs whose high-rate samples stay within TILE_NUMBERS: pictures first, then channels, then squares."""
    budget = TILE_NUMBERS.get(out.device.type, TILE_NUMBERS["cuda"])
    count, channels = out.shape[:2]
    reach = plan.down_taps + plan.down
    plane = (plan.size_out * plan.down + reach) ** 2
    rows = max(budget // (plane * channels), 1)
    groups = math.ceil(channels / max(budget // plane, TILE_CHANNELS))
    width = math.ceil(channels / groups / CHANNEL_BLOCK) * CHANNEL_BLOCK
    longest = max((math.isqrt(budget // min(width, channels)) - reach) // plan.down, 8)
    side = math.ceil(plan.size_out / math.ceil(plan.size_out / longest))
    for row in range(0, count, rows):
        for channel in range(0, channels, width):
            for top in range(0, plan.size_out, side):
                for left in range(0, plan.size_out, side):
                    bottom, right = min(top + side, plan.size_out), min(left + side, plan.size_out)
                    yield _Tile(slice(row, row + rows), slice(channel, channel + width), top, bottom, left, right)


def _cut(x: Tensor, scale: Tensor, bias: Tensor, tile: _Tile, plan: Resampling) -> tuple[Tensor, Tensor, Tensor]:
    """What a tile needs of x, scale and bias, as views, without the zeros beyond the border."""
    sides = []
    for start, stop in ((tile.top, tile.bottom), (tile.left, tile.right)):
        begin, count, _ = plan.span(start, stop)
        sides.append(slice(max(begin, 0), max(begin + count, 0)))
    return x[tile.rows, tile.channels, sides[0], sides[1]], scale[tile.rows, tile.channels], bias[tile.channels]


def _activated(part: Tensor, scale: Tensor, bias: Tensor, tile: _Tile, settings: FilteredLeakyReLU) -> Tensor:
    """One tile, upsampled, through the leaky ReLU, downsampled: [r, c, ...] -> [r, c, bottom - top, right - left]."""
    plan, clamp = settings.plan, settings.clamp
    vertical, horizontal = plan.span(tile.top, tile.bottom), plan.span(tile.left, tile.right)
    x = torch.addcmul(bias[:, None, None], part, scale[:, :, None, None])  # channels stay innermost
    x = _padded(x, vertical, horizontal, plan.size_in)
    x = _upsample(x, settings.up_filter, vertical[2], horizontal[2], plan)
    x = F.leaky_relu(x, SLOPE, inplace=not x.requires_grad)
    if clamp is not None:
        x = x.clamp(-clamp, clamp) if x.requires_grad else x.clamp_(-clamp, clamp)
    x = _downsample(x, settings.down_filter, plan)
    return x[:, :, : tile.bottom - tile.top, : tile.right - tile.left]


def _padded(x: Tensor, vertical: tuple[int, int, int], horizontal: tuple[int, int, int], side: int) -> Tensor:
    """Zeros where a tile reaches beyond the input."""
    pads = []
    for begin, count, _ in (horizontal, vertical):
        held = min(begin + count, side) - max(begin, 0)
        pads += [before := max(-begin, 0), count - before - max(held, 0)]
    return F.pad(x, pads) if any(pads) else x


def _upsample(x: Tensor, taps: Tensor | None, top: int, left: int, plan: Resampling) -> Tensor:
    """Zero insertion and low-pass filter, times the leaky ReLU's gain of sqrt(2): a positive factor commutes with it."""
    if taps is None:
        return x[:, :, top:, left:] * SQRT2
    channels = x.shape[1]
    gain = plan.up**2 * SQRT2
    if taps.ndim == 2:
        kernel = (taps * gain).to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv_transpose2d(x, kernel, stride=plan.up, padding=(top, left), groups=channels)
    kernel = (taps * math.sqrt(gain)).to(x.dtype).expand(channels, 1, 1, -1)
    x = F.conv_transpose2d(x, kernel.mT, stride=(plan.up, 1), padding=(top, 0), groups=channels)
    return F.conv_transpose2d(x, kernel, stride=(1, plan.up), padding=(0, left), groups=channels)


def _downsample(x: Tensor, taps: Tensor | None, plan: Resampling) -> Tensor:
    """Low-pass filter and decimation; PyTorch's convolutions are correlations, so the filter is flipped."""
    if taps is None:
        return x
    channels = x.shape[1]
    if taps.ndim == 2:
        kernel = taps.flip(0, 1).to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv2d(x, kernel, stride=plan.down, groups=channels)
    kernel = taps.flip(0).to(x.dtype).expand(channels, 1, 1, -1)
    x = F.conv2d(x, kernel.mT, stride=(plan.down, 1), groups=channels)
    return F.conv2d(x, kernel, stride=(1, plan.down), groups=channels)
