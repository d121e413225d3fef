"""Generators from files: a file's kind is read from its bytes, never from its name, and what is not known is refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..devices import resolve_device
from ..errors import CheckpointError
from ..networks.build import Generator, build_generator
from ..networks.spec import GeneratorSpec
from ..weights import builtin_path
from .kinds import kind_of_start
from .known import recognised
from .native import is_ours, read_generator
from .pickles import NEEDED, named
from .reading.canonical import CanonicalCheckpoint
from .starts import is_foreign, is_safetensors, start_of

BUILTIN = "generator.safetensors"
MAX_NAME = 80
LOG = logging.getLogger("emogan")


@dataclass(frozen=True, slots=True, eq=False)
class LoadedCheckpoint:
    """A generator out of a file, with the file and its reader's notices.

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
    loaded = open_generator(source, device=device)
    for notice in loaded.notices:
        LOG.warning("%s: %s", loaded.path.name, notice)
    return loaded.generator


def open_generator(source: str | Path = "builtin", *, device: str = "cpu") -> LoadedCheckpoint:
    """What `load_generator` gives, with the notices in hand instead of in the log.

    Raises: CheckpointError; DeviceError.
    """
    target = resolve_device(device)
    path = path_of(source)
    try:
        there = path.exists()
    except OSError as error:  # a name too long, or a folder that may not be looked into
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    if not there:
        raise CheckpointError(f"no generator file at {path}; give 'builtin' or the path of a generator file")
    start = start_of(path)
    with torch.inference_mode(False):
        if is_safetensors(start) and not is_of_another_program(path):
            return LoadedCheckpoint(read_generator(path).to(target), path, own=True)
        checkpoint = _foreign(path, start)
        with named(path):
            generator = build_generator(checkpoint.spec, checkpoint.tensors)
        notices, computed = checkpoint.notices, checkpoint.computed
        return LoadedCheckpoint(generator.to(target), path, own=False, notices=notices, computed=computed)


def path_of(source: str | Path) -> Path:
    """The file that "builtin" or a path stands for."""
    return builtin_path(BUILTIN) if str(source) == "builtin" else Path(source)


def is_of_another_program(path: Path) -> bool:
    """Whether a safetensors file holds a generator under the names of another program.

    Raises: CheckpointError when it is damaged.
    """
    if is_ours(path):
        return False
    from .readers import knows_names_of  # here, as below

    return knows_names_of(path)


def _foreign(path: Path, start: bytes) -> CanonicalCheckpoint:
    if not is_foreign(start) and not is_safetensors(start):
        kind = kind_of_start(start)
        what = f"is {kind}" if kind else f"is no generator file known here (it starts with {start[:4]!r})"
        raise CheckpointError(f"{path.name} {what}; {NEEDED}")
    from .readers import read_foreign  # here: most starts of the program need no reader, and there are many

    found = read_foreign(path)
    known = recognised(path)
    if known is None:
        return replace(found, spec=named_by_file(found.spec, path))
    return replace(found, spec=replace(found.spec, name=known.name, licence=known.licence))


def named_by_file(spec: GeneratorSpec, path: Path) -> GeneratorSpec:
    """The spec with the file's name, where nothing in it says another."""
    return replace(spec, name=unicode_only(path.stem[:MAX_NAME])) if spec.name == "unnamed" else spec


def unicode_only(text: str) -> str:
    """A text that every file can hold: names of files and arguments may have bytes that are no Unicode."""
    return text.encode("utf-8", "replace").decode("utf-8")
