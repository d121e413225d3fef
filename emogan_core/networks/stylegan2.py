"""StyleGAN2's synthesis, ws -> image, in its three architectures.

In "stylegan2" (skip) every block adds to the picture of the one below; in "stylegan2-resnet" blocks add to a stream of
features, and in "stylegan2-orig" they add to nothing, and only the last block of these two draws.
Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"; parameter names are the canonical
ones of the PyTorch files in circulation, so that every reader maps onto them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import bands
from .layers import HALF_BOUND, RESIDUAL_GAIN, Conv, ModulatedConv, ToRGB, upsample
from .spec import GeneratorSpec


class Block(nn.Module):
    """One resolution: two modulated convolutions (one at 4 px, from a learned constant), a shortcut, a ToRGB branch."""

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, *, resolution: int, residual: bool = False, draws: bool = True
    ) -> None:
        super().__init__()
        self.first = resolution == 4
        residual = residual and not self.first
        if self.first:
            self.const = nn.Parameter(torch.zeros(outputs, 4, 4))
        else:
            self.conv0 = ModulatedConv(inputs, outputs, w_dim, resolution=resolution, up=True)
        self.conv1 = ModulatedConv(outputs, outputs, w_dim, resolution=resolution, up=False)
        self.skip = Conv(inputs, outputs, kernel=1, bias=False, activate=False) if residual else None
        self.torgb = ToRGB(outputs, w_dim) if draws else None

    def forward(
        self,
        x: Tensor | None,
        image: Tensor | None,
        ws: Tensor,
        *,
        noise: bool,
        clamp: float | None,
        half: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """ws [n, 2 or 3, w_dim]: one row per convolution, then the row of ToRGB.

        With `half` the modulated convolutions compute in float16; pictures, and sums of a shortcut, do not.
        """
        rows = iter(ws.unbind(dim=1))
        shortcut = None
        bound = min(HALF_BOUND, clamp or HALF_BOUND) if half else clamp
        if x is None:
            x = self.const.to(ws.dtype).expand(ws.shape[0], -1, -1, -1)
        elif self.skip is not None:
            shortcut = upsample(self.skip(x.to(ws.dtype), gain=RESIDUAL_GAIN))
        if half and x.dtype != torch.float16:
            x = x.clamp(-HALF_BOUND, HALF_BOUND).half()
        if not self.first:
            x = self.conv0(x, next(rows), noise=noise, clamp=bound)
        gain = 1.0 if shortcut is None else RESIDUAL_GAIN
        x = self.conv1(x, next(rows), noise=noise, clamp=bound, gain=gain)
        x = x if shortcut is None else shortcut + x
        return x, image if self.torgb is None else self.picture(x, image, next(rows), clamp=clamp)

    def picture(self, x: Tensor, image: Tensor | None, w: Tensor, *, clamp: float | None) -> Tensor:
        """What the block's features x make of the picture below."""
        assert self.torgb is not None
        rgb: Tensor = self.torgb(x, w, clamp=clamp)
        return rgb if image is None else upsample(image) + rgb


class Synthesis(nn.Module):
    """ws [n, num_ws, w_dim] -> images [n, 3, r, r], about [-1, 1]; deterministic: noise maps are constants.

    ToRGB of a block shares its row with the first convolution of the next one, so num_ws = 2 log2(r) - 2.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec
        widths = spec.channels
        for index, resolution in enumerate(spec.resolutions):
            inputs = widths[max(index - 1, 0)]
            block = Block(
                inputs,
                widths[index],
                spec.w_dim,
                resolution=resolution,
                residual=spec.architecture == "stylegan2-resnet",
                draws=spec.architecture == "stylegan2" or resolution == spec.resolution,
            )
            self.add_module(f"b{resolution}", block)

    def forward(self, ws: Tensor, *, noise: bool = True, half_from: int | None = None) -> Tensor:
        """Blocks of `half_from` px and more compute in float16, for devices where that is fast; None for no block.

        Their activations are held within 256, or the file's own limit; gradients through them need a scaled loss.
        """
        _, image = self.advance(ws, None, None, noise=noise, half_from=half_from)
        assert image is not None
        return image

    def advance(
        self,
        ws: Tensor,
        x: Tensor | None,
        image: Tensor | None,
        *,
        noise: bool = True,
        first: int = 0,
        end: int | None = None,
        keep: bool = False,
        half_from: int | None = None,
    ) -> tuple[Tensor | None, Tensor | None]:
        """Features and picture after the blocks [first, end), from those before; without `keep` features may be None."""
        end = len(self.spec.channels) if end is None else end
        banded = end if half_from is not None else min(max(self._first_banded(ws), first), end)
        for index in range(first, banded):
            half = half_from is not None and 4 << index >= half_from
            rows, clamp = self.rows(ws, index), self.spec.conv_clamp
            x, image = self.block(index)(x, image, rows, noise=noise, clamp=clamp, half=half)
        if banded == end or x is None:
            return x, image
        side = 4 << (end - 1)
        images = None if self.block(end - 1).torgb is None else x.new_empty(len(ws), 3, side, side)
        features = []
        for n in range(len(ws)):  # one picture at a time: memory does not grow with their number
            part = x[n : n + 1].contiguous(memory_format=torch.channels_last)
            below = None if image is None else image[n : n + 1]
            for index in range(banded, end):
                rows, clamp = self.rows(ws[n : n + 1], index), self.spec.conv_clamp
                block = bands.fold_block(self.block(index), rows, x.dtype, noise=noise, clamp=clamp)
                out = images[n : n + 1] if images is not None and index == end - 1 else None
                part, below = bands.draw_block(block, part, below, keep=keep or index < end - 1, out=out)
            features.append(part)
        return torch.cat(features) if keep else None, images

    def block(self, index: int) -> Block:
        block = self.get_submodule(f"b{4 << index}")
        assert isinstance(block, Block)
        return block

    def rows(self, ws: Tensor, index: int) -> Tensor:
        """The rows of ws that block `index` reads: [n, 2, w_dim] for the first, else [n, 3, w_dim]."""
        first = max(2 * index - 1, 0)
        return ws[:, first : first + (2 if index == 0 else 3)]

    def recolour(self, x: Tensor, image: Tensor | None, ws: Tensor, index: int) -> Tensor | None:
        """The picture after block `index` from its features x and the picture below it, which alone reads `ws` anew."""
        block, w, clamp = self.block(index), self.rows(ws, index)[:, -1], self.spec.conv_clamp
        if block.torgb is None:
            return image
        if self._first_banded(ws) > index:
            return block.picture(x, image, w, clamp=clamp)
        pictures = x.new_empty(len(ws), 3, x.shape[2], x.shape[3])
        for n in range(len(ws)):
            rgb = bands.fold_rgb(block.torgb, w[n : n + 1], x.dtype, clamp=clamp)
            bands.draw_picture(rgb, x[n : n + 1], None if image is None else image[n : n + 1], out=pictures[n : n + 1])
        return pictures

    def _first_banded(self, ws: Tensor) -> int:
        """The first block drawn in bands: none where gradients are wanted, or off the CPU, whose caches bands suit."""
        blocks = len(self.spec.channels)
        wanted = torch.is_grad_enabled() and (ws.requires_grad or any(p.requires_grad for p in self.parameters()))
        if ws.device.type != "cpu" or wanted:
            return blocks
        worth = (i for i in range(1, blocks) if bands.pays(4 << i, self.spec.channels[i]))
        return next(worth, blocks)
