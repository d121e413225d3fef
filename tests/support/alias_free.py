"""Tiny StyleGAN3 generators in configurations T and R, in which every tensor says something."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from emogan_core.networks import Generator, GeneratorSpec, build_generator, tensors_of
from emogan_core.networks.layers import initialise
from emogan_core.networks.spec import AliasFree

TINY_T = GeneratorSpec(
    resolution=32,
    w_dim=16,
    z_dim=16,
    channels=(12, 12, 12, 12, 8, 8),
    mapping_layers=2,
    conv_clamp=256.0,
    architecture="stylegan3",
    name="tiny-t",
    alias_free=AliasFree(num_layers=6, margin_size=4),
)
TINY_R = replace(
    TINY_T,
    name="tiny-r",
    alias_free=AliasFree(num_layers=6, margin_size=4, conv_kernel=1, use_radial_filters=True),
)
PUBLISHED = replace(
    TINY_T, conv_clamp=256.0, channels=(12,) * 8, alias_free=AliasFree(num_layers=8, lrelu_upsampling=4, margin_size=6)
)
"""With the settings that the published program takes where none are given."""


def make_alias_free(spec: GeneratorSpec = TINY_T, *, seed: int = 0) -> Generator:
    """A random generator, built from tensors as a file would, with every bias, average and transform away from its start."""
    raw = Generator(spec, fingerprint="")
    rng = torch.Generator().manual_seed(seed)
    initialise(raw, rng)
    with torch.no_grad():
        for name, parameter in raw.named_parameters():
            if name.endswith("bias"):
                scale = 10.0 if name.startswith("mapping.") else 0.1
                parameter.add_(torch.randn(parameter.shape, generator=rng) * scale)
        for name, buffer in raw.named_buffers():
            if name.endswith("magnitude_ema"):
                buffer.uniform_(0.5, 2.0, generator=rng)
        raw.mapping.w_avg.normal_(generator=rng)
        turn = [[math.cos(0.3), -math.sin(0.3), 0.1], [math.sin(0.3), math.cos(0.3), -0.05], [0.0, 0.0, 1.0]]
        raw.synthesis.get_submodule("input").transform.copy_(torch.tensor(turn))
    return build_generator(spec, {name: tensor for name, tensor in tensors_of(raw).items() if "statistics" not in name})
