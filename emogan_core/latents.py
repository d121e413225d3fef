"""Latents in W+, each bound to the generator it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from .errors import ShapeError, SpaceMismatch


@dataclass(frozen=True, slots=True)
class Latent:
    """Codes of n pictures in a generator's W+ space.

    Convention: ws [n, num_ws, w_dim], float; `fingerprint` names the generator.
    Raises: ShapeError when ws is not three-dimensional, empty or not finite.
    """

    ws: torch.Tensor
    fingerprint: str

    def __post_init__(self) -> None:
        if self.ws.ndim != 3 or self.ws.shape[0] == 0:
            raise ShapeError(f"a latent came with shape {tuple(self.ws.shape)}; needed [n, num_ws, w_dim] with n >= 1")
        if not torch.isfinite(self.ws).all():
            raise ShapeError("a latent came with NaN or infinite values; invert or sample again")

    def __len__(self) -> int:
        return int(self.ws.shape[0])

    def __getitem__(self, index: int | slice) -> Latent:
        """Rows of the batch, still as a batch: latent[2] has n = 1."""
        rows = self.ws[index : index + 1] if isinstance(index, int) and index >= 0 else self.ws[index]
        return replace(self, ws=rows)

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
