"""What tests of several files expect of a generator that was read."""

from __future__ import annotations

from dataclasses import replace

import torch

from emogan_core.checkpoints.reading.canonical import CanonicalCheckpoint
from emogan_core.networks import Generator, build_generator, tensors_of

PARTS = ("mapping.", "synthesis.", "discriminator.")


def expect_same(
    found: CanonicalCheckpoint | Generator, net: Generator, *, tolerance: float = 3e-7, discriminator: bool = True
) -> None:
    """The generator of a foreign file is `net`, but for what such files do not tell: name, terms, crop and encoder.

    Without `discriminator` the file holds none.
    """
    read = found if isinstance(found, Generator) else build_generator(found.spec, found.tensors)
    assert replace(read.spec, name=net.spec.name, licence=net.spec.licence, crop=net.spec.crop) == net.spec
    theirs, ours = parts_of(read), parts_of(net)
    if not discriminator:
        ours = {name: tensor for name, tensor in ours.items() if not name.startswith("discriminator.")}
    assert set(theirs) == set(ours)
    far = [name for name in ours if not torch.allclose(theirs[name], ours[name], atol=tolerance, rtol=tolerance)]
    assert far == []


def parts_of(generator: Generator) -> dict[str, torch.Tensor]:
    """Tensors of mapping, synthesis and discriminator."""
    return {name: tensor for name, tensor in tensors_of(generator).items() if name.startswith(PARTS)}
