"""What every reader of a foreign file returns: the file's generator under our names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from ...networks.spec import GeneratorSpec


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalCheckpoint:
    """A generator as spec and canonical tensors, ready for `build_generator`.

    Convention: names `mapping.*`, `synthesis.*`, optional `encoder.*` and `discriminator.*`, float32 on the CPU;
    `notices` are sentences for the user about what the file lacked and what was done instead, `computed` the tensors
    that were made up for it.
    """

    spec: GeneratorSpec
    tensors: Mapping[str, Tensor] = field(repr=False)
    notices: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
