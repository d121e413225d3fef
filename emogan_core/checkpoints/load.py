"""The one door for weights: looks at a file's bytes, never at its name, and refuses what it does not know."""

from __future__ import annotations

from pathlib import Path

from ..devices import resolve_device
from ..errors import CheckpointError
from ..networks.build import Generator
from ..weights import builtin_path
from .native import read_generator

BUILTIN = "generator.safetensors"


def load_generator(source: str | Path = "builtin", *, device: str = "cpu") -> Generator:
    """A frozen generator, ready to draw: "builtin", or the path of a file.

    Raises: CheckpointError when the file is missing, damaged or of a kind not read here; DeviceError.
    """
    target = resolve_device(device)
    path = builtin_path(BUILTIN) if str(source) == "builtin" else Path(source)
    if not path.is_file():
        raise CheckpointError(f"no generator file at {path}; give 'builtin' or the path of a .safetensors file")
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:9] != b"{":
        raise CheckpointError(
            f"{path.name} is not a safetensors file (it starts with {start[:4]!r}); pickles and other formats are not "
            "read yet, because reading them can run code: give one of our .safetensors files"
        )
    return read_generator(path).to(target)
