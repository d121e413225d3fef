"""The one place that puts a file's name before what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CheckpointError

SHOWN_CHARACTERS = 160


@contextmanager
def named(path: Path, *, table: str = "") -> Iterator[None]:
    """A CheckpointError inside gets the file's name, and the table's in it.

    Raises: CheckpointError.
    """
    try:
        yield
    except CheckpointError as error:
        place = f"{path.name} ({table[:SHOWN_CHARACTERS]})" if table else path.name
        raise CheckpointError(f"{place}: {error}") from error


@contextmanager
def untrusted(path: Path, *, table: str = "") -> Iterator[None]:
    """As `named`; and whatever else goes wrong inside is the file's fault.

    Raises: CheckpointError and nothing else.
    """
    try:
        with named(path, table=table):
            yield
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except Exception as error:  # untrusted bytes break decoders in any way, and values may be of any type
        why = ascii(str(error))[:SHOWN_CHARACTERS]
        raise CheckpointError(f"{path.name} is damaged ({type(error).__name__}: {why}); get the file again") from error
