"""Degradations of an encoder's input: what photos suffer and samples do not."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def degrade(x: Tensor, rng: torch.Generator, *, share: float) -> Tensor:
    """Degradations, each on its own `share` of the pictures: blur with noise, JPEG compression, occlusion.

    Convention: x [n, 3, r, r] in [-1, 1] with r a multiple of 8.
    """
    for degraded in (blurred(x, rng), compressed(x, rng), occluded(x, rng)):
        coin = torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device) < share
        x = torch.where(coin, degraded, x)
    return x


def blurred(x: Tensor, rng: torch.Generator) -> Tensor:
    """Downsampled and upsampled, then with noise."""
    side = x.shape[-1]
    factor = 0.35 + 0.5 * float(torch.rand((), generator=rng, device=rng.device))
    small = F.interpolate(x, size=max(4, round(side * factor)), mode="bilinear", antialias=True)
    noise = torch.randn(x.shape, generator=rng, device=x.device)
    return F.interpolate(small, size=side, mode="bilinear") + 0.06 * noise


def compressed(x: Tensor, rng: torch.Generator) -> Tensor:
    """As by JPEG: the cosine transform of blocks of 8 px, quantised more coarsely at higher frequencies."""
    n, side = len(x), x.shape[-1]
    k = torch.arange(8, device=x.device, dtype=x.dtype)
    basis = torch.cos(math.pi * k[:, None] * (2 * k + 1) / 16) / 2  # orthonormal but for its first row
    basis[0] *= math.sqrt(0.5)
    steps = 0.02 + 0.06 * torch.rand(n, 1, 1, 1, 1, 1, generator=rng, device=x.device)
    steps = steps * (1 + k[:, None] + k)
    blocks = x.view(n, -1, side // 8, 8, side // 8, 8).transpose(3, 4)  # [n, 3, rows, columns, 8, 8]
    rounded = ((basis @ blocks @ basis.T) / steps).round() * steps
    return (basis.T @ rounded @ basis).transpose(3, 4).reshape(x.shape)


def occluded(x: Tensor, rng: torch.Generator) -> Tensor:
    """By a flat rectangle whose sides are 15 to 40 % of the picture's."""
    n, side = len(x), x.shape[-1]
    length = 0.15 + 0.25 * torch.rand(2, n, 1, generator=rng, device=x.device)
    begin = torch.rand(2, n, 1, generator=rng, device=x.device) * (1 - length)
    centres = (torch.arange(side, device=x.device) + 0.5) / side
    inside = (centres > begin) & (centres < begin + length)  # [2, n, side]
    colour = torch.rand(n, 3, 1, 1, generator=rng, device=x.device) * 1.6 - 0.8
    return torch.where((inside[0][:, :, None] & inside[1][:, None])[:, None], colour, x)
