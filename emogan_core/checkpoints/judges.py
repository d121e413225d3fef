"""Discriminators that come along in NVIDIA's PyTorch pickles: taken where ours computes the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from ..errors import CheckpointError
from ..networks.build import expect_discriminator
from ..networks.spec import GeneratorSpec
from .modules import clamp_of, expect_activation, tensors_of_modules, told_word
from .unpickling import Record

_ARCHITECTURES = {"'resnet'", "'skip'", "'orig'"}
_LIMITED = ("conv0", "conv1", "fromrgb", "conv")


def judge_of(modules: dict[str, Record], spec: GeneratorSpec) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A discriminator's tensors under our names, and what the spec says of it: `discriminator_clamp`, `discriminator_group`.

    Raises: CheckpointError, one clause, when it is of another kind.
    """
    clamps, architectures = set(), set()
    for name, record in modules.items():
        if "architecture" in record.state:
            architectures.add(told_word(record.state["architecture"]))
        expect_activation(name, record)
        if name.rpartition(".")[2] in _LIMITED and name != "b4.fromrgb":  # which never has a limit
            clamps.add(clamp_of(record.state.get("conv_clamp")))
    if len(architectures) > 1 or not architectures <= _ARCHITECTURES:
        raise CheckpointError(f"its architecture is {' and '.join(sorted(architectures))}; needed one known here")
    if f"b{spec.resolution}" not in modules or f"b{2 * spec.resolution}" in modules:
        raise CheckpointError("it judges pictures of another size than the generator's")
    if len(clamps) > 1:
        raise CheckpointError("its layers have different activation limits; needed one for all")
    group: object = 1
    if "b4.mbstd" in modules:
        group = modules["b4.mbstd"].state.get("group_size")
        if group is not None and (not isinstance(group, int) or not 1 <= group <= 1 << 16):
            raise CheckpointError("it compares pictures in groups of an odd size; needed 1 to 65536, or none")
    tensors = {f"discriminator.{key}": tensor for key, tensor in tensors_of_modules(modules).items()}
    told: dict[str, Any] = {"discriminator_clamp": clamps.pop() if clamps else None, "discriminator_group": group}
    expect_discriminator(replace(spec, **told), tensors)
    return tensors, told
