"""What a generator's own samples show, in files of a fixed number each: a fit that was stopped need not begin again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from .. import __version__
from ..errors import CheckpointError, OutputError
from ..weights import read_tensors, write_tensors

FORMAT = "emotiongan-samples-1"
CHUNK = 64
"""Samples that are drawn together and kept in one file; the same ones whoever draws them."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """What n samples of a generator show, row by row.

    Convention: w [n, w_dim]; coefficients [n, k] and identity [n, i] as `FaceFit` has them, pose_deg [n, 3] (yaw, pitch,
    roll) and skin [n, s] (see `samples.SKIN`): float32, NaN in the rows where no face was seen.
    """

    w: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    identity: NDArray[np.float32]
    pose_deg: NDArray[np.float32]
    skin: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.w)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """[n]: in which samples a face was seen, and all of it is finite."""
        parts = (self.w, self.coefficients, self.identity, self.pose_deg, self.skin)
        return np.asarray(np.logical_and.reduce([np.isfinite(part).all(1) for part in parts]))

    def rows(self, chosen: NDArray[np.bool_] | slice) -> SampleTable:
        """The chosen rows as a table of their own."""
        return SampleTable(*(getattr(self, name)[chosen] for name in PARTS))


PARTS = ("w", "coefficients", "identity", "pose_deg", "skin")


def joined(tables: Sequence[SampleTable]) -> SampleTable:
    """Tables one below the other."""
    return SampleTable(*(np.concatenate([getattr(table, name) for table in tables]) for name in PARTS))


class SampleFolder:
    """A folder with one file for every CHUNK samples.

    Convention: `how` names all that samples and their reading depend on; files of others may lie beside, under other
    names. Files are written whole or not at all, so that several processes can share the folder.
    """

    def __init__(self, path: Path, how: Mapping[str, str]) -> None:
        self.path = path
        told = {"format": FORMAT, "program": __version__, "chunk": str(CHUNK), **how}
        self._how = {"how": json.dumps(told, sort_keys=True)}  # one entry: safetensors writes several in any order
        self._key = hashlib.sha256(self._how["how"].encode()).hexdigest()[:12]

    def file(self, chunk: int) -> Path:
        """Where one chunk is kept."""
        return self.path / f"{self._key}-{chunk:06d}.safetensors"

    def has(self, chunk: int) -> bool:
        """Whether a chunk is there already."""
        return self.file(chunk).is_file()

    def put(self, chunk: int, table: SampleTable) -> None:
        """Keep one chunk.

        Raises: OutputError.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"the folder {self.path} for what samples show cannot be made ({error.strerror}); choose another --out"
            ) from error
        write_tensors(self.file(chunk), {name: torch.from_numpy(getattr(table, name)) for name in PARTS}, self._how)

    def get(self, chunk: int) -> SampleTable | None:
        """One chunk, None where it is missing or no longer whole.

        Raises: nothing; a damaged file is drawn again.
        """
        if not self.has(chunk):
            return None
        try:
            tensors, metadata = read_tensors(self.file(chunk))
            if metadata != self._how:
                return None
            table = SampleTable(*(tensors[name].numpy() for name in PARTS))
        except (CheckpointError, KeyError):
            return None
        lengths = {len(getattr(table, name)) for name in PARTS}
        return table if lengths == {CHUNK} else None
