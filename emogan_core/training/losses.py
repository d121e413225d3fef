"""What the built-in generator is trained to make small."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.discriminator import Discriminator


def real_gradient_penalty(judge: Discriminator, real: Tensor) -> Tensor:
    """R1: mean squared norm of the logit's gradient at real pictures (Mescheder et al. 2018)."""
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(judge(real).sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


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
    """What bad photos bring: a `share` of the pictures blurred by a detour over fewer pixels and made noisy."""
    n, side = x.shape[0], x.shape[-1]
    on = (torch.rand(n, 1, 1, 1, generator=rng, device=x.device) < share).to(x.dtype)
    factor = 0.35 + 0.5 * float(torch.rand((), generator=rng, device=x.device))
    small = F.interpolate(x, size=max(4, round(side * factor)), mode="bilinear", antialias=True)
    worn = F.interpolate(small, size=side, mode="bilinear")
    worn = worn + 0.06 * torch.randn(x.shape, generator=rng, device=x.device)
    return torch.lerp(x, worn, on)
