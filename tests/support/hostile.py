"""What a stranger's file may be: pickles that call something, archives with other members than they were saved with."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path


class Call:
    """Pickles to the call of anything."""

    def __init__(self, called: Callable[..., object], *arguments: object) -> None:
        self.parts = called, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.parts


def repacked(source: Path, target: Path, **changes: bytes | Callable[[bytes], bytes]) -> Path:
    """The same archive with members exchanged or changed; `changes` are by the members' last names (data_pkl)."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            whole = old.read(member)
            change = changes.get(member.filename.split("/")[-1].replace(".", "_"), whole)
            new.writestr(member.filename, change(whole) if callable(change) else change)
    return target


def numbered(value: int) -> bytes:
    """The opcode of a number of up to nine bytes."""
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)
