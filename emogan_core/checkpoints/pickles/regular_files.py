"""Opening a file that has an end: a pipe would be waited for without end, and a device never stops."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...errors import CheckpointError
from .file_errors import untrusted


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading; whatever goes wrong while it is becomes one CheckpointError that names it.

    Raises: CheckpointError.
    """
    with untrusted(path):
        folder = path.is_dir()  # which some systems do not even open
    if folder:
        raise CheckpointError(f"{path} is a folder; give the file in it")
    with untrusted(path), open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise CheckpointError("it is a device or pipe, not an ordinary file; give one")
        yield file


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe that nobody writes to would wait."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
