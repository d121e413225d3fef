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


def augment(x: Tensor, rng: torch.Generator) -> Tensor:
    """Mild differentiable colour and shift changes on half of the pictures (Zhao et al. 2020), so that few faces last."""
    n = x.shape[0]
    on = (torch.rand(n, 1, 1, 1, generator=rng) < 0.5).float()
    brightness = (torch.rand(n, 1, 1, 1, generator=rng) - 0.5) * 0.4 * on
    contrast = 1 + (torch.rand(n, 1, 1, 1, generator=rng) - 0.5) * 0.4 * on
    saturation = 1 + (torch.rand(n, 1, 1, 1, generator=rng) - 0.5) * 0.8 * on
    gray = x.mean(dim=1, keepdim=True)
    x = (gray + (x - gray) * saturation) * contrast + brightness
    shift = (torch.rand(n, 2, generator=rng) - 0.5) * 0.2 * on[:, :, 0, 0]
    eye = torch.eye(2).expand(n, 2, 2)
    grid = F.affine_grid(torch.cat([eye, shift[:, :, None]], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
