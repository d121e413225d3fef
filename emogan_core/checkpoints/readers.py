"""Every kind of foreign generator file that is read, in the order in which readers are asked.

A new kind is one module with `detect` and `read`, one line in READERS, and one test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from ..errors import CheckpointError
from ..weights import read_header, read_tensors
from .genforce import stylegan1 as genforce_stylegan1
from .genforce import stylegan2 as genforce_stylegan2
from .kinds import kind_of_names, names_in
from .nvidia import stylegan2_pickles, stylegan2_state_dicts, stylegan3_pickles, stylegan3_state_dicts
from .pickles import NEEDED, named, open_archive, read_pickle, untrusted
from .reading.canonical import CanonicalCheckpoint
from .reading.contents import Contents
from .reading.tables import AVERAGED, TRAINING, table_at
from .rosinality import basicsr
from .rosinality import stylegan1 as rosinality_stylegan1
from .rosinality import stylegan2 as rosinality_stylegan2
from .starts import is_safetensors, is_torch_file, start_of
from .tensorflow import networks as tensorflow_networks


class Found(Protocol):
    """Where in a file a reader found its generator."""

    @property
    def table(self) -> str:
        """The key or prefix that it lies under, as errors call it; "" for the whole file."""


F = TypeVar("F", bound=Found)


@dataclass(frozen=True, slots=True)
class Reader(Generic[F]):
    """One kind of file: `detect` says where in a file's contents such a generator is, None where there is none.

    Convention: both raise CheckpointError as a clause, before which the file's name and the table are put here, once.
    """

    name: str
    detect: Callable[[Contents], F | None]
    read: Callable[[F], CanonicalCheckpoint]


READERS: tuple[Reader[Any], ...] = (
    Reader("TensorFlow pickle", tensorflow_networks.detect, tensorflow_networks.read),
    Reader("StyleGAN3 pickle", stylegan3_pickles.detect, stylegan3_pickles.read),
    Reader("StyleGAN2-ADA-PyTorch pickle", stylegan2_pickles.detect, stylegan2_pickles.read),
    Reader("StyleGAN3 state dict", stylegan3_state_dicts.detect, stylegan3_state_dicts.read),
    Reader("StyleGAN2 state dict, NVIDIA's names", stylegan2_state_dicts.detect, stylegan2_state_dicts.read),
    Reader("StyleGAN1, rosinality's names", rosinality_stylegan1.detect, rosinality_stylegan1.read),
    Reader("StyleGAN2, rosinality's names", rosinality_stylegan2.detect, rosinality_stylegan2.read),
    Reader("StyleGAN2, BasicSR's names", basicsr.detect, basicsr.read),
    Reader("StyleGAN1, genforce's names", genforce_stylegan1.detect, genforce_stylegan1.read),
    Reader("StyleGAN2, genforce's and Hammer's names", genforce_stylegan2.detect, genforce_stylegan2.read),
)


def read_foreign(path: Path) -> CanonicalCheckpoint:
    """The generator inside a file of another program, by the first reader that knows its kind.

    Raises: CheckpointError that names the file, when it is damaged, hostile, or of a kind not read here.
    """
    contents = open_contents(path)
    with torch.inference_mode(False), torch.no_grad():
        for reader in READERS:
            with untrusted(path):
                found = reader.detect(contents)
            if found is not None:
                with untrusted(path, table=found.table):
                    return reader.read(found)
    with named(path):
        raise CheckpointError(_unknown(contents))


def knows_names_of(path: Path) -> bool:
    """Whether a safetensors file has names that a reader knows; its tensors are not looked at.

    Raises: CheckpointError that names the file.
    """
    names, _ = read_header(path)
    with untrusted(path):
        return any(reader.detect(Contents(names)) is not None for reader in READERS)


def open_contents(path: Path) -> Contents:
    """A pickle, a file of torch.save or one of safetensors as plain values, tensors and records.

    Raises: CheckpointError that names the file.
    """
    start = start_of(path)
    if is_safetensors(start):
        return Contents(read_tensors(path)[0])
    if is_torch_file(start):
        return Contents(open_archive(path), mapped=True)
    return Contents(read_pickle(path))


def _unknown(contents: Contents) -> str:
    """Why nothing was found, with what the file seems to be."""
    top = contents.top
    table = top if isinstance(top, dict) and all(isinstance(name, str) for name in top) else {}
    kind = kind_of_names(names_in(table))
    if kind is not None:
        return f"it seems to be {kind}; {NEEDED}"
    if not contents.mapped:
        return "it holds no generator (no G_ema and no G); give a network pickle of a StyleGAN2 training"
    networks = (table_at(table, key) for key in (*AVERAGED, *TRAINING))
    names = next((network for network in networks if network), table)
    shown = ", ".join(f"{name[:40]!a}" for name in list(names)[:4]) or "nothing"
    return (
        f"it holds {shown}, which is no generator known here; give a StyleGAN of NVIDIA's programs, rosinality "
        "(g_ema), pSp, e4e, ReStyle or HyperStyle (state_dict with decoder.) or genforce (generator_smooth)"
    )
