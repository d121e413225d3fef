"""Files to generators; nothing inside a file is ever run."""

from .load import LoadedCheckpoint, load_generator, open_generator
from .native import read_generator, write_generator
from .starts import is_foreign, start_of

__all__ = [
    "LoadedCheckpoint",
    "is_foreign",
    "load_generator",
    "open_generator",
    "read_generator",
    "start_of",
    "write_generator",
]
