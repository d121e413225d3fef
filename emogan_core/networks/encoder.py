"""Image -> ws in one pass: a linear projection of the downsampled picture plus the output of a convolutional network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Conv, Dense

LINEAR_SIDE = 32
FEATURES = 192


class Encoder(nn.Module):
    """images [n, 3, r, r] in [-1, 1] -> ws [n, num_ws, w_dim], one code plus small offsets per row.

    Convention: the linear part reads the picture averaged down to 32 px, the rest at `resolution`, for which `channels`
    are given from 4 px up; `features` is the width of the layer before the codes.
    Training starts at the projection, as principal components reconstruct aligned faces well.
    """

    def __init__(
        self, resolution: int, channels: tuple[int, ...], *, w_dim: int, num_ws: int, features: int = FEATURES
    ) -> None:
        super().__init__()
        self.resolution, self.channels, self.w_dim, self.num_ws = resolution, channels, w_dim, num_ws
        self.linear = nn.Linear(3 * LINEAR_SIDE * LINEAR_SIDE, w_dim)
        nn.init.zeros_(self.linear.bias)  # as of all layers here; torch would draw it from its global generator
        self.fromrgb = Conv(3, channels[-1], kernel=3)
        for index in range(len(channels) - 1, 0, -1):
            self.add_module(f"b{4 << index}", Conv(channels[index], channels[index - 1], kernel=3, down=True))
        self.features = Dense(channels[0] * 16, features, activate=True)
        self.to_w = Dense(features, w_dim)
        self.to_rows = Dense(features, num_ws * w_dim)

    def forward(self, images: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(images, LINEAR_SIDE)
        w = self.linear(small.flatten(1))
        x = self.fromrgb(
            F.adaptive_avg_pool2d(images, self.resolution) if images.shape[-1] != self.resolution else images
        )
        for index in range(len(self.channels) - 1, 0, -1):
            x = self.get_submodule(f"b{4 << index}")(x)
        x = self.features(x.flatten(1))
        rows = self.to_rows(x).view(-1, self.num_ws, self.w_dim)
        ws: Tensor = (w + self.to_w(x)).unsqueeze(1) + rows
        return ws


def start_from_projection(encoder: Encoder, projection: Tensor, bias: Tensor) -> None:
    """Set the linear part to w = projection @ picture + bias and the rest to zero, so that training starts there.

    Convention: projection [w_dim, 3 * 32 * 32], channel-first pictures.
    """
    with torch.no_grad():
        encoder.linear.weight.copy_(projection)
        encoder.linear.bias.copy_(bias)
        encoder.to_w.weight.zero_()
        encoder.to_rows.weight.zero_()
