"""Tuning deltas: what pivotal tuning adds to a generator's weights for one face, small enough to be kept with its code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .errors import ShapeError
from .weights import fingerprint_of

PREFIX = "delta."
_LEFT, _RIGHT = ".left", ".right"


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """Low-rank changes of the weights of a generator's synthesis, for each of n faces.

    Convention: factors maps the name of a weight [o, i, k, k] to left [n, o, r] and right [n, r, i * k * k], float16 on
    the CPU; their product is added to the weight. `fingerprint` names the generator.
    Raises: ShapeError when factors do not fit each other, differ in n, or are not finite.
    """

    factors: Mapping[str, tuple[Tensor, Tensor]]
    fingerprint: str

    def __post_init__(self) -> None:
        counts = {len(part) if part.ndim == 3 else 0 for pair in self.factors.values() for part in pair}
        if len(counts) != 1 or 0 in counts:
            raise ShapeError(f"a delta came with factors of {sorted(counts)} faces; needed one number, tune again")
        for name, (left, right) in self.factors.items():
            if left.dtype != torch.float16 or right.dtype != torch.float16 or left.shape[2] != right.shape[1]:
                raise ShapeError(
                    f"a delta came with factors {tuple(left.shape)} and {tuple(right.shape)} of '{name[:60]}'; needed "
                    "float16 [n, o, r] and [n, r, m], tune again"
                )
            if not (torch.isfinite(left).all() and torch.isfinite(right).all()):
                raise ShapeError(f"a delta came with NaN or infinite values of '{name[:60]}'; tune again")

    def __len__(self) -> int:
        return len(next(iter(self.factors.values()))[0])

    def __getitem__(self, rows: slice) -> Delta:
        """Some faces of the batch."""
        return replace(self, factors={name: (left[rows], right[rows]) for name, (left, right) in self.factors.items()})

    @property
    def content_fingerprint(self) -> str:
        """Hash of the factors and of the generator's fingerprint."""
        return fingerprint_of(self.tensors(), spec=self.fingerprint)

    def tensors(self) -> dict[str, Tensor]:
        """The factors as a file keeps them; `delta_from` reads them back."""
        pairs = self.factors.items()
        return {f"{PREFIX}{name}{_LEFT}": left for name, (left, _) in pairs} | {
            f"{PREFIX}{name}{_RIGHT}": right for name, (_, right) in pairs
        }


def delta_from(tensors: Mapping[str, Tensor], fingerprint: str) -> Delta | None:
    """The delta among a file's tensors, None where there is none.

    Raises: ShapeError when a factor is alone or they do not fit.
    """
    own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    if not own:
        return None
    names = {name.removesuffix(_LEFT).removesuffix(_RIGHT) for name in own}
    alone = [name for name in sorted(names) if f"{name}{_LEFT}" not in own or f"{name}{_RIGHT}" not in own]
    if alone:
        raise ShapeError(f"a delta came with one factor of '{alone[0][:60]}'; needed two, tune again")
    factors = {name: (own[f"{name}{_LEFT}"].half(), own[f"{name}{_RIGHT}"].half()) for name in sorted(names)}
    return Delta(factors, fingerprint)


def joined(deltas: Sequence[Delta]) -> Delta:
    """The deltas of several faces of one generator, tuned alike, as one batch."""
    first = deltas[0]
    factors = {
        name: (
            torch.cat([delta.factors[name][0] for delta in deltas]),
            torch.cat([delta.factors[name][1] for delta in deltas]),
        )
        for name in first.factors
    }
    return replace(first, factors=factors)
