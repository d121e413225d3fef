"""The files that torch.save wrote before PyTorch 1.6: pickles one after the other, then every storage's numbers."""

from __future__ import annotations

import mmap
from typing import BinaryIO

import torch

from ...errors import CheckpointError
from .machine import Source
from .storages import OLD_LAYOUT, OLD_MARK, Claim, Storage
from .windows import Run, no_window, window_of


def read_old_layout(file: BinaryIO, memory: mmap.mmap, *, run: Run) -> object:
    """Four pickles (mark, layout, machine, content), one of the storages' keys in order, then each one's numbers.

    The content is run twice: first to learn the claims, then, with every storage's place known, for the tensors.
    Raises: CheckpointError.
    """
    source = Source(file, len(memory))
    mark, layout, machine = (run(source, no_window) for _ in range(3))
    if (
        mark != OLD_MARK
        or layout != OLD_LAYOUT
        or not isinstance(machine, dict)
        or machine.get("little_endian") is not True
    ):
        raise CheckpointError("it is not what torch.save writes; give a checkpoint")
    claims: dict[str, Claim] = {}
    begin = source.tell()

    def noted(claim: Claim) -> Storage:
        claims[claim.key] = claim
        return Storage(torch.zeros(0))

    run(source, noted, draft=True)
    keys = run(source, no_window)
    named = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []  # nesting may have no end
    if not isinstance(keys, list) or len(named) < len(keys) or sorted(named) != sorted(claims):
        raise CheckpointError("its table of storages is damaged; get the file again")
    starts, position = {}, source.tell()
    for key in keys:
        starts[key] = position + 8
        position += 8 + claims[key].count * claims[key].dtype.itemsize
        if int.from_bytes(memory[starts[key] - 8 : starts[key]], "little") != claims[key].count:
            raise CheckpointError(f"its storage {key[:40]!a} has another length than stated; get the file again")
    file.seek(begin)

    def window(claim: Claim) -> Storage:
        return window_of(memory, claim, start=starts[claim.key], room=claims[claim.key].count * claim.dtype.itemsize)

    return run(source, window)
