"""StyleGAN2 of stylegan2-ada-pytorch and of the stylegan3 repository, as those programs pickle it.

What is done here is to recover the spec, to hold what the modules say of themselves against their tensors, and to
refuse, by name, what these networks can be and ours cannot.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import MAX_RESOLUTION, GeneratorSpec
from ..pickles import Record
from ..reading.architectures import ARCHITECTURES
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import no_noise_notices
from ..reading.settings import clamp_of_all, word
from .modules import expect_activation, tensors_of_modules
from .networks import Network, completed_network
from .networks import network_in as detect
from .stylegan2 import spec_of

__all__ = ["detect", "read"]

_LIMITED = ("conv0", "conv1", "torgb")  # layers with an activation limit


def read(network: Network) -> CanonicalCheckpoint:
    """The generator, and the discriminator where ours computes the same.

    Raises: CheckpointError.
    """
    tensors, notices = _tensors(network)
    return completed_network(network, _spec(network.modules, tensors), tensors, notices=notices)


def _tensors(network: Network) -> tuple[dict[str, Tensor], list[str]]:
    """Canonical tensors; a layer without a noise input gets noise of strength 0."""
    tensors = tensors_of_modules(network.modules, copy=network.mapped)
    without_noise = 0
    for name, record in network.modules.items():
        expect_activation(name, record)
        if record.state.get("use_noise") is False:
            side = record.state.get("resolution")
            if (
                not isinstance(side, int)
                or side > MAX_RESOLUTION
                or side & (side - 1)  # or a small file could ask for maps of every side
                or name not in (f"synthesis.b{side}.conv0", f"synthesis.b{side}.conv1")
            ):
                raise CheckpointError(f"{name} does not tell its resolution; the file is damaged, get it again")
            tensors[f"{name}.noise_const"] = torch.zeros(side, side)
            tensors[f"{name}.noise_strength"] = torch.zeros(())
            without_noise += 1
    return tensors, no_noise_notices(without_noise)


def _spec(modules: dict[str, Record], tensors: dict[str, Tensor]) -> GeneratorSpec:
    """What tensors and attributes say alike; the clamp is in the attributes alone."""
    clamp = clamp_of_all(
        record.state.get("conv_clamp")
        for path, record in modules.items()
        if path.startswith("synthesis.b") and path.rpartition(".")[2] in _LIMITED
    )
    spec = spec_of(tensors, clamp=clamp)
    for path, record in modules.items():
        declared = record.state.get("architecture", "skip")
        known = ARCHITECTURES.get(declared) if isinstance(declared, str) else None
        if path.startswith("synthesis.b") and "architecture" in record.state and known != spec.architecture:
            raise CheckpointError(
                f"{path} says that its architecture is {word(declared)}, its tensors are those of {spec.architecture}; "
                "needed one known for all blocks"
            )
    return spec
