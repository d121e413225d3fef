"""Tensors of a foreign state dict, taken by name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...weights import is_finite

MAX_ELEMENTS = 1 << 28
MAX_AGAIN = 1 << 26  # numbers that names share with others


class ForeignWeights:
    """A foreign state dict from which every tensor is taken once, as float32 of its own memory.

    Convention: errors are clauses without the file's name, which is put before them once.
    """

    def __init__(self, entries: Mapping[str, object]) -> None:
        self.entries = entries
        self.taken: set[str] = set()
        self._copied: set[int] = set()
        self._again = 0

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def shape(self, name: str, *, dims: int) -> tuple[int, ...]:
        """A tensor's shape, once it is known to be an ordinary tensor of `dims` axes.

        Raises: CheckpointError.
        """
        found = self.entries.get(name)
        if not isinstance(found, Tensor):
            what = "is missing" if found is None else f"is a {type(found).__name__}"
            raise CheckpointError(f"{name[:100]!a} {what}, needed a tensor; the file is incomplete or another kind")
        plain = found.layout == torch.strided and found.is_floating_point() and not found.is_quantized
        if not plain or found.ndim != dims or not 0 < found.numel() <= MAX_ELEMENTS:
            raise CheckpointError(
                f"{name[:100]!a} is {found.dtype} {list(found.shape)[:8]}; needed floating point "
                f"with {dims} axes and at most {MAX_ELEMENTS} numbers; this is another kind of network"
            )
        return tuple(found.shape)

    def take(self, name: str, *shape: int) -> Tensor:
        """A finite tensor of just this shape.

        Raises: CheckpointError.
        """
        came = self.shape(name, dims=len(shape))
        found = self.entries[name]
        assert isinstance(found, Tensor)
        if came != shape:
            raise CheckpointError(
                f"{name[:100]!a} is {list(came)}, needed {list(shape)} beside the other weights; "
                "the network is of a kind not read here"
            )
        self._spend(name, found)
        tensor = torch.empty(shape).copy_(found.detach())
        if not is_finite(tensor):
            raise CheckpointError(f"{name[:100]!a} holds NaN or infinity; the file is damaged, get it again")
        self.taken.add(name)
        return tensor

    def take_any(self, name: str, *, dims: int | None = None) -> Tensor:
        """A finite tensor of whatever shape it has, with `dims` axes where they are given.

        Raises: CheckpointError.
        """
        found = self.entries.get(name)
        axes = dims if dims is not None else found.ndim if isinstance(found, Tensor) else 1
        return self.take(name, *self.shape(name, dims=axes))

    def _spend(self, name: str, found: Tensor) -> None:
        """Under many names one tensor of a small file would fill any memory."""
        if id(found) in self._copied:
            self._again += found.numel()
        self._copied.add(id(found))
        if self._again > MAX_AGAIN:
            raise CheckpointError(
                f"{name[:100]!a} shares its numbers with other names, more than {MAX_AGAIN} numbers so far; "
                "no generator file does that, get another one"
            )

    def count(self, pattern: str, *, start: int = 0) -> int:
        """How many consecutive names there are, `pattern` holding one place for the number."""
        number = start
        while pattern.format(number) in self.entries:
            number += 1
        return number - start

    def expect_all_taken(self, *, ignored: tuple[str, ...] = ()) -> None:
        """Everything must have found its place, except names that end in one of `ignored`.

        Raises: CheckpointError.
        """
        left = [name for name in self.entries if name not in self.taken and not name.endswith(ignored)]
        if left:
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            names = ", ".join(f"{name[:60]!a}" for name in left[:5])
            raise CheckpointError(f"cannot use {names}{more}; this variant of the network is not read here")


def average_row(average: object, *, width: int) -> Tensor:
    """The average latent from [w], or from [n, w] whose rows are all the same.

    Raises: CheckpointError.
    """
    rows = average.reshape(-1, average.shape[-1]) if isinstance(average, Tensor) and average.ndim in (1, 2) else average
    weights = ForeignWeights({"latent_avg": rows})
    count = weights.shape("latent_avg", dims=2)[0]
    tensor = weights.take("latent_avg", count, width)
    if not torch.allclose(tensor, tensor[:1].expand_as(tensor)):
        raise CheckpointError(f"the {count} rows of latent_avg differ; needed one average for all layers")
    return tensor[0].clone()
