"""The rim net: which pixels around the eyes are the frame of glasses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import ShapeError
from .landmarks import ConvBlock

RIM_WIDTH, RIM_HEIGHT = 176, 96
"""Size of the pictures it reads, in px."""


class RimNet(nn.Module):
    """A narrow U-Net on cells of 2 x 2 pixels.

    Source: Ronneberger et al. 2015 (U-Net); Shi et al. 2016 (the rearrangement of pixels into channels and back).
    """

    def __init__(self) -> None:
        super().__init__()
        self.at88 = nn.Sequential(ConvBlock(12, 16), ConvBlock(16, 16))
        self.at44 = nn.Sequential(ConvBlock(16, 32, stride=2), ConvBlock(32, 32))
        self.at22 = nn.Sequential(ConvBlock(32, 48, stride=2), ConvBlock(48, 48))
        self.at11 = nn.Sequential(ConvBlock(48, 48, stride=2), ConvBlock(48, 48))
        self.back22 = ConvBlock(96, 48)
        self.back44 = ConvBlock(80, 32)
        self.back88 = ConvBlock(48, 16)
        self.answer = nn.Conv2d(16, 4, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Log odds [n, 96, 176] of pictures [n, 3, 96, 176], each of mean 0 and standard deviation 1.

        Raises: ShapeError.
        """
        if pictures.ndim != 4 or pictures.shape[1:] != (3, RIM_HEIGHT, RIM_WIDTH):
            raise ShapeError(f"pictures came as {tuple(pictures.shape)}; give [n, 3, {RIM_HEIGHT}, {RIM_WIDTH}]")
        at88 = self.at88(F.pixel_unshuffle(pictures, 2))
        at44 = self.at44(at88)
        at22 = self.at22(at44)
        x = self.back22(torch.cat([_doubled(self.at11(at22)), at22], 1))
        x = self.back44(torch.cat([_doubled(x), at44], 1))
        x = self.back88(torch.cat([_doubled(x), at88], 1))
        return F.pixel_shuffle(self.answer(x), 2)[:, 0]


def _doubled(features: torch.Tensor) -> torch.Tensor:
    return F.interpolate(features, scale_factor=2, mode="nearest")
