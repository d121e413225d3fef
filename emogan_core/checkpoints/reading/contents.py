"""What a foreign file holds once its bytes are read, before anybody knows whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Plain values, tensors and records; `mapped` says that the tensors are windows into the file, to be copied."""

    top: object = field(repr=False)
    mapped: bool = False
