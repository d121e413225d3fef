"""Pivotal tuning: the generator's own weights follow one face, as a small delta beside them.

Source: Roich et al. 2022, "Pivotal Tuning for Latent-based Editing of Real Images"; the low rank after Hu et al. 2022.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call

from ..deltas import Delta, joined
from ..devices import gradients_allowed, gradients_off, ordinary, rng_from_seed
from ..latents import Latent
from ..networks.build import Generator
from ..networks.sampling import sampled
from ..networks.tuned import added, shallow_copy, tunable
from ..progress import Progress, StepReport, in_parts
from .likeness import likeness_loss, measures_of
from .methods import PREVIEW_EVERY, hybrid, less_time
from .objective import Target, objective
from .schedule import OptimiseConfig, rate_at, steps_within

RANK = 16
RATE = 0.25  # of `OptimiseConfig.lr`, which is made for codes
PIVOT_SHARE = 0.5  # of a time budget
SEED = 0


def tune(generator: Generator, target: Target, *, config: OptimiseConfig, progress: Progress) -> Latent:
    """Codes of `hybrid`, and for each face the delta with which the generator draws it closer; the codes stay.

    The generator is only read. Each face is tuned alone.
    """
    began, parts = time.monotonic(), 1 + len(target)
    first = config if config.seconds is None else replace(config, seconds=PIVOT_SHARE * config.seconds)
    pivots = hybrid(generator, target, config=first, progress=in_parts(progress, 0, parts))
    deltas = []
    for row in range(len(target)):
        left = less_time(config, time.monotonic() - began)
        if left.seconds is not None:
            left = replace(left, seconds=left.seconds / (len(target) - row))
        report = in_parts(progress, 1 + row, parts, first=row)
        deltas.append(tuned(generator, pivots.ws[row : row + 1], target[row : row + 1], config=left, progress=report))
    return replace(pivots, delta=joined(deltas))


def tuned(generator: Generator, ws: Tensor, target: Target, *, config: OptimiseConfig, progress: Progress) -> Delta:
    """The delta with which `generator` draws the one face of `target` from ws [1, num_ws, w_dim].

    Adam on the factors. Beside the face every step draws a code on the way from it to a random one, which shall look as
    the untuned generator draws it. The best delta so far is kept.
    """
    began = time.monotonic()
    # The discriminator's features would take half of the time, and no difference was seen in the pictures.
    weights = replace(config.prior_scaled, features=0.0)
    steps = config.tune_steps
    label = 0 if generator.spec.c_dim else None
    others = ordinary(sampled(generator, steps, psi=1.0, seed=SEED, label=label).ws)
    rng = rng_from_seed(SEED)
    with gradients_allowed():
        ws = ordinary(ws).detach()
        synthesis = shallow_copy(generator, {}).synthesis  # our own modules, into which functional_call puts weights
        measures = measures_of(config.likeness, target)
        kernels = tunable(generator)
        factors = {name: _start(kernel, rng) for name, kernel in kernels.items()}
        optimiser = torch.optim.Adam([part for pair in factors.values() for part in pair], betas=(0.9, 0.99))
        best_loss, best = math.inf, _kept(factors, generator)
        for step, expected in steps_within(steps, config.seconds, began=began):
            changed = {name: added(kernels[name], left, right) for name, (left, right) in factors.items()}
            share = torch.rand(1, generator=rng).item()
            near = ws + share * (others[step : step + 1] - ws)
            with gradients_off():
                before = generator.synthesis(near)
            drawn, moved = functional_call(synthesis, changed, (torch.cat([ws, near]),)).split(1)
            losses = objective(generator, ws, drawn, target, [], weights) + likeness_loss(measures, drawn, weights)
            loss = losses.sum() + weights.locality * (moved - before).abs().mean()
            if float(loss.detach()) < best_loss:
                best_loss, best = float(loss.detach()), _kept(factors, generator)
            optimiser.param_groups[0]["lr"] = RATE * rate_at(step, expected, config)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            shown = drawn.detach().clamp(-1, 1) if step % PREVIEW_EVERY == 0 or step == expected - 1 else None
            progress(StepReport(step + 1, expected, "tune", loss=float(loss.detach()), preview=shown))
    return best


def _start(kernel: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Factors whose product is 0: left zeros, right random, so that the gradient reaches left at once."""
    outputs, width = kernel.shape[0], kernel[0].numel()
    rank = min(RANK, outputs, width)
    left = torch.zeros(outputs, rank, device=kernel.device)
    right = torch.randn(rank, width, generator=rng).to(kernel.device) / math.sqrt(width)
    return left.requires_grad_(), right.requires_grad_()


def _kept(factors: dict[str, tuple[Tensor, Tensor]], generator: Generator) -> Delta:
    halved = {name: (_halved(left), _halved(right)) for name, (left, right) in factors.items()}
    return Delta(halved, generator.fingerprint)


def _halved(factor: Tensor) -> Tensor:
    return factor.detach().to("cpu", torch.float16, copy=True)[None]
