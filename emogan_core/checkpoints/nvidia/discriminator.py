"""Discriminators that come along in NVIDIA's PyTorch pickles: taken where ours computes the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from ...errors import CheckpointError
from ...networks.build import expect_discriminator
from ...networks.spec import GeneratorSpec
from ..pickles import Record
from ..reading.settings import clamp_of_all, discriminator_facts, word
from .modules import expect_activation, tensors_of_modules

_ARCHITECTURES = {"'resnet'", "'skip'", "'orig'"}
_LIMITED = ("conv0", "conv1", "fromrgb", "conv")  # layers with an activation limit


def read_discriminator(
    modules: dict[str, Record], spec: GeneratorSpec, *, copy: bool
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A discriminator's tensors under our names, and what the spec says of it.

    Raises: CheckpointError, one clause, when it is of another kind.
    """
    limits, architectures = [], set()
    for name, record in modules.items():
        if "architecture" in record.state:
            architectures.add(word(record.state["architecture"]))
        expect_activation(name, record)
        if name.rpartition(".")[2] in _LIMITED and name != "b4.fromrgb":  # which never has a limit
            limits.append(record.state.get("conv_clamp"))
    if len(architectures) > 1 or not architectures <= _ARCHITECTURES:
        raise CheckpointError(f"its architecture is {' and '.join(sorted(architectures))}; needed one known here")
    if f"b{spec.resolution}" not in modules or f"b{2 * spec.resolution}" in modules:
        raise CheckpointError("it looks at pictures of another size than the generator's")
    group = modules["b4.mbstd"].state.get("group_size") if "b4.mbstd" in modules else 1
    facts = discriminator_facts(clamp=clamp_of_all(limits), group=group)
    found = tensors_of_modules(modules, copy=copy)
    tensors = {f"discriminator.{key}": tensor for key, tensor in found.items()}
    expect_discriminator(replace(spec, **facts), tensors)
    return tensors, facts
