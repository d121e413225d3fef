"""A file's first bytes, which tell how it is to be read whatever its name is."""

from __future__ import annotations

from pathlib import Path

from .pickles import ZIP_START, open_regular

START_BYTES = 64
TORCH_NUMBER = bytes.fromhex("8a0a6cfc9c46f9206aa85019")  # the number that torch.save's older layout starts with


def start_of(path: Path) -> bytes:
    """The first bytes of a file.

    Raises: CheckpointError, also for folders, pipes and devices.
    """
    with open_regular(path) as file:
        return file.read(START_BYTES)


def is_safetensors(start: bytes) -> bool:
    """Whether a file that starts so is a safetensors file, ours or another program's."""
    return start[8:9] == b"{"


def is_foreign(start: bytes) -> bool:
    """Whether a file that starts so is a pickle or a torch file, which `load_generator` reads without running it."""
    return start[:4] == ZIP_START or (start[:1] == b"\x80" and not is_safetensors(start))


def is_torch_file(start: bytes) -> bool:
    """Whether a foreign file that starts so was written by torch.save, in either layout."""
    return start[:2] == ZIP_START[:2] or TORCH_NUMBER in start[:32]  # protocols put up to 11 bytes before the number
