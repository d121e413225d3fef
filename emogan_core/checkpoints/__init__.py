"""Files to generators; nothing inside a file is ever run."""

from .load import is_foreign, load_generator, start_of
from .native import read_generator, write_generator

__all__ = ["is_foreign", "load_generator", "read_generator", "start_of", "write_generator"]
