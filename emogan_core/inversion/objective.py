"""The loss of an inversion: how far two pictures differ, and how far a code is from typical ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import CheckpointError
from ..networks.build import Generator


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Pictures to be redrawn, and where in them nothing counts.

    Convention: images [n, 3, r, r] in [-1, 1], as `masked` shows them; ignored [n, 1, r, r] in 0..1, 1 where a picture does
    not count, or None.
    """

    images: Tensor
    ignored: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice) -> Target:
        return Target(self.images[rows], None if self.ignored is None else self.ignored[rows])

    def masked(self, drawn: Tensor) -> Tensor:
        """Pictures with gray where they do not count, so that neither the objective nor an encoder looks there."""
        return drawn if self.ignored is None else drawn * (1 - self.ignored)

    def psnr_db(self, drawn: Tensor) -> Tensor:
        """[n]: peak signal-to-noise ratio of what counts."""
        errors = (self.masked(drawn) - self.images).square().mean(dim=(1, 2, 3)) / 4  # of a range of 1
        if self.ignored is not None:
            errors = errors / (1 - self.ignored).square().mean(dim=(1, 2, 3)).clamp_min(1e-6)
        return -10 * errors.clamp_min(1e-10).log10()


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of what an inversion minimises; each term is a mean, so none depends on picture size or batch.

    Convention: `pixel` for differences of values and neighbours, `structure` for SSIM, `features` for the
    discriminator's, where there is one; `w_distance` holds codes near the average, `layer_spread` rows near each other;
    `locality` holds pictures of nearby codes where they were, in tuning; `perceptual` and `identity` are for the distances
    by the user's networks, where there are any (`Likeness`).
    """

    pixel: float = 4.0
    structure: float = 1.0
    features: float = 1.0
    w_distance: float = 0.004
    layer_spread: float = 0.03
    locality: float = 1.0
    perceptual: float = 1.0
    identity: float = 0.5


def pyramid_l1(a: Tensor, b: Tensor, *, levels: int = 3) -> Tensor:
    """[n]: mean absolute difference of values and of neighbour differences, averaged over `levels` halvings.

    Convention: a, b [n, 3, h, w] in [-1, 1].
    """
    total = a.new_zeros(a.shape[0])
    for level in range(levels):
        d = a - b
        across, down = d[..., 1:] - d[..., :-1], d[..., 1:, :] - d[..., :-1, :]
        total = total + sum(term.abs().mean(dim=(1, 2, 3)) for term in (d, across, down))
        if level + 1 < levels:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return total / levels


def dissimilarity(a: Tensor, b: Tensor, *, window: int = 7, levels: int = 2) -> Tensor:
    """[n]: one minus the structural similarity index over box windows, averaged over `levels` halvings.

    Source: Wang et al. 2004, with the constants for a range of 2.
    """
    total = a.new_zeros(a.shape[0])
    for level in range(levels):
        mean_a, mean_b = F.avg_pool2d(a, window, 1), F.avg_pool2d(b, window, 1)
        var_a = F.avg_pool2d(a * a, window, 1) - mean_a * mean_a
        var_b = F.avg_pool2d(b * b, window, 1) - mean_b * mean_b
        both = F.avg_pool2d(a * b, window, 1) - mean_a * mean_b
        c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
        light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        total = total + 1 - (light * (2 * both + c2) / (var_a + var_b + c2)).mean(dim=(1, 2, 3))
        if level + 1 < levels:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return total / levels


def feature_l1(features: list[Tensor], target: list[Tensor]) -> Tensor:
    """[n]: mean absolute difference of discriminator features, each picture's levels in units of their own mean size."""
    sides = (1, 2, 3)
    terms = [
        (x - y).abs().mean(dim=sides) / (y.abs().mean(dim=sides) + 1e-6) for x, y in zip(features, target, strict=True)
    ]
    return torch.stack(terms).mean(dim=0)


def editability(generator: Generator, ws: Tensor) -> tuple[Tensor, Tensor]:
    """([n], [n]): mean squared distance of the mean row from w_avg, and of the rows from their mean, in units of w_std.

    A typical sample has 1 and 0; codes far from that reconstruct well and edit badly.
    """
    mean_row = ws.mean(dim=1, keepdim=True)
    w_distance = ((mean_row - generator.w_avg) / generator.w_std).square().mean(dim=(1, 2))
    layer_spread = ((ws - mean_row) / generator.w_std).square().mean(dim=(1, 2))
    return w_distance, layer_spread


def objective(
    generator: Generator, ws: Tensor, drawn: Tensor, target: Target, target_features: list[Tensor], weights: Weights
) -> Tensor:
    """[n]: the weighted sum that an inversion minimises; `target_features` are empty without a discriminator."""
    w_distance, layer_spread = editability(generator, ws)
    prior = weights.w_distance * w_distance + weights.layer_spread * layer_spread
    return prior + unlikeness(generator, target.masked(drawn), target.images, target_features, weights)


def unlikeness(
    generator: Generator, drawn: Tensor, wanted: Tensor, wanted_features: list[Tensor], weights: Weights
) -> Tensor:
    """[n]: the part of the objective that compares pictures."""
    loss = weights.pixel * pyramid_l1(drawn, wanted) + weights.structure * dissimilarity(drawn, wanted)
    if wanted_features and weights.features:
        loss = loss + weights.features * feature_l1(discriminator_features(generator, drawn), wanted_features)
    return loss


def discriminator_features(generator: Generator, images: Tensor) -> list[Tensor]:
    """The discriminator's three finest feature maps, or none when the generator came without one."""
    return [] if generator.discriminator is None else generator.discriminator.features(images)[:3]


def expect_numbers(generator: Generator, drawn: Tensor) -> None:
    """Refuse to go on with a network that draws NaN.

    Raises: CheckpointError.
    """
    if not bool(torch.isfinite(drawn).all()):
        raise CheckpointError(
            f"the generator '{generator.spec.name}' draws NaN instead of pictures; its file is damaged or its training "
            "had failed, use another"
        )
