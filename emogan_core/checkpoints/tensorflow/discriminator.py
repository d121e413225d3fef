"""Discriminators beside TensorFlow's generators: all three architectures, and both ways to use classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.build import expect_discriminator
from ...networks.spec import GeneratorSpec
from ..reading.settings import clamp_of, discriminator_facts, expect_settings
from ..reading.weights import ForeignWeights
from .names import discriminator_names
from .settings import FIXED, mapping_gain

_PROGRAM_OF_ADA = "D_main"
_NOT_SUPPORTED = ("use_spectral_norm", "use_pagan", "adaptive_dropout")
_CLASS_RATE = 0.1  # at which that program's discriminators learn what classes look like
MAX_LOGITS = 1000  # one for each class; picking among them takes the square of that in numbers


def read_discriminator(
    entries: Mapping[str, Tensor], settings: Mapping[str, object], function: str, spec: GeneratorSpec
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A discriminator's tensors under our names, and what the spec says of it.

    Convention: `function` names what built it, whose defaults hold where settings say nothing.
    Raises: CheckpointError, one clause, when it is of another kind.
    """
    expect_settings(settings, FIXED)
    for key in _NOT_SUPPORTED:
        if settings.get(key):
            raise CheckpointError(f"it has {key}, which is not supported")
    weights = ForeignWeights(discriminator_names(entries))
    tensors = {name: weights.take_any(name) for name in weights.entries}
    clamp = clamp_of(settings.get("conv_clamp"))
    if clamp is not None and "discriminator.b4.fromrgb.weight" in tensors:
        raise CheckpointError(
            "it has an activation limit (conv_clamp) on its layer that reads 4 px pictures, which is not supported"
        )
    _map_classes(tensors, settings)
    facts = discriminator_facts(clamp=clamp, group=_group(settings, function))
    expect_discriminator(replace(spec, **facts), tensors)
    return tensors, facts


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


def _group(settings: Mapping[str, object], function: str) -> object:
    """How many pictures are compared, None for all; 0 and 1 are each alone."""
    group = settings.get("mbstd_group_size", None if function == _PROGRAM_OF_ADA else 4)
    return 1 if type(group) is int and group == 0 else group
