"""Latents in W+, each bound to its generator, and the file format for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .deltas import PREFIX, Delta, delta_from
from .errors import CheckpointError, ShapeError, SpaceMismatch
from .weights import read_header, read_tensors, write_tensors
from .wording import counted

LATENT_FORMAT = "emotiongan-latent-1"


@dataclass(frozen=True, slots=True)
class Latent:
    """Codes of n pictures in a generator's W+ space.

    Convention: ws [n, num_ws, w_dim], float; `fingerprint` names the generator; `delta`, where the faces were tuned, has
    n rows too, and they are drawn with it.
    Raises: ShapeError when ws is not floating, not three-dimensional, empty or not finite, or when the delta does not fit.

    >>> latent = Latent(torch.zeros(3, 14, 512), fingerprint="ab12")
    >>> len(latent), latent[2].ws.shape
    (3, torch.Size([1, 14, 512]))
    """

    ws: torch.Tensor
    fingerprint: str
    delta: Delta | None = None

    def __post_init__(self) -> None:
        if not self.ws.is_floating_point():
            raise ShapeError(f"a latent came as {self.ws.dtype}; needed floating point, invert or sample again")
        if self.ws.ndim != 3 or self.ws.shape[0] == 0:
            raise ShapeError(f"a latent came with shape {tuple(self.ws.shape)}; needed [n, num_ws, w_dim] with n >= 1")
        if not torch.isfinite(self.ws).all():
            raise ShapeError("a latent came with NaN or infinite values; invert or sample again")
        if self.delta is not None and (len(self.delta), self.delta.fingerprint) != (len(self), self.fingerprint):
            raise ShapeError(
                f"a latent of {counted(len(self), 'face')} came with a delta of {len(self.delta)}, or of another generator; needed "
                "one for each, invert again"
            )

    def __len__(self) -> int:
        return int(self.ws.shape[0])

    def __getitem__(self, index: int | slice) -> Latent:
        """Rows of the batch, still as a batch: latent[2] has n = 1.

        Raises: IndexError beyond the last row, as every sequence does, so that `for row in latent` ends.
        """
        if not isinstance(index, slice):
            row = range(len(self))[index]
            index = slice(row, row + 1)
        return replace(self, ws=self.ws[index], delta=None if self.delta is None else self.delta[index])

    def mean_row(self) -> torch.Tensor:
        """[n, w_dim]: the mean over the rows of W+, where directions are fitted."""
        return self.ws.mean(dim=1)


def expect_same_space(what: str, fingerprint: str, other: str, other_fingerprint: str) -> None:
    """Refuse to mix two generators' spaces.

    Raises: SpaceMismatch naming both fingerprints.
    """
    if fingerprint != other_fingerprint:
        raise SpaceMismatch(
            f"{what} belongs to generator {fingerprint[:12]}, but {other} belongs to {other_fingerprint[:12]}; "
            "use both with the same generator, or fit and invert again with this one"
        )


def save_latent(path: Path, latent: Latent, *, quads: Sequence[Sequence[Sequence[float]]] = ()) -> None:
    """Write a latent as float32, with its generator's fingerprint and its delta; nothing else of the photo is stored.

    Convention: `quads`, one per row or none, are the corners of the crops in photo pixels ([4, 2]: top left, top
    right, bottom right, bottom left).
    Raises: OutputError.
    """
    metadata = {"format": LATENT_FORMAT, "fingerprint": latent.fingerprint}
    if quads:
        metadata["quads"] = json.dumps([[[float(x), float(y)] for x, y in quad] for quad in quads])
    write_tensors(path, {"ws": latent.ws.float()} | ({} if latent.delta is None else latent.delta.tensors()), metadata)


def load_latent(path: Path) -> Latent:
    """A latent on the CPU from a file that `save_latent` wrote.

    Raises: CheckpointError when the file is another one or damaged; ShapeError when its values are no finite floats.
    """
    shapes, metadata = read_header(path)
    if metadata.get("format") != LATENT_FORMAT:
        raise CheckpointError(
            f"{path.name} is not a latent (format '{metadata.get('format', 'none')}'); needed '{LATENT_FORMAT}', "
            "as `emogan invert` writes it"
        )
    if {name for name in shapes if not name.startswith(PREFIX)} != {"ws"} or not metadata.get("fingerprint"):
        raise CheckpointError(f"{path.name} lacks its codes or its generator's fingerprint; invert the photo again")
    tensors, _ = read_tensors(path)
    return Latent(tensors["ws"], metadata["fingerprint"], delta_from(tensors, metadata["fingerprint"]))
