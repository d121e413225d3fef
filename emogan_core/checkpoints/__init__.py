"""Files to generators; nothing inside a file is ever run."""

from .load import LoadedCheckpoint, is_of_another_program, load_generator, open_generator
from .native import read_generator, write_generator
from .starts import is_foreign, start_of

__all__ = [
    "LoadedCheckpoint",
    "is_foreign",
    "is_of_another_program",
    "load_generator",
    "open_generator",
    "read_generator",
    "start_of",
    "write_generator",
]
