"""Numpy's numbers and arrays in pickles: plain numbers only, and nothing made beyond the bytes that are there.

An array stays the file's bytes until somebody asks for its tensor, so networks that nobody wants cost nothing more.
Source: the layout numpy documents for its arrays' state: version, shape, type, whether columns come first, bytes.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ...errors import CheckpointError
from .budget import Budget
from .machine import Maker, Name
from .storages import FLOAT_BYTES, MAX_DIMENSIONS

MAX_SIDE = 1 << 40  # so that no product of sides is slow
TENSOR_TYPES = {
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "u1": torch.uint8,
    "b1": torch.bool,
}


@dataclass(slots=True, eq=False)
class NumberType:
    """A numpy type of plain numbers; pickles set its byte order after making it."""

    kind: np.dtype[np.generic]

    def set_state(self, state: object) -> None:
        parts = state[1:5] if isinstance(state, tuple) and len(state) >= 5 else ()
        if not parts or parts[0] not in ("<", "|", "=") or parts[1:] != (None,) * 3:
            raise CheckpointError("refused a numpy type with parts or of another byte order; needed plain numbers")


@dataclass(slots=True, eq=False)
class Array:
    """A saved array of plain numbers; pickles make it empty and give it its state afterwards."""

    dtype: torch.dtype | None = None
    shape: tuple[int, ...] = ()
    columns_first: bool = False
    data: bytes = field(default=b"", repr=False)

    def tensor(self) -> Tensor:
        """The numbers in memory of their own.

        Raises: CheckpointError when the file never gave them.
        """
        if self.dtype is None:
            raise CheckpointError("a numpy array has no content; the file is damaged, get it again")
        if not self.data:
            return torch.zeros(self.shape, dtype=self.dtype)
        flat = torch.frombuffer(bytearray(self.data), dtype=self.dtype)
        if self.columns_first:
            return flat.view(self.shape[::-1]).permute(*reversed(range(len(self.shape))))
        return flat.view(self.shape)

    def set_state(self, state: object, budget: Budget) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], NumberType):
            raise CheckpointError("refused a numpy array of objects; needed plain numbers")
        _, shape, kind, columns_first, data = state
        self.fill(shape, kind, data, columns_first=columns_first is True or columns_first == 1, budget=budget)

    def fill(self, shape: object, kind: NumberType, data: object, *, columns_first: bool, budget: Budget) -> None:
        """Take over what the file says, once it was held against the bytes that came."""
        name = kind.kind.str[1:]
        if name not in TENSOR_TYPES:
            raise CheckpointError(f"refused a numpy array of '{name}'; needed {', '.join(TENSOR_TYPES)}")
        if (
            not isinstance(shape, tuple)
            or len(shape) > MAX_DIMENSIONS
            or not all(type(side) is int and 0 <= side < MAX_SIDE for side in shape)
        ):
            raise CheckpointError(
                f"a numpy array's shape is not up to {MAX_DIMENSIONS} sides that fit a file; get it again"
            )
        held = latin1(data, budget=budget)
        needed = math.prod(shape) * kind.kind.itemsize
        if needed != len(held):
            raise CheckpointError(
                f"a numpy array of shape {list(shape)} needs {needed} bytes and has {len(held)}; "
                "the file is damaged or not what it says, get it again"
            )
        budget.spend_bytes(math.prod(shape) * max(kind.kind.itemsize, FLOAT_BYTES))
        self.dtype, self.shape, self.columns_first, self.data = TENSOR_TYPES[name], shape, columns_first, held


def array_makers(budget: Budget) -> dict[str, Maker]:
    """What pickles call for numpy's sake."""

    def scalar(kind: object, data: object = b"") -> object:
        if not isinstance(kind, NumberType) or not isinstance(data, bytes | str) or len(data) != kind.kind.itemsize:
            raise CheckpointError("a numpy number is not made of its bytes; the file is damaged, get it again")
        return np.frombuffer(latin1(data, budget=budget), kind.kind)[0].item()

    def from_buffer(data: object, kind: object, shape: object, order: object) -> Array:
        if not isinstance(kind, NumberType) or order not in ("C", "F"):
            raise CheckpointError("refused a numpy array of objects; needed plain numbers")
        made = Array()
        made.fill(shape, kind, data, columns_first=order == "F", budget=budget)
        return made

    made: dict[str, Maker] = {"numpy.dtype": _number_type, "numpy.ndarray": _forbidden}
    for package in ("numpy.core", "numpy._core"):
        made[f"{package}.multiarray.scalar"] = scalar
        made[f"{package}.multiarray._reconstruct"] = _empty
        made[f"{package}.numeric._frombuffer"] = from_buffer
    return made


def latin1(data: object, *, budget: Budget) -> bytes:
    """Bytes, also where a pickle of Python 2 has them as text of one character each.

    Raises: CheckpointError.
    """
    if isinstance(data, bytes | bytearray):
        return bytes(data) if isinstance(data, bytearray) else data
    if isinstance(data, str):
        budget.spend_bytes(len(data))
        with contextlib.suppress(UnicodeEncodeError):
            return data.encode("latin1")
    raise CheckpointError("numbers do not come as bytes; the file is damaged or not what it says, get it again")


def _number_type(name: object, *_: object) -> NumberType:
    if not isinstance(name, str) or len(name) > 4 or name[:1] not in "biufc" or not name[1:].isdigit():
        raise CheckpointError(
            f"refused the numpy type {ascii(name)[:20] if isinstance(name, str) else 'given'}; needed plain numbers"
        )
    return NumberType(np.dtype(name))


def _empty(base: object, *_: object) -> Array:
    if not isinstance(base, Name) or base.text != "numpy.ndarray":
        raise CheckpointError("a numpy array of another class is refused; needed plain arrays")
    return Array()


def _forbidden(*_: object) -> object:
    raise CheckpointError("a numpy array is made by hand, which may claim any size; needed a saved array")
