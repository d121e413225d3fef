"""The residual StyleGAN2 discriminator: trains generators, and its features compare pictures during inversion."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .layers import Conv, Dense

RESIDUAL_GAIN = math.sqrt(0.5)  # keeps the variance of a sum of two branches


class DiscriminatorBlock(nn.Module):
    """Halves the side; the first block also reads RGB."""

    def __init__(self, inputs: int, outputs: int, *, first: bool) -> None:
        super().__init__()
        self.fromrgb = Conv(3, inputs, kernel=1) if first else None
        self.conv0 = Conv(inputs, inputs, kernel=3)
        self.conv1 = Conv(inputs, outputs, kernel=3, down=True)
        self.skip = Conv(inputs, outputs, kernel=1, down=True, bias=False, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.fromrgb is not None:
            x = self.fromrgb(x)
        shortcut = self.skip(x, gain=RESIDUAL_GAIN)
        out: Tensor = shortcut + self.conv1(self.conv0(x), gain=RESIDUAL_GAIN)
        return out


class Epilogue(nn.Module):
    """4 px features -> one logit, after a channel with the group's standard deviation (minibatch statistics)."""

    def __init__(self, channels: int, *, group: int = 4) -> None:
        super().__init__()
        self.group = group
        self.conv = Conv(channels + 1, channels, kernel=3)
        self.fc = Dense(channels * 16, channels, activate=True)
        self.out = Dense(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, self.spread(x)], dim=1)
        logits: Tensor = self.out(self.fc(self.conv(x).flatten(1)))
        return logits

    def spread(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        group = self.group if n % self.group == 0 else 1
        y = x.float().view(group, -1, c, h, w)
        y = (y.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # [n / group]
        return y.view(-1, 1, 1, 1).repeat(group, 1, h, w).to(x.dtype)


class Discriminator(nn.Module):
    """images [n, 3, r, r] in [-1, 1] -> logits [n, 1]; `channels` from 4 px up to r."""

    def __init__(self, resolution: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.resolution, self.channels = resolution, channels
        sides = [4 << index for index in range(len(channels))]
        for index in range(len(channels) - 1, 0, -1):
            block = DiscriminatorBlock(channels[index], channels[index - 1], first=sides[index] == resolution)
            self.add_module(f"b{sides[index]}", block)
        self.b4 = Epilogue(channels[0])

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
