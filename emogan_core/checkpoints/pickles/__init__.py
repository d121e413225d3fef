"""Pickles as inert values: the machine that follows their opcodes, and the files that hold them. Knows no generator."""

from .arrays import Array
from .file_errors import named, untrusted
from .pickle_files import TENSORFLOW, read_pickle
from .programs import NEEDED, kind_of_module
from .records import Record
from .regular_files import open_regular
from .torch_files import ZIP_START, open_archive

__all__ = [
    "NEEDED",
    "TENSORFLOW",
    "ZIP_START",
    "Array",
    "Record",
    "kind_of_module",
    "named",
    "open_archive",
    "open_regular",
    "read_pickle",
    "untrusted",
]
