"""StyleGAN2 (skip architecture): z -> w -> ws -> image.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"; parameter names are the canonical
ones of the PyTorch files in circulation, so that every reader maps onto them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import Dense, ModulatedConv, ToRGB, upsample
from .spec import GeneratorSpec


class Mapping(nn.Module):
    """z [n, z_dim] -> ws [n, num_ws, w_dim], pulled towards `w_avg` by truncation psi."""

    w_avg: Tensor

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.num_ws = spec.num_ws
        self.num_layers = spec.mapping_layers
        for index in range(spec.mapping_layers):
            inputs = spec.z_dim if index == 0 else spec.w_dim
            self.add_module(f"fc{index}", Dense(inputs, spec.w_dim, lr_multiplier=0.01, activate=True))
        self.register_buffer("w_avg", torch.zeros(spec.w_dim))

    def forward(self, z: Tensor, psi: float = 1.0) -> Tensor:
        w = self.w_avg.lerp(self.to_w(z), psi)
        return w.unsqueeze(1).expand(-1, self.num_ws, -1)  # [n, num_ws, w_dim]

    def to_w(self, z: Tensor) -> Tensor:
        """[n, z_dim] -> [n, w_dim], without truncation; z is first normalised to unit second moment."""
        x = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for index in range(self.num_layers):
            x = self.get_submodule(f"fc{index}")(x)
        return x


class Block(nn.Module):
    """One resolution: two modulated convolutions (one at 4 px, from a learned constant) and a ToRGB branch."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, *, resolution: int) -> None:
        super().__init__()
        self.first = resolution == 4
        if self.first:
            self.const = nn.Parameter(torch.zeros(outputs, 4, 4))
        else:
            self.conv0 = ModulatedConv(inputs, outputs, w_dim, resolution=resolution, up=True)
        self.conv1 = ModulatedConv(outputs, outputs, w_dim, resolution=resolution, up=False)
        self.torgb = ToRGB(outputs, w_dim)

    def forward(
        self, x: Tensor | None, image: Tensor | None, ws: Tensor, *, noise: bool, clamp: float | None
    ) -> tuple[Tensor, Tensor]:
        """ws [n, 2 or 3, w_dim]: one row per convolution, then the row of ToRGB."""
        rows = iter(ws.unbind(dim=1))
        if x is None:
            x = self.const.to(ws.dtype).expand(ws.shape[0], -1, -1, -1)
        else:
            x = self.conv0(x, next(rows), noise=noise, clamp=clamp)
        x = self.conv1(x, next(rows), noise=noise, clamp=clamp)
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
            self.add_module(f"b{resolution}", Block(inputs, widths[index], spec.w_dim, resolution=resolution))

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
