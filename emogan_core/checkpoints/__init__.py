"""Files to generators; nothing inside a file is ever run."""

from .load import Opened, is_foreign, load_generator, open_generator, start_of
from .native import read_generator, write_generator

__all__ = [
    "Opened",
    "is_foreign",
    "load_generator",
    "open_generator",
    "read_generator",
    "start_of",
    "write_generator",
]
