"""Files to generators; anything that could run code is refused."""

from .load import load_generator
from .native import read_generator, write_generator

__all__ = ["load_generator", "read_generator", "write_generator"]
