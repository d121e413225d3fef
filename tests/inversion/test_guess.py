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


def test_golden_finds_a_sample_behind_a_hand(tiny: Generator) -> None:
    codes = sampled(tiny, SAMPLES, psi=PSI, seed=SEED).ws[[3]]
    ignored = torch.zeros(1, 1, 32, 32)
    ignored[..., 18:, :] = 1
    covered = torch.where(ignored > 0, torch.ones(()), tiny.synthesis(codes).clamp(-1, 1))
    torch.testing.assert_close(first_guess(tiny, Target(covered, ignored)), codes, atol=1e-4, rtol=0)
    assert not torch.allclose(first_guess(tiny, Target(covered)), codes, atol=1e-4)


def test_shape_short_of_time_it_still_answers() -> None:
    bare = make_generator(companions=False)
    assert first_guess(bare, Target(torch.zeros(1, 3, 32, 32)), seconds=1e-9).shape == (1, 8, 16)
