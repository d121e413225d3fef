"""What the readers of NVIDIA's PyTorch pickles share: walking a file's records, and reading what they tell."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import CheckpointError
from .unpickling import Record

MAX_DEPTH = 8
MAX_MODULES = 4096
MAX_ENTRIES = 256  # of one module's table; a file may hang one table under every module
MAX_NAME = 100


def modules_of(record: Record, name: str = "") -> Iterator[tuple[str, Record]]:
    """Every module below a record with its dotted name, however the file has knotted them.

    Raises: CheckpointError when there are more than any network has.
    """
    queue, seen = [(name, record)], 0
    while queue:
        name, record = queue.pop()
        seen += 1
        if seen > MAX_MODULES or name.count(".") > MAX_DEPTH:
            raise CheckpointError(f"it has more than {MAX_MODULES} modules or {MAX_DEPTH} floors; no generator does")
        yield name, record
        for key, child in table_of(record, "_modules").items():
            if isinstance(child, Record):
                queue.append((f"{name}.{key}" if name else key, child))


def table_of(record: Record, key: str) -> dict[str, object]:
    """One of a module's tables; empty when it is none.

    Raises: CheckpointError when it is larger than any network needs.
    """
    table = record.state.get(key)
    if not isinstance(table, dict):
        return {}
    if len(table) > MAX_ENTRIES or not all(isinstance(name, str) and len(name) <= MAX_NAME for name in table):
        raise CheckpointError(f"a module's table has more than {MAX_ENTRIES} entries or odd names; no generator has")
    return table


def clamp_of(value: object) -> float | None:
    """A layer's activation limit, or None for none.

    Raises: CheckpointError.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and 0 < value < float("inf"):
        return float(value)
    raise CheckpointError("an activation limit is no positive number; the file is damaged, get it again")


def told_word(value: object) -> str:
    """A word of the file, fit to be shown."""
    return ascii(value[:40]) if isinstance(value, str) else "not a word"
