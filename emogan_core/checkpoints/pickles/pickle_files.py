"""NVIDIA's .pkl files, of PyTorch and of TensorFlow, as plain values, tensors and records.

Nothing is imported, called or compiled on a file's behalf: the opcodes run on our own machine, and the storages, which
are files within the file, are parsed here as well. Module source embedded in the file is dropped unread.
Source: layouts as documented for PyTorch's serialisation; the state that TensorFlow's networks save, as their programs
document it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import torch

from ...errors import CheckpointError
from .arrays import Array, NumberType
from .budget import Budget
from .machine import Machine, Maker, Source
from .records import Record, module_makers
from .regular_files import open_regular
from .storages import DTYPES, OLD_LAYOUT, OLD_MARK, Claim, Storage, claim_of, tensor_makers

MAX_FILE_BYTES = 2 << 30  # the largest in circulation, three networks of 1024 px, have 0.4 GiB
TENSORFLOW = "dnnlib.tflib.network.Network"
TENSORFLOW_STATE = ("version", "name", "static_kwargs", "components", "build_func_name", "variables")
PROGRESSIVE = ("tfutil.Network", "network.Network")


def read_pickle(path: Path) -> object:
    """What a pickle of plain values, tensors and NVIDIA's modules or networks describes, these as records.

    Raises: CheckpointError naming the file and what was refused; nothing else, whatever the bytes are.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            raise CheckpointError(f"it has {size} bytes, above the limit of {MAX_FILE_BYTES}; no generator is so large")
        budget = Budget(size)
        return Machine(
            Source(file, size),
            makers=_makers(budget),
            budget=budget,
            build=lambda target, state: _build(target, state, budget),
        ).run()


def _makers(budget: Budget) -> dict[str, Maker]:
    def storage(data: object) -> Storage:
        return _storage(data, budget)

    return {
        **module_makers(budget),
        **tensor_makers(budget),
        "torch.storage._load_from_bytes": storage,
        TENSORFLOW: _tensorflow,
        **dict.fromkeys(PROGRESSIVE, _progressive),
    }


def _storage(data: object, budget: Budget) -> Storage:
    """One storage from the bytes of a torch.save of the older layout, parsed without torch.load."""
    if not isinstance(data, bytes):
        raise CheckpointError("a storage is not made of bytes; the file is damaged, get it again")
    budget.spend_bytes(len(data))
    source = Source(io.BytesIO(data), len(data))

    def step(persistent: Callable[[object], object] | None = None) -> object:
        names = frozenset(DTYPES)
        return Machine(source, makers={}, constants=names, persistent=persistent, budget=budget).run()

    try:
        magic, layout, machine = step(), step(), step()
        if magic != OLD_MARK or layout != OLD_LAYOUT or not isinstance(machine, dict):
            raise CheckpointError("it is not of torch.save's older layout, the only one storages come in")
        if machine.get("little_endian") is not True:
            raise CheckpointError("it was written on a big-endian machine, which is not read")
        claim, keys = step(claim_of), step()
    except CheckpointError as error:
        raise CheckpointError(f"inside a tensor's storage: {error}") from error
    if not isinstance(claim, Claim) or not isinstance(keys, list) or len(keys) != 1 or keys[0] != claim.key:
        raise CheckpointError("a storage's table of contents is damaged; get the file again")
    header = int.from_bytes(source.read(8), "little")
    start, needed = source.tell(), claim.count * claim.dtype.itemsize
    if header != claim.count or needed != len(data) - start:
        raise CheckpointError(
            f"a storage claims {claim.count} numbers ({needed} bytes) and holds {len(data) - start} bytes; "
            "the file is damaged or cut short, get it again"
        )
    if not needed:
        return Storage(torch.zeros(0, dtype=claim.dtype))
    return Storage(torch.frombuffer(bytearray(memoryview(data)[start:]), dtype=claim.dtype))


def _tensorflow(*arguments: object) -> Record:
    """A network without its state, which comes by a BUILD."""
    if arguments:
        raise CheckpointError("a TensorFlow network is made with arguments; needed one saved by its own program")
    return Record(TENSORFLOW, {})


def _progressive(*_: object) -> object:
    raise CheckpointError("it is a Progressive GAN, which has no W space to edit in; give a StyleGAN")


def _build(target: object, state: object, budget: Budget) -> None:
    """States of numpy's types and arrays and of TensorFlow's networks; nothing else has one that matters."""
    if isinstance(target, NumberType):
        target.set_state(state)
    elif isinstance(target, Array):
        target.set_state(state, budget)
    elif isinstance(target, Record) and target.class_name == TENSORFLOW:
        if target.state or not isinstance(state, dict):
            raise CheckpointError("a TensorFlow network's state comes twice or is no dictionary; get the file again")
        target.state.update({key: state.get(key) for key in TENSORFLOW_STATE})  # its source code is dropped here
    else:
        raise CheckpointError("refused to set the state of what has none; get the file from a source you trust")
