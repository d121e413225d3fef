"""The one door for weights: looks at a file's bytes, never at its name, and refuses what it does not know."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..devices import resolve_device
from ..errors import CheckpointError
from ..files import first_bytes
from ..networks.build import Generator, build_generator
from ..networks.spec import GeneratorSpec
from ..weights import builtin_path
from .canonical import CanonicalCheckpoint
from .kinds import NEEDED, kind_of_start
from .known import recognised
from .native import read_generator

BUILTIN = "generator.safetensors"
START_BYTES = 64
MAX_NAME = 80
TORCH_NUMBER = bytes.fromhex("8a0a6cfc9c46f9206aa85019")  # the number that torch.save's older layout starts with
LOG = logging.getLogger("emogan")


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A generator out of a file, with the file and what its reader had to say.

    Convention: `notices` are sentences about what a file of another program lacked and what was done instead; `own`
    says whether the file is one of ours, `computed` which tensors were made up for what it lacked.
    """

    generator: Generator
    path: Path
    own: bool
    notices: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()


def load_generator(source: str | Path = "builtin", *, device: str = "cpu") -> Generator:
    """A frozen generator, ready to draw: "builtin", or the path of a file.

    Convention: what a file of another program lacked and what was done instead is logged to 'emogan', as warnings.
    Raises: CheckpointError when the file is missing, damaged, hostile or of a kind not read here; DeviceError.
    """
    opened = open_generator(source, device=device)
    for notice in opened.notices:
        LOG.warning("%s: %s", opened.path.name, notice)
    return opened.generator


def open_generator(source: str | Path = "builtin", *, device: str = "cpu") -> Opened:
    """What `load_generator` gives, with the notices in hand instead of in the log.

    Raises: CheckpointError; DeviceError.
    """
    target = resolve_device(device)
    path = path_of(source)
    try:
        there = path.is_file()
    except OSError as error:  # a name too long, or a folder that may not be looked into
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    if not there:
        raise CheckpointError(f"no generator file at {path}; give 'builtin' or the path of a generator file")
    start = start_of(path)
    with torch.inference_mode(False):
        if start[8:9] == b"{":
            return Opened(read_generator(path).to(target), path, own=True)
        checkpoint = _foreign(path, start)
        generator = _built(path, checkpoint).to(target)
        return Opened(generator, path, own=False, notices=checkpoint.notices, computed=checkpoint.computed)


def path_of(source: str | Path) -> Path:
    """The file that "builtin" or a path stands for."""
    return builtin_path(BUILTIN) if str(source) == "builtin" else Path(source)


def start_of(path: Path) -> bytes:
    """The bytes that tell what a file is.

    Raises: CheckpointError.
    """
    try:
        return first_bytes(path, START_BYTES)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error


def is_foreign(start: bytes) -> bool:
    """Whether a file that starts so is a pickle or a torch file, which `load_generator` reads without running it."""
    return start[:4] == b"PK\x03\x04" or (start[:1] == b"\x80" and start[8:9] != b"{")


def _foreign(path: Path, start: bytes) -> CanonicalCheckpoint:
    if not is_foreign(start):
        kind = kind_of_start(start)
        told = f"is {kind}" if kind else f"is no generator file known here (it starts with {start[:4]!r})"
        raise CheckpointError(f"{path.name} {told}; {NEEDED}")
    from .nvidia import read_nvidia  # here: most starts of the program need no reader, and there are many
    from .torch_files import read_torch_file

    torch_file = start[:2] == b"PK" or TORCH_NUMBER in start[:32]  # protocols put up to 11 bytes before the number
    found = read_torch_file(path) if torch_file else read_nvidia(path)
    known = recognised(path)
    if known is None:
        return replace(found, spec=named_by_file(found.spec, path))
    return replace(found, spec=replace(found.spec, name=known.name, licence=known.licence))


def named_by_file(spec: GeneratorSpec, path: Path) -> GeneratorSpec:
    """The spec with the file's name, where nothing in it tells another."""
    return replace(spec, name=path.stem[:MAX_NAME]) if spec.name == "unnamed" else spec


def _built(path: Path, checkpoint: CanonicalCheckpoint) -> Generator:
    try:
        return build_generator(checkpoint.spec, checkpoint.tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
