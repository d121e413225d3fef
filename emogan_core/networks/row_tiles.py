"""StyleGAN2's larger blocks drawn in tiles of rows: the same pictures up to rounding, sooner and in less memory.

A CPU spends most of a large block's time on moving activations that do not fit its caches. Here each picture is drawn
on its own, its style and demodulation folded into the kernels, and a block goes from top to bottom in tiles of whole
rows that fit; only the block's input and output exist whole. Rows that two tiles share are kept, not computed twice.
Everything is channels-last, on which transposed and depthwise convolutions are faster. No gradients pass here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from . import winograd
from .layers import LAST, RESIDUAL_GAIN, SQRT2, Conv, ModulatedConv, ToRGB, binomial, transposed

if TYPE_CHECKING:
    from .stylegan2 import Block

TILE_BYTES = 2 << 20  # of one tile of features; 1 to 4 MiB are as fast, more is slower
LEAST_ROWS = 8
KEPT_KERNEL = 9 * 256 * 256  # Winograd's kernels take four times as much; larger ones belong to blocks of few tiles


def folding_pays(resolution: int, channels: int) -> bool:
    """Whether folding a style into kernels costs less than scaling activations by it: kernels must be the smaller."""
    return resolution * resolution >= 4 * channels


def rows_per_tile(resolution: int, inputs: int, outputs: int, *, itemsize: int = 4) -> int:
    """Tiles of TILE_BYTES, or as large as four kernels where those are larger: each tile reads the kernels again."""
    size = max(TILE_BYTES, 4 * 9 * inputs * outputs * itemsize)
    rows = size // (resolution * outputs * itemsize)
    tiles = -(-resolution // max(LEAST_ROWS, rows))
    return min(-(-resolution // tiles // 4) * 4, resolution)  # all alike, in multiples of Winograd's tile


@dataclass(frozen=True, slots=True)
class FoldedConv:
    """One picture's convolution: kernel with style, demodulation and gain inside, then bias, noise [r, r] and clamp.

    `parts` is the kernel transformed for Winograd's convolution, where several tiles need it.
    """

    kernel: Tensor
    parts: list[Tensor] | None
    bias: Tensor
    noise: Tensor | None
    clamp: float | None

    def finish(self, x: Tensor, first: int, *, out: Tensor) -> Tensor:
        """Noise, leaky ReLU and clamp on rows from `first` on, written to `out`."""
        if self.noise is None:
            out.copy_(x)  # a no-op where they are the same tensor
        else:
            torch.add(x, self.noise[first : first + x.shape[2]], out=out)
        F.leaky_relu_(out, 0.2)
        return out if self.clamp is None else out.clamp_(-self.clamp, self.clamp)


def fold(layer: ModulatedConv, w: Tensor, dtype: torch.dtype, *, clamp: float | None, gain: float = 1.0) -> FoldedConv:
    """A modulated convolution for one style w [1, w_dim]; what follows it scales with sqrt(2) gain, leaky ReLU too."""
    style, demodulation = layer.scales(w)
    gain_all = SQRT2 * gain
    outer = (demodulation[0] * gain_all)[:, None] * style[0]  # [outputs, inputs]
    kernel = layer.weight * outer[:, :, None, None]
    kernel = kernel.to(dtype)
    parts = None
    if layer.up:
        kernel = transposed(kernel)
    elif not winograd.suits(kernel):
        kernel = kernel.contiguous(memory_format=LAST)
    elif kernel.numel() <= KEPT_KERNEL:
        parts = list(winograd.kernels(kernel))
    strength = layer.noise_strength * gain_all
    noise = (layer.noise_const * strength).to(dtype) if bool(strength != 0) else None
    clamp = None if clamp is None else clamp * gain
    return FoldedConv(kernel, parts, (layer.bias * gain_all).to(dtype), noise, clamp)


def fold_rgb(layer: ToRGB, w: Tensor, dtype: torch.dtype, *, clamp: float | None) -> FoldedConv:
    style = layer.affine(w) * layer.weight_gain
    return FoldedConv((layer.weight * style[:, :, None, None]).to(dtype), None, layer.bias.to(dtype), None, clamp)


def rows_of(x: Tensor, first: int, end: int) -> Tensor:
    """Rows [first, end) of x [n, c, h, w], zeros where there are none."""
    above, below = max(-first, 0), max(end - x.shape[2], 0)
    inside = x[:, :, max(first, 0) : min(end, x.shape[2])]
    return F.pad(inside, (0, 0, above, below)) if above or below else inside


def upsampled_rows(x: Tensor, first: int, end: int, *, kernel: Tensor | None = None) -> Tensor:
    """Rows [first, end) of `upsample(x)`, x first convolved by a 1x1 kernel if given."""
    even, odd = first - first % 2, end + end % 2
    part = rows_of(x, even // 2 - 1, odd // 2 + 1).contiguous(memory_format=LAST)
    part = part if kernel is None else F.conv2d(part, kernel)
    taps = binomial(part, gain=4.0)
    part = F.conv_transpose2d(part, taps, stride=2, padding=(3, 1), groups=part.shape[1])
    return part[:, :, first - even : end - even]


def up_rows(x: Tensor, layer: FoldedConv, first: int, end: int, *, out: Tensor) -> None:
    """Rows [first, end) of an upsampling convolution with all that follows it, written to `out`."""
    # the blur sees rows first - 1 to end + 1 of the transposed convolution, whose even rows need the inputs around them
    top = (first - 1) - (first - 1) % 2
    bottom = (end + 1) + (end + 1) % 2
    part = rows_of(x, top // 2 - 1, bottom // 2 + 1)
    part = F.conv_transpose2d(part, layer.kernel, stride=2, padding=(2, 0))  # rows top to bottom
    part = part[:, :, first - 1 - top : end + 2 - top]
    part = F.conv2d(part, binomial(part, gain=4.0), layer.bias, padding=(0, 1), groups=part.shape[1])
    layer.finish(part, first, out=out)


@dataclass(frozen=True, slots=True)
class FoldedBlock:
    """One picture's block past the first."""

    conv0: FoldedConv
    conv1: FoldedConv
    skip: Tensor | None
    rgb: FoldedConv | None

    def features(self, x: Tensor, window: Tensor, first: int, *, out: Tensor) -> None:
        """Rows of the block's features from `first` on, written to `out`.

        `window` holds conv0's rows from first - 1 to one past the tile's last, between two columns of zeros; the two
        topmost rows came from the tile before.
        """
        end = first + out.shape[2]
        side = 2 * x.shape[2]
        begin = first + 1 if first else 0
        upper, lower = begin - first + 1, min(end + 1, side) - first + 1
        if upper < lower:
            up_rows(x, self.conv0, begin, min(end + 1, side), out=window[:, :, upper:lower, 1:-1])
        if first == 0:
            window[:, :, :1] = 0  # conv1 sees zeros around the picture
        if end == side:
            window[:, :, lower:] = 0
        kernel, bias = self.conv1.kernel, self.conv1.bias
        if winograd.pays(kernel, out):
            y = winograd.convolve(window, kernel, bias=bias, parts=self.conv1.parts, out=out)
        else:
            y = F.conv2d(window, kernel, bias)
        self.conv1.finish(y, first, out=out)
        if self.skip is not None:
            out += upsampled_rows(x, first, end, kernel=self.skip)


def picture_rows(rgb: FoldedConv, features: Tensor, image: Tensor | None, first: int, *, out: Tensor) -> None:
    """A block's part of the picture and all that is below it, for rows from `first` on, written to `out`."""
    drawn = F.conv2d(features, rgb.kernel, rgb.bias)
    if rgb.clamp is not None:
        drawn = drawn.clamp_(-rgb.clamp, rgb.clamp)
    if image is None:
        out.copy_(drawn)
    else:
        torch.add(drawn, upsampled_rows(image, first, first + out.shape[2]), out=out)


def fold_block(block: Block, ws: Tensor, dtype: torch.dtype, *, clamp: float | None) -> FoldedBlock:
    gain = 1.0 if block.skip is None else RESIDUAL_GAIN
    return FoldedBlock(
        conv0=fold(block.conv0, ws[:, 0], dtype, clamp=clamp),
        conv1=fold(block.conv1, ws[:, 1], dtype, clamp=clamp, gain=gain),
        skip=None if block.skip is None else _kernel(block.skip, gain).to(dtype),
        rgb=None if block.torgb is None else fold_rgb(block.torgb, ws[:, 2], dtype, clamp=clamp),
    )


def draw_block(
    block: FoldedBlock, x: Tensor, image: Tensor | None, *, keep: bool, out: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Features and picture, written to `out` if it is there, of one block from those of the one below.

    Convention: x [1, inputs, h, h] channels-last and image [1, 3, h, h] or None give [1, outputs, 2h, 2h] (of which only
    the last tile is there unless they are to be kept) and [1, 3, 2h, 2h].
    """
    side, channels = 2 * x.shape[2], block.conv1.kernel.shape[0]
    rows = min(rows_per_tile(side, x.shape[1], channels, itemsize=x.element_size()), side)
    features = _empty(x, channels, side if keep else rows, side)
    drawn = None if block.rgb is None else x.new_empty(1, 3, side, side) if out is None else out
    window = _empty(x, channels, rows + 2, side + 2)
    window[..., 0] = window[..., -1] = 0
    for first in range(0, side, rows):
        here = min(rows, side - first)
        if first:
            window[:, :, :2] = window[:, :, rows : rows + 2].clone()
        tile = features[:, :, first : first + here] if keep else features[:, :, :here]
        block.features(x, window[:, :, : here + 2], first, out=tile)
        if block.rgb is not None and drawn is not None:
            picture_rows(block.rgb, tile, image, first, out=drawn[:, :, first : first + here])
    return features, image if drawn is None else drawn


def _kernel(conv: Conv, gain: float) -> Tensor:
    return conv.weight * (conv.weight_gain * gain)


def _empty(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    return torch.empty(1, channels, height, width, dtype=like.dtype, device=like.device, memory_format=LAST)
