"""Aligned pictures to codes: by the encoder, by optimisation, or by one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..devices import gradients_allowed, gradients_off, ordinary
from ..errors import CheckpointError
from ..networks.build import Generator
from ..progress import Progress, StepReport
from .objective import Weights, discriminator_features, objective

PREVIEW_EVERY = 5


@dataclass(frozen=True, slots=True)
class OptimiseConfig:
    """How long and at what rate codes are optimised; `lr` is in units of w_std per step, `warm_up` and `decay` are shares."""

    steps: int = 120
    hybrid_steps: int = 60
    lr: float = 0.08
    warm_up: float = 0.05
    decay: float = 0.5
    weights: Weights = field(default_factory=Weights)


def rate_at(step: int, steps: int, config: OptimiseConfig) -> float:
    """Learning rate at a 0-based step: linear warm-up, flat, then a half cosine to zero."""
    up = min(1.0, (step + 1) / max(1.0, config.warm_up * steps))
    late = max(0.0, (step - (1 - config.decay) * steps) / max(1.0, config.decay * steps))
    return config.lr * up * (0.5 + 0.5 * math.cos(math.pi * min(1.0, late)))


def encode(generator: Generator, images: Tensor, *, config: OptimiseConfig, progress: Progress) -> Tensor:
    """ws [n, num_ws, w_dim] in one pass.

    Raises: CheckpointError when the generator came without an encoder.
    """
    with gradients_off():
        ws = generator.encode(ordinary(images))
    progress(StepReport(1, 1, "encode"))
    return ws


def optimise(generator: Generator, images: Tensor, *, config: OptimiseConfig, progress: Progress) -> Tensor:
    """ws [n, num_ws, w_dim] by gradient descent from the average face."""
    start = generator.w_avg.expand(images.shape[0], generator.spec.num_ws, -1)
    return descend(generator, images, start, steps=config.steps, config=config, progress=progress)


def hybrid(generator: Generator, images: Tensor, *, config: OptimiseConfig, progress: Progress) -> Tensor:
    """ws [n, num_ws, w_dim] by gradient descent from the encoder's codes, or from the average without one."""
    if generator.encoder is None:
        return optimise(generator, images, config=config, progress=progress)
    with gradients_off():
        start = generator.encode(ordinary(images))
    return descend(generator, images, start, steps=config.hybrid_steps, config=config, progress=progress)


Method = Callable[..., Tensor]
METHODS: dict[str, Method] = {"encode": encode, "optimise": optimise, "hybrid": hybrid}
"""The ways of `invert` by name: one pass of the encoder, optimisation from the average face, or one after the other."""


def expect_numbers(generator: Generator, drawn: Tensor) -> None:
    """Refuse to go on with a network that draws NaN.

    Raises: CheckpointError.
    """
    if not bool(torch.isfinite(drawn).all()):
        raise CheckpointError(
            f"the generator '{generator.spec.name}' draws NaN instead of pictures; its file is damaged or its training "
            "had failed, use another"
        )


def descend(
    generator: Generator, images: Tensor, start: Tensor, *, steps: int, config: OptimiseConfig, progress: Progress
) -> Tensor:
    """Adam on the codes, in units of w_std, keeping each picture's best codes so far.

    Raises: CheckpointError when the generator draws NaN.
    """
    with gradients_allowed():
        target, start = ordinary(images).detach(), ordinary(start).detach()
        target_features = [feature.detach() for feature in discriminator_features(generator, target)]
        offset = torch.zeros_like(start, requires_grad=True)
        optimiser = torch.optim.Adam([offset], lr=config.lr, betas=(0.9, 0.99))
        best_loss = torch.full((len(images),), math.inf, device=start.device)
        best = start.clone()
        for step in range(steps):
            ws = start + offset * generator.w_std
            drawn = generator.synthesis(ws)
            if step == 0:
                expect_numbers(generator, drawn)
            losses = objective(generator, ws, drawn, target, target_features, config.weights)
            better = losses.detach() < best_loss
            best_loss = torch.where(better, losses.detach(), best_loss)
            best = torch.where(better[:, None, None], ws.detach(), best)
            optimiser.param_groups[0]["lr"] = rate_at(step, steps, config)
            optimiser.zero_grad(set_to_none=True)
            losses.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            shown = drawn.detach().clamp(-1, 1) if step % PREVIEW_EVERY == 0 or step == steps - 1 else None
            progress(StepReport(step + 1, steps, "invert", loss=float(losses.detach().mean()), preview=shown))
    return best
