"""How torch writes the numbers of a tensor: storages as pickles claim them, views of them, the marks of the older layout."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...errors import CheckpointError
from .budget import Budget
from .machine import Maker, Name

MAX_DIMENSIONS = 8
FLOAT_BYTES = 4  # of each number once it is used, however small it is in the file
OLD_MARK = 0x1950A86A20F9469CFC6C  # the number at the start of torch.save's older layout
OLD_LAYOUT = 1001
DTYPES = {
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}
"""The only storage types read, by the names that pickles give them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a pickle says of one storage: its numbers' type, its key and how many there are."""

    dtype: torch.dtype
    key: str
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """The numbers of one storage, one after the other."""

    numbers: Tensor = field(repr=False)


def claim_of(identity: object) -> Claim:
    """A persistent id: ("storage", type, key, device, count), and in the older layout a view, which must be none.

    Raises: CheckpointError.
    """
    if isinstance(identity, tuple) and len(identity) in (5, 6) and identity[5:] in ((), (None,)):
        word, kind, key, _, count = identity[:5]
        plain = isinstance(kind, Name) and isinstance(key, str) and type(count) is int
        if isinstance(word, str) and word == "storage" and plain and kind.text in DTYPES and 0 <= count < 1 << 62:
            return Claim(DTYPES[kind.text], key, count)
    raise CheckpointError("a persistent id is no storage of plain numbers; get the file from a source you trust")


def tensor_makers(budget: Budget) -> dict[str, Maker]:
    """The allowed names that make tensors of storages, each with the function that answers it."""

    def tensor(storage: object, offset: object, size: object, stride: object, *_: object) -> Tensor:
        found = _view(storage, offset, size, stride)
        budget.spend_bytes(found.numel() * max(found.element_size(), FLOAT_BYTES))
        return found

    return {
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_tensor": tensor,  # until PyTorch 0.3
        "torch.nn.parameter.Parameter": _parameter,  # until PyTorch 0.3
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
    }


def _parameter(data: object, *_: object) -> Tensor:
    if not isinstance(data, Tensor):
        raise CheckpointError("a parameter holds no tensor; the file is damaged, get it again")
    return data


def _view(storage: object, offset: object, size: object, stride: object) -> Tensor:
    """A tensor's view of its storage, after its extent was held against the storage.

    Raises: CheckpointError.
    """
    if not isinstance(storage, Storage) or not isinstance(size, tuple) or not isinstance(stride, tuple):
        raise CheckpointError("a tensor comes without storage, size or stride; the file is damaged, get it again")
    whole = [number for number in (offset, *size, *stride) if type(number) is int and 0 <= number < 1 << 62]
    if len(size) != len(stride) or len(size) > MAX_DIMENSIONS or len(whole) != 1 + 2 * len(size):
        raise CheckpointError(
            "a tensor's size and stride are no matching whole numbers; the file is damaged, get it again"
        )
    start, sides, steps = whole[0], whole[1 : 1 + len(size)], whole[1 + len(size) :]
    numbers = storage.numbers
    count, held = math.prod(sides), numbers.numel()
    last = start + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
    if count > held or (count and last >= held):
        raise CheckpointError(
            f"a tensor of size {sides} is claimed of a storage of {held} numbers; the file is damaged, get it again"
        )
    return torch.as_strided(numbers, sides, steps, start) if count else numbers.new_empty(sides)
