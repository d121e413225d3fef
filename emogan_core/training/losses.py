"""What the built-in generator is trained to make small."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.discriminator import Discriminator


def real_gradient_penalty(judge: Discriminator, real: Tensor) -> Tensor:
    """R1: mean squared norm of the logit's gradient at real pictures (Mescheder et al. 2018)."""
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(judge(real).sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def partner_missed(a: Tensor, b: Tensor, *, temperature: float = 0.1) -> Tensor:
    """[n]: how hard it is to find each row of a [n, d] in the rows of b by its direction from the middle of all.

    The cross-entropy of picking row i among all n (van den Oord et al. 2018), by cosine over temperature.
    """
    middle = torch.cat([a, b]).mean(dim=0)
    alike = F.normalize(a - middle, dim=1) @ F.normalize(b - middle, dim=1).T
    return F.cross_entropy(alike / temperature, torch.arange(len(a), device=a.device), reduction="none")


def augment(x: Tensor, rng: torch.Generator, *, share: float) -> Tensor:
    """Differentiable changes of colour and of place, each on its own `share` of the pictures, so that few faces last.

    Convention: below a share of about 0.8 the unchanged faces' distribution stays told from the changed ones', and
    samples do not take the changes on (Karras et al. 2020, "Training GANs with Limited Data"; Zhao et al. 2020).
    """
    if share <= 0:
        return x
    n = x.shape[0]

    def spread(width: float, *sides: int) -> Tensor:
        """Symmetric around 0 where the coin says so, 0 elsewhere; [n, *sides]."""
        shape = (n, *([1] * len(sides)))
        coin = torch.rand(shape, generator=rng, device=x.device) < share
        return (torch.rand((n, *sides), generator=rng, device=x.device) * 2 - 1) * width * coin

    gray = x.mean(dim=1, keepdim=True)
    x = gray + (x - gray) * (1 + spread(0.5, 1, 1, 1))
    x = x * (1 + spread(0.3, 1, 1, 1)) + spread(0.3, 1, 1, 1)
    angle, size, shift = spread(0.2, 1)[:, 0], torch.exp(spread(0.2, 1)[:, 0]), spread(0.2, 2)
    cos, sin = size * angle.cos(), size * angle.sin()
    rows = [torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def wear(x: Tensor, rng: torch.Generator, *, share: float) -> Tensor:
    """What photos bring, each to a `share` of the pictures: blur with noise, compression, something before the face.

    Convention: x [n, 3, r, r] in [-1, 1] with r a multiple of 8.
    """
    for worn in (blurred(x, rng), compressed(x, rng), covered(x, rng)):
        coin = torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device) < share
        x = torch.where(coin, worn, x)
    return x


def blurred(x: Tensor, rng: torch.Generator) -> Tensor:
    """By a detour over fewer pixels, then noisy."""
    side = x.shape[-1]
    factor = 0.35 + 0.5 * float(torch.rand((), generator=rng, device=rng.device))
    small = F.interpolate(x, size=max(4, round(side * factor)), mode="bilinear", antialias=True)
    noise = torch.randn(x.shape, generator=rng, device=x.device)
    return F.interpolate(small, size=side, mode="bilinear") + 0.06 * noise


def compressed(x: Tensor, rng: torch.Generator) -> Tensor:
    """As JPEG does it: the cosine transform of blocks of 8 px, rounded the more coarsely the finer it is."""
    n, side = len(x), x.shape[-1]
    k = torch.arange(8, device=x.device, dtype=x.dtype)
    basis = torch.cos(math.pi * k[:, None] * (2 * k + 1) / 16) / 2  # orthonormal but for its first row
    basis[0] *= math.sqrt(0.5)
    steps = 0.02 + 0.06 * torch.rand(n, 1, 1, 1, 1, 1, generator=rng, device=x.device)
    steps = steps * (1 + k[:, None] + k)
    blocks = x.view(n, -1, side // 8, 8, side // 8, 8).transpose(3, 4)  # [n, 3, rows, columns, 8, 8]
    rounded = ((basis @ blocks @ basis.T) / steps).round() * steps
    return (basis.T @ rounded @ basis).transpose(3, 4).reshape(x.shape)


def covered(x: Tensor, rng: torch.Generator) -> Tensor:
    """By a flat rectangle, as hands, microphones and dark glasses do: 15 to 40 % of the side long."""
    n, side = len(x), x.shape[-1]
    length = 0.15 + 0.25 * torch.rand(2, n, 1, generator=rng, device=x.device)
    begin = torch.rand(2, n, 1, generator=rng, device=x.device) * (1 - length)
    place = (torch.arange(side, device=x.device) + 0.5) / side
    inside = (place > begin) & (place < begin + length)  # [2, n, side]
    colour = torch.rand(n, 3, 1, 1, generator=rng, device=x.device) * 1.6 - 0.8
    return torch.where((inside[0][:, :, None] & inside[1][:, None])[:, None], colour, x)
