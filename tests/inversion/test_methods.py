"""Codes by the encoder: corrected by what it reads in its own drawing, and never worse for that."""

from __future__ import annotations

import pytest
import torch

from emogan_core.checkpoints import load_generator
from emogan_core.images import open_photo
from emogan_core.inversion import invert
from emogan_core.inversion.methods import encoded
from emogan_core.inversion.objective import Target
from emogan_core.networks import Generator
from emogan_core.weights import builtin_path

EXAMPLES = ("composite_f_multi", "composite_m_african")


def psnr_of(generator: Generator, target: Target, ws: torch.Tensor) -> torch.Tensor:
    return target.psnr_db(generator.synthesis(ws).clamp(-1, 1))


@pytest.fixture(scope="module")
def builtin() -> Generator:
    return load_generator("builtin")


def test_golden_the_correction_draws_photos_nearer(builtin: Generator) -> None:
    """By .67, .45 and .33 dB on held-out press, studio and Congress faces; by at least .2 on these composites."""
    faces = torch.cat([_face(builtin, name) for name in EXAMPLES])
    target = Target(faces)
    gained = psnr_of(builtin, target, encoded(builtin, target)) - psnr_of(builtin, target, builtin.encode(faces))
    assert gained.min() > 0.2


def test_invariance_no_picture_is_drawn_worse(tiny: Generator) -> None:
    """Also by an encoder that knows nothing."""
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 2 - 1
    target = Target(images)
    first = psnr_of(tiny, target, tiny.encode(images))
    assert bool((psnr_of(tiny, target, encoded(tiny, target)) >= first - 1e-3).all())


def test_invariance_what_does_not_count_corrects_nothing(builtin: Generator) -> None:
    face, ignored = _face(builtin, EXAMPLES[0]), torch.zeros(1, 1, 128, 128)
    ignored[..., 70:, :] = 1.0
    for_gray = Target(face * (1 - ignored), ignored)
    whole = Target(face * (1 - ignored))
    gain = psnr_of(builtin, for_gray, encoded(builtin, for_gray)) - psnr_of(builtin, for_gray, encoded(builtin, whole))
    assert gain.min() > 0


def _face(generator: Generator, name: str) -> torch.Tensor:
    photo = open_photo(builtin_path(f"examples/{name}.jpg"))
    return invert(generator, photo, method="encode").target
