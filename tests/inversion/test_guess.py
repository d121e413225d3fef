"""Where optimisation begins without an encoder."""

from __future__ import annotations

import torch
from tiny import make_generator

from emogan_core.inversion.guess import PSI, SAMPLES, SEED, first_guess
from emogan_core.inversion.objective import Target
from emogan_core.networks import Generator
from emogan_core.networks.sampling import sampled


def test_golden_finds_its_own_samples(tiny: Generator) -> None:
    codes = sampled(tiny, SAMPLES, psi=PSI, seed=SEED).ws[[3, 40]]
    pictures = tiny.synthesis(codes).clamp(-1, 1)
    torch.testing.assert_close(first_guess(tiny, Target(pictures)), codes, atol=1e-4, rtol=0)


def test_golden_finds_what_counts_of_a_picture_of_two(tiny: Generator) -> None:
    codes = sampled(tiny, SAMPLES, psi=PSI, seed=SEED).ws[[3, 40]]
    upper, lower = tiny.synthesis(codes).clamp(-1, 1).split(1)
    below = torch.zeros(1, 1, 32, 32)
    below[..., 16:, :] = 1
    both = torch.where(below > 0, lower, upper)
    for ignored, code in ((below, codes[:1]), (1 - below, codes[1:])):
        target = Target(both * (1 - ignored), ignored)
        torch.testing.assert_close(first_guess(tiny, target), code, atol=1e-4, rtol=0)


def test_shape_short_of_time_it_still_answers() -> None:
    bare = make_generator(companions=False)
    assert first_guess(bare, Target(torch.zeros(1, 3, 32, 32)), seconds=1e-9).shape == (1, 8, 16)
