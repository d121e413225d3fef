"""Aligned pictures to codes: by the encoder, by optimisation, or by one after the other."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import torch
from torch import Tensor

from ..devices import gradients_allowed, gradients_off, ordinary
from ..latents import Latent
from ..networks.build import Generator
from ..networks.irse import IrseEncoder
from ..progress import Progress, StepReport
from .guess import first_guess
from .likeness import likeness_loss, measures_of
from .objective import Target, discriminator_features, expect_numbers, objective
from .schedule import OptimiseConfig, rate_at, steps_within

PREVIEW_EVERY = 5
GUESS_SHARE = 0.2  # of a time budget


def encode(generator: Generator, target: Target, *, config: OptimiseConfig, progress: Progress) -> Latent:
    """Codes by the encoder, corrected once.

    Raises: CheckpointError when the generator came without an encoder.
    """
    ws = encoded(generator, target)
    progress(StepReport(1, 1, "encode"))
    return Latent(ws, generator.fingerprint)


def encoded(generator: Generator, target: Target) -> Tensor:
    """ws [n, num_ws, w_dim] by the encoder, corrected once by what it reads otherwise in the pictures drawn of them.

    An encoder that inverts the synthesis nearly reads its own errors in what is drawn: added to the codes, the difference
    takes most of them away. Each picture keeps those codes that draw it better. Encoders of other programs are asked
    as they were trained, ReStyle's with a feedback of its own.
    Source: the feedback of ReStyle (Alaluf et al. 2021), here by an encoder that was not trained for it.
    Raises: CheckpointError when the generator came without an encoder.
    """
    with gradients_off():
        first = generator.encode(ordinary(target.images))
        if isinstance(generator.encoder, IrseEncoder):
            return first
        drawn = generator.synthesis(first).clamp(-1, 1)
        corrected = first + (first - generator.encode(target.masked(drawn)))
        better = target.psnr_db(generator.synthesis(corrected).clamp(-1, 1)) > target.psnr_db(drawn)
        return torch.where(better[:, None, None], corrected, first)


def optimise(generator: Generator, target: Target, *, config: OptimiseConfig, progress: Progress) -> Latent:
    """Codes by gradient descent from the most alike of many samples."""
    began = time.monotonic()
    start = first_guess(generator, target, seconds=None if config.seconds is None else GUESS_SHARE * config.seconds)
    config = less_time(config, time.monotonic() - began)
    return descend(generator, target, start, steps=config.steps, config=config, progress=progress)


def hybrid(generator: Generator, target: Target, *, config: OptimiseConfig, progress: Progress) -> Latent:
    """Codes by gradient descent from the encoder's, or from the most alike of many samples without one."""
    if generator.encoder is None:
        return optimise(generator, target, config=config, progress=progress)
    began = time.monotonic()
    start = encoded(generator, target)
    config = less_time(config, time.monotonic() - began)
    return descend(generator, target, start, steps=config.hybrid_steps, config=config, progress=progress)


def less_time(config: OptimiseConfig, spent: float) -> OptimiseConfig:
    """What is left of a time budget, where there is one."""
    return config if config.seconds is None else replace(config, seconds=max(config.seconds - spent, 1e-3))


def descend(
    generator: Generator, target: Target, start: Tensor, *, steps: int, config: OptimiseConfig, progress: Progress
) -> Latent:
    """Adam on the codes, in units of w_std, keeping each picture's best codes so far.

    Raises: CheckpointError when the generator draws NaN.
    """
    began, weights = time.monotonic(), config.prior_scaled
    with gradients_allowed():
        start = ordinary(start).detach()
        target_features = [feature.detach() for feature in discriminator_features(generator, target.images)]
        measures = measures_of(config.likeness, target)
        offset = torch.zeros_like(start, requires_grad=True)
        optimiser = torch.optim.Adam([offset], lr=config.lr, betas=(0.9, 0.99))
        best_loss = torch.full((len(target),), math.inf, device=start.device)
        best = start.clone()
        for step, expected in steps_within(steps, config.seconds, began=began):
            ws = start + offset * generator.w_std
            drawn = generator.synthesis(ws)
            if step == 0:
                expect_numbers(generator, drawn)
            losses = objective(generator, ws, drawn, target, target_features, weights)
            losses = losses + likeness_loss(measures, drawn, weights)
            better = losses.detach() < best_loss
            best_loss = torch.where(better, losses.detach(), best_loss)
            best = torch.where(better[:, None, None], ws.detach(), best)
            optimiser.param_groups[0]["lr"] = rate_at(step, expected, config)
            optimiser.zero_grad(set_to_none=True)
            losses.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            last = step == expected - 1
            shown = drawn.detach().clamp(-1, 1) if step % PREVIEW_EVERY == 0 or last else None
            progress(StepReport(step + 1, expected, "invert", loss=float(losses.detach().mean()), preview=shown))
    return Latent(best, generator.fingerprint)
