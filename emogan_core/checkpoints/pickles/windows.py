"""Storages as windows into a mapped file: nothing is copied, and nothing beyond the file's end is given."""

from __future__ import annotations

import mmap
from collections.abc import Callable

import torch

from ...errors import CheckpointError
from .storages import Claim, Storage

Window = Callable[[Claim], Storage]
Run = Callable[..., object]


def window_of(memory: mmap.mmap, claim: Claim, *, start: int, room: int) -> Storage:
    """The storage's numbers where they lie in the file.

    Raises: CheckpointError.
    """
    needed = claim.count * claim.dtype.itemsize
    if needed > room or start + needed > len(memory):
        raise CheckpointError(
            f"storage {claim.key[:40]!a} claims {claim.count} numbers ({needed} bytes) and holds "
            f"{max(0, min(room, len(memory) - start))} bytes; the file is damaged or cut short, get it again"
        )
    if not needed:
        return Storage(torch.zeros(0, dtype=claim.dtype))
    return Storage(torch.frombuffer(memory, dtype=claim.dtype, count=claim.count, offset=start))


def no_window(claim: Claim) -> Storage:
    """For pickles that hold no tensors. Raises: CheckpointError."""
    raise CheckpointError(f"storage {claim.key[:40]!a} comes where none belongs; the file is damaged, get it again")
