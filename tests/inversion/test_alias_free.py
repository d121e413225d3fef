"""Inversion and edits on tiny StyleGAN3 generators, which have neither a pyramid nor noise nor an encoder."""

from __future__ import annotations

import pytest
import torch
from alias_free import TINY_R, TINY_T, make_alias_free

from emogan_core.errors import CheckpointError
from emogan_core.inversion import OptimiseConfig, invert_images
from emogan_core.inversion.objective import Target
from emogan_core.networks import GeneratorSpec


@pytest.mark.slow
@pytest.mark.parametrize("spec", [pytest.param(TINY_T, marks=pytest.mark.slow), TINY_R], ids=lambda spec: spec.name)
def test_shape_optimising_finds_codes_of_own_samples(spec: GeneratorSpec) -> None:
    generator = make_alias_free(spec)
    z = torch.randn(2, spec.z_dim, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():  # as the host runs its nodes
        images = generator.synthesis(generator.mapping(z, psi=0.7)).clamp(-1, 1)
        average = generator.synthesis(generator.w_avg.expand(2, spec.num_ws, -1)).clamp(-1, 1)
        after = invert_images(generator, images, method="optimise", config=OptimiseConfig(steps=40))
    assert after.latent.ws.shape == (2, spec.num_ws, spec.w_dim)
    for early, late in zip(Target(images).psnr_db(average), after.metrics["psnr_db"], strict=True):
        assert late > early + 3


def test_error_without_an_encoder() -> None:
    generator = make_alias_free()
    with pytest.raises(CheckpointError, match="no encoder"):
        invert_images(generator, torch.zeros(1, 3, 32, 32), method="encode")
