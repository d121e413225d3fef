"""StyleGAN2's synthesis, ws -> image, in its three architectures.

In "stylegan2" (skip) every block adds to the picture of the one below; in "stylegan2-resnet" blocks have residual
shortcuts, in "stylegan2-orig" neither, and only the last block of these two has a ToRGB.
Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"; parameter names are the canonical
ones of the PyTorch files in circulation, so that every reader maps onto them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import row_tiles
from .layers import RESIDUAL_GAIN, Conv, ModulatedConv, ToRGB, upsample
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
        self, x: Tensor | None, image: Tensor | None, ws: Tensor, *, clamp: float | None
    ) -> tuple[Tensor, Tensor | None]:
        """ws [n, 2 or 3, w_dim]: one row per convolution, then the row of ToRGB."""
        rows = iter(ws.unbind(dim=1))
        shortcut = None
        if x is None:
            x = self.const.to(ws.dtype).expand(ws.shape[0], -1, -1, -1)
        elif self.skip is not None:
            shortcut = upsample(self.skip(x, gain=RESIDUAL_GAIN))
        if not self.first:
            x = self.conv0(x, next(rows), clamp=clamp)
        gain = 1.0 if shortcut is None else RESIDUAL_GAIN
        x = self.conv1(x, next(rows), clamp=clamp, gain=gain)
        x = x if shortcut is None else shortcut + x
        if self.torgb is None:
            return x, image
        rgb: Tensor = self.torgb(x, next(rows), clamp=clamp)
        return x, rgb if image is None else upsample(image) + rgb


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

    def forward(self, ws: Tensor) -> Tensor:
        blocks, clamp = len(self.spec.channels), self.spec.conv_clamp
        tiled = self._first_tiled(ws)
        x: Tensor | None = None
        image: Tensor | None = None
        for index in range(tiled):
            x, image = self.block(index)(x, image, self.rows(ws, index), clamp=clamp)
        if tiled < blocks:
            assert x is not None
            side = self.spec.resolution
            images = x.new_empty(len(ws), 3, side, side)
            for n in range(len(ws)):  # one picture at a time: memory does not grow with their number
                part = x[n : n + 1].contiguous(memory_format=torch.channels_last)
                below = None if image is None else image[n : n + 1]
                for index in range(tiled, blocks):
                    last = index == blocks - 1
                    block = row_tiles.fold_block(
                        self.block(index), self.rows(ws[n : n + 1], index), x.dtype, clamp=clamp
                    )
                    part, below = row_tiles.draw_block(
                        block, part, below, keep=not last, out=images[n : n + 1] if last else None
                    )
            image = images
        assert image is not None
        return image

    def block(self, index: int) -> Block:
        block = self.get_submodule(f"b{4 << index}")
        assert isinstance(block, Block)
        return block

    def rows(self, ws: Tensor, index: int) -> Tensor:
        """The rows of ws that block `index` reads: [n, 2, w_dim] for the first, else [n, 3, w_dim]."""
        first = max(2 * index - 1, 0)
        return ws[:, first : first + (2 if index == 0 else 3)]

    def _first_tiled(self, ws: Tensor) -> int:
        """The first block drawn in tiles of rows: none where gradients are wanted, or off the CPU, whose caches tiles suit."""
        blocks = len(self.spec.channels)
        wanted = torch.is_grad_enabled() and (ws.requires_grad or any(p.requires_grad for p in self.parameters()))
        if ws.device.type != "cpu" or wanted:
            return blocks
        worth = (i for i in range(1, blocks) if row_tiles.folding_pays(4 << i, self.spec.channels[i]))
        return next(worth, blocks)
