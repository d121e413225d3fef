"""The residual StyleGAN2 discriminator: trains generators, and its features compare pictures during inversion.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 4.1; the limit on
activations is that of the trainings with adaptive augmentation, which keeps float16 finite.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .layers import Conv, Dense

RESIDUAL_GAIN = math.sqrt(0.5)  # keeps the variance of a sum of two branches


class DiscriminatorBlock(nn.Module):
    """Halves the side; the first block also reads RGB."""

    def __init__(self, inputs: int, outputs: int, *, first: bool, clamp: float | None = None) -> None:
        super().__init__()
        self.clamp = clamp
        self.fromrgb = Conv(3, inputs, kernel=1) if first else None
        self.conv0 = Conv(inputs, inputs, kernel=3)
        self.conv1 = Conv(inputs, outputs, kernel=3, down=True)
        self.skip = Conv(inputs, outputs, kernel=1, down=True, bias=False, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.fromrgb is not None:
            x = limited(self.fromrgb(x), self.clamp)
        shortcut: Tensor = self.skip(x, gain=RESIDUAL_GAIN)
        x = limited(self.conv0(x), self.clamp)
        return shortcut + limited(self.conv1(x, gain=RESIDUAL_GAIN), self.clamp, gain=RESIDUAL_GAIN)


class Epilogue(nn.Module):
    """4 px features -> one logit, after `parts` channels with a group's standard deviations (minibatch statistics)."""

    def __init__(self, channels: int, *, group: int | None = 4, parts: int = 1, clamp: float | None = None) -> None:
        super().__init__()
        self.group, self.parts, self.clamp = group, parts, clamp
        self.conv = Conv(channels + parts, channels, kernel=3)
        self.fc = Dense(channels * 16, channels, activate=True)
        self.out = Dense(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.parts:
            x = torch.cat([x, self.spread(x)], dim=1)
        x = limited(self.conv(x), self.clamp)
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits

    def spread(self, x: Tensor) -> Tensor:
        """[n, parts, 4, 4]: how much the pictures of a group differ, averaged over each part of the channels."""
        n, c, h, w = x.shape
        group = n if self.group is None else math.gcd(n, min(n, self.group))
        y = x.float().view(group, -1, self.parts, c // self.parts, h, w)
        y = (y.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(2, 3, 4))  # [n / group, parts]
        return y[:, :, None, None].repeat(group, 1, h, w).to(x.dtype)


class Discriminator(nn.Module):
    """images [n, 3, r, r] in [-1, 1] -> logits [n, 1]; `channels` from 4 px up to r.

    Convention: `clamp` bounds activations; pictures are compared in groups of `group` (None: all of them) over `parts`
    parts of the channels. A group never exceeds the batch, and is a divisor of it.
    """

    def __init__(
        self,
        resolution: int,
        channels: tuple[int, ...],
        *,
        clamp: float | None = None,
        group: int | None = 4,
        parts: int = 1,
    ) -> None:
        super().__init__()
        self.resolution, self.channels = resolution, channels
        sides = [4 << index for index in range(len(channels))]
        for index in range(len(channels) - 1, 0, -1):
            first = sides[index] == resolution
            block = DiscriminatorBlock(channels[index], channels[index - 1], first=first, clamp=clamp)
            self.add_module(f"b{sides[index]}", block)
        self.b4 = Epilogue(channels[0], group=group, parts=parts, clamp=clamp)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.b4(self.features(images)[-1])
        return logits

    def features(self, images: Tensor) -> list[Tensor]:
        """The residual stream after each block, fine to coarse."""
        x, stream = images, []
        for index in range(len(self.channels) - 1, 0, -1):
            x = self.get_submodule(f"b{4 << index}")(x)
            stream.append(x)
        return stream


def limited(x: Tensor, clamp: float | None, *, gain: float = 1.0) -> Tensor:
    """Activations within the limit; a layer's own gain moves its limit."""
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)
