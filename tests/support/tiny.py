"""A tiny seeded generator with its companions, for tests of every package."""

from __future__ import annotations

from dataclasses import replace

import torch

from emogan_core.networks import Generator, GeneratorSpec, build_generator, tensors_of
from emogan_core.networks.discriminator import Discriminator
from emogan_core.networks.encoder import Encoder
from emogan_core.networks.layers import initialise

TINY = GeneratorSpec(
    resolution=32, w_dim=16, z_dim=16, channels=(16, 16, 16, 8), mapping_layers=2, crop="tight", name="tiny"
)
FIRST = replace(TINY, architecture="stylegan1", name="first")
LARGE = replace(FIRST, resolution=128, channels=(8, 8, 8, 8, 4, 4))


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    """Seeded normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make_generator(spec: GeneratorSpec = TINY, *, seed: int = 0, companions: bool = True) -> Generator:
    """A random generator whose pictures stay in range, built from tensors as a file would."""
    encoder = Encoder(spec.resolution, spec.channels, w_dim=spec.w_dim, num_ws=spec.num_ws) if companions else None
    limits = {"clamp": spec.discriminator_clamp, "group": spec.discriminator_group}
    discriminator = Discriminator(spec.resolution, spec.channels, **limits) if companions else None
    raw = Generator(spec, fingerprint="", encoder=encoder, discriminator=discriminator)
    initialise(raw, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for name, parameter in raw.named_parameters():
            if name.endswith("torgb.weight"):
                parameter.mul_(0.15)
            if name == "encoder.linear.weight":
                parameter.mul_(0.02)
    tensors = {name: tensor for name, tensor in tensors_of(raw).items() if name != "statistics.w_std"}
    return build_generator(spec, tensors)


def make_noisy(spec: GeneratorSpec) -> Generator:
    """A random generator, frozen, whose every bias and noise strength is felt."""
    generator = Generator(spec, fingerprint="")
    rng = torch.Generator().manual_seed(3)
    initialise(generator, rng)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith(("bias", "noise_strength")):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.2)
    return generator.requires_grad_(False).eval()


def vivid(spec: GeneratorSpec = TINY, *, discriminator: Discriminator | None = None) -> Generator:
    """A generator whose every tensor differs from its start, so that no exchanged or forgotten one goes unseen."""
    rng = torch.Generator().manual_seed(3)
    own = tensors_of(make_generator(spec, companions=False))
    del own["statistics.w_std"]
    if discriminator is not None:
        initialise(discriminator, rng)
        own |= {f"discriminator.{name}": tensor for name, tensor in discriminator.state_dict().items()}
    return build_generator(
        spec, {name: tensor + 0.1 * torch.randn(tensor.shape, generator=rng) for name, tensor in own.items()}
    )
