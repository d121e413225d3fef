"""StyleGAN2's synthesis, ws -> image, in its three architectures.

In "stylegan2" (skip) every block adds to the picture of the one below; in "stylegan2-resnet" blocks add to a stream of
features, and in "stylegan2-orig" they add to nothing, and only the last block of these two draws.
Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"; parameter names are the canonical
ones of the PyTorch files in circulation, so that every reader maps onto them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .layers import Conv, ModulatedConv, ToRGB, upsample
from .spec import GeneratorSpec

RESIDUAL_GAIN = math.sqrt(0.5)  # keeps the variance of a sum of two branches


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
        self, x: Tensor | None, image: Tensor | None, ws: Tensor, *, noise: bool, clamp: float | None
    ) -> tuple[Tensor, Tensor | None]:
        """ws [n, 2 or 3, w_dim]: one row per convolution, then the row of ToRGB."""
        rows = iter(ws.unbind(dim=1))
        shortcut = None
        if x is None:
            x = self.const.to(ws.dtype).expand(ws.shape[0], -1, -1, -1)
        else:
            if self.skip is not None:
                shortcut = upsample(self.skip(x, gain=RESIDUAL_GAIN))
            x = self.conv0(x, next(rows), noise=noise, clamp=clamp)
        gain = 1.0 if shortcut is None else RESIDUAL_GAIN
        x = self.conv1(x, next(rows), noise=noise, clamp=clamp, gain=gain)
        x = x if shortcut is None else shortcut + x
        if self.torgb is None:
            return x, image
        rgb = self.torgb(x, next(rows), clamp=clamp)
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

    def forward(self, ws: Tensor, *, noise: bool = True) -> Tensor:
        x: Tensor | None = None
        image: Tensor | None = None
        for index, resolution in enumerate(self.spec.resolutions):
            first = max(2 * index - 1, 0)
            rows = ws[:, first : first + (2 if index == 0 else 3)]
            block = self.get_submodule(f"b{resolution}")
            x, image = block(x, image, rows, noise=noise, clamp=self.spec.conv_clamp)
        assert image is not None
        return image
