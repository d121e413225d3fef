"""What a file lacked and what is done instead, each with a notice for the user."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.build import STATISTICS_SAMPLES, STATISTICS_SEED
from ...networks.mapping import Mapping, sampled_w
from ...networks.spec import GeneratorSpec
from ...wording import counted
from .canonical import CanonicalCheckpoint

UNKNOWN_LICENCE = "unknown: ask whoever made the file"


def no_noise_notices(layers: int) -> list[str]:
    """A notice when layers have no noise input."""
    said = f"{counted(layers, 'layer has', 'layers have')} no noise; {'it is' if layers == 1 else 'they are'} given noise of strength 0, which draws the same pictures"
    return [said] if layers else []


def no_discriminator_notice(reason: CheckpointError) -> str:
    """That the generator is read without its discriminator."""
    return f"the discriminator is left out, pictures are compared without it: {reason}"


def completed(spec: GeneratorSpec, tensors: dict[str, Tensor], *, notices: list[str]) -> CanonicalCheckpoint:
    """The checkpoint, with noise maps of zeros and a computed average where the file had none."""
    missing: list[str] = []
    for index, side in enumerate(spec.resolutions):
        noisy = ("conv0", "conv1") if index or spec.architecture == "stylegan1" else ("conv1",)
        for layer in noisy:
            name = f"synthesis.b{side}.{layer}.noise_const"
            if name not in tensors:
                tensors[name] = torch.zeros(side, side)
                missing.append(name)
    if missing:
        notices.append(
            f"the file lacks {counted(len(missing), 'noise map')}; zeros are used, so fine texture is a little smoother"
        )
    if "mapping.w_avg" not in tensors:
        codes = _sampled_codes(spec, tensors)
        tensors["mapping.w_avg"], tensors["statistics.w_std"] = codes.mean(0), codes.std(0)  # samples are slow to draw
        notices.append(f"the file lacks the average latent; it was computed from {STATISTICS_SAMPLES} seeded samples")
        missing.append("mapping.w_avg")
    return CanonicalCheckpoint(
        replace(spec, licence=UNKNOWN_LICENCE), tensors, notices=tuple(notices), computed=tuple(missing)
    )


def _sampled_codes(spec: GeneratorSpec, tensors: MappingOf[str, Tensor]) -> Tensor:
    """w [n, w_dim] of the samples that `build_generator` takes statistics of."""
    mapping = Mapping(spec)
    own = {name.removeprefix("mapping."): tensor for name, tensor in tensors.items() if name.startswith("mapping.")}
    mapping.load_state_dict({**own, "w_avg": torch.zeros(spec.w_dim)})
    return sampled_w(mapping, count=STATISTICS_SAMPLES, seed=STATISTICS_SEED)
