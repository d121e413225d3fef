"""Files of torch.save as plain tables or records, in both layouts: the zip archive, and what PyTorch wrote before 1.6.

The pickle inside runs on our own machine of opcodes, where no name is ever imported. The file is mapped, not read:
every tensor is a window into it, so a claim beyond the file's end is refused and nothing claimed is ever allocated.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from torch import Tensor

from ...errors import CheckpointError
from .arrays import Array, NumberType
from .budget import Budget
from .machine import Machine, Maker, Opaque, Source
from .old_layout import read_old_layout
from .records import Record, module_makers, opaque
from .regular_files import open_regular
from .storages import DTYPES, claim_of, tensor_makers
from .windows import Window
from .zip_layout import read_zip

MAX_FILE_BYTES = 16 << 30
ZIP_START = b"PK\x03\x04"

_KINDS = "float16 bfloat16 float32 float64 int64 int32 uint8 bool"  # options may mention a dtype
_CONSTANTS = frozenset(DTYPES) | {f"torch.{kind}" for kind in _KINDS.split()}
_PATHS = "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"
_OPTIONS = (
    "argparse.Namespace",
    "torch.device",
    "torch.Size",
    *(f"pathlib.{kind}" for kind in _PATHS.split()),
    *(f"pathlib._local.{kind}" for kind in _PATHS.split()),  # since Python 3.13
)


def open_archive(path: Path) -> dict[str, object] | Record:
    """The table or module a file of torch.save holds; tensors are windows into the file, options opaque things.

    Raises: CheckpointError when the file is damaged, packed, oversized, lies about sizes, or names anything but
    tensors, tables, numbers, texts, NVIDIA's modules and training options.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise CheckpointError(f"it has {size} bytes; needed 1 to {MAX_FILE_BYTES}; get the file again")
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        budget = Budget(size)

        def run(source: Source, window: Window, *, draft: bool = False) -> object:
            return _run(source, window, budget=budget, draft=draft)

        read = read_zip if memory[:4] == ZIP_START else read_old_layout
        found = read(file, memory, run=run)
    if isinstance(found, Record):
        return found
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise CheckpointError(
            f"{path.name} holds one {type(found).__name__} at its top instead of a table of named weights; "
            "give a checkpoint"
        )
    return found


def _run(source: Source, window: Window, *, budget: Budget, draft: bool) -> object:
    """One pickle; a draft looks at its storages only, and every tensor is opaque."""
    made: dict[str, Maker] = dict.fromkeys(tensor_makers(budget), opaque) if draft else tensor_makers(budget)
    return Machine(
        source,
        makers={**module_makers(budget), **made, **dict.fromkeys(_OPTIONS, opaque)},
        constants=_CONSTANTS,
        persistent=lambda identity: window(claim_of(identity)),
        budget=budget,
        build=lambda target, state: _build(target, state, budget),
    ).run()


def _build(target: object, state: object, budget: Budget) -> None:
    """States of numpy's numbers are taken.

    Tables carry version numbers in theirs, options their values, parameters of 2017 their hooks: dropped.
    """
    if isinstance(target, NumberType):
        target.set_state(state)
    elif isinstance(target, Array):
        target.set_state(state, budget)
    elif not isinstance(target, dict | Opaque | Tensor):
        raise CheckpointError("refused to set the state of what is no table; get the file from a source you trust")
