"""Discriminators beside TensorFlow's generators: all three architectures, and both ways to judge by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..networks.build import expect_discriminator
from ..networks.spec import GeneratorSpec
from .foreign import ForeignWeights
from .modules import clamp_of
from .tensorflow_names import judge_names
from .tensorflow_settings import expect_fixed, mapping_gain

_PROGRAM_OF_ADA = "D_main"
_STRANGE = ("use_spectral_norm", "use_pagan", "adaptive_dropout")
_CLASS_RATE = 0.1  # at which that program's discriminators learn what classes look like
MAX_LOGITS = 1000  # one for each class; picking among them takes the square of that in numbers


def judge_of(
    entries: Mapping[str, Tensor], settings: Mapping[str, object], function: str, spec: GeneratorSpec
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A discriminator's tensors under our names, and what the spec says of it: `discriminator_clamp`, `discriminator_group`.

    Convention: `function` names what built it, whose defaults hold where settings say nothing.
    Raises: CheckpointError, one clause, when it is of another kind.
    """
    expect_fixed(settings)
    for key in _STRANGE:
        if settings.get(key):
            raise CheckpointError(f"it has {key}, which is not supported")
    weights = ForeignWeights(judge_names(entries), place="it")
    tensors = {name: weights.take(name, *_shape(weights, name)) for name in weights.entries}
    clamp = clamp_of(settings.get("conv_clamp"))
    if clamp is not None and "discriminator.b4.fromrgb.weight" in tensors:
        raise CheckpointError("it limits what it sees of the smallest pictures, which is not supported")
    _map_classes(tensors, settings)
    told: dict[str, Any] = {"discriminator_clamp": clamp, "discriminator_group": _group(settings, function)}
    expect_discriminator(replace(spec, **told), tensors)
    return tensors, told


def _shape(weights: ForeignWeights, name: str) -> tuple[int, ...]:
    found = weights.entries[name]
    return weights.shape(name, dims=found.ndim if isinstance(found, Tensor) else 0)


def _map_classes(tensors: dict[str, Tensor], settings: Mapping[str, object]) -> None:
    """Our numbers for a class mapping that learns faster; one that picks the class's own logit where there is none.

    Raises: CheckpointError.
    """
    out = tensors.get("discriminator.b4.out.weight")
    if "discriminator.mapping.embed.weight" in tensors:
        gain = mapping_gain(settings, usual=_CLASS_RATE)
        for name in [name for name in tensors if name.startswith("discriminator.mapping.fc")]:
            tensors[name] = tensors[name] * gain
    elif out is not None and len(out) > 1:
        classes = len(out)
        if classes > MAX_LOGITS:
            raise CheckpointError(f"it has a logit for each of {classes} classes; needed at most {MAX_LOGITS}")
        # normalised, the row of a class is sqrt(classes) in its own place, by which the logits are divided afterwards
        tensors["discriminator.mapping.embed.weight"] = torch.eye(classes) * classes
        tensors["discriminator.mapping.embed.bias"] = torch.zeros(classes)


def _group(settings: Mapping[str, object], function: str) -> int | None:
    """How many pictures are compared, None for all."""
    group = settings.get("mbstd_group_size", None if function == _PROGRAM_OF_ADA else 4)
    if group is not None and (isinstance(group, bool) or not isinstance(group, int) or not 0 <= group <= 1 << 16):
        raise CheckpointError("it compares pictures in groups of an odd size; needed 1 to 65536, or none")
    return None if group is None else max(group, 1)
