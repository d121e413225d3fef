"""Parts of the built-in generator's losses: regions of the face, gradient penalty, and augmentation for the discriminator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..inversion.objective import pyramid_l1
from ..networks.discriminator import Discriminator

REGIONS = ((0.14, 0.46, 0.12, 0.88), (0.62, 0.94, 0.22, 0.78))
"""Top, bottom, left and right, as shares of the tight frame, of eyes with brows and of the mouth: in nine pictures of ten the
irises lie at a height of 0.34 to 0.38 and the corners of the mouth at 0.73 to 0.80 and 0.27 to 0.73 across."""

STEP = 0.05  # of a picture in [-1, 1], per pixel: what bfloat16 logits still resolve


def regions_l1(a: Tensor, b: Tensor) -> Tensor:
    """[n]: mean of `pyramid_l1` over REGIONS of faces a, b [n, 3, r, r] in the tight frame."""
    side = a.shape[-1]
    terms = []
    for top, bottom, left, right in REGIONS:
        rows, columns = (slice(round(low * side), round(high * side)) for low, high in ((top, bottom), (left, right)))
        terms.append(pyramid_l1(a[:, :, rows, columns], b[:, :, rows, columns]))
    return torch.stack(terms).mean(dim=0)


def gradient_penalty(discriminator: Discriminator, pictures: Tensor, logits: Tensor, rng: torch.Generator) -> Tensor:
    """Mean squared norm of the logits' gradient at pictures [n, 3, r, r], of which the logits [n, 1] are known.

    Estimated without a second backward pass from the change by a small random step, whose expected square is the
    gradient's (Lin et al. 2025, "Diffusion Adversarial Post-Training", approximated R1).
    """
    step = STEP * torch.randn(pictures.shape, generator=rng, device=pictures.device)
    penalty: Tensor = ((discriminator(pictures + step).float() - logits) / STEP).square().mean()
    return penalty


def augmented_alike(real: Tensor, drawn: Tensor, rng: torch.Generator, *, share: float) -> tuple[Tensor, Tensor]:
    """Both [n, 3, r, r] with one `augment` for the two pictures of a place, so that only who made them differs."""
    state = rng.get_state()
    first = augment(real, rng, share=share)
    rng.set_state(state)
    return first, augment(drawn, rng, share=share)


def augment(x: Tensor, rng: torch.Generator, *, share: float) -> Tensor:
    """Differentiable augmentation: changes of colour and position, each on its own `share` of the pictures.

    Convention: below a share of about 0.8 augmentations do not leak into the samples
    (Karras et al. 2020, "Training GANs with Limited Data"; Zhao et al. 2020).
    """
    if share <= 0:
        return x
    n = x.shape[0]

    def spread(width: float, *sides: int) -> Tensor:
        """Uniform around 0 with probability `share`, else 0; [n, *sides]."""
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
