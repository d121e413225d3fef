"""How long computations report where they are, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step of a long computation: 1-based `step` of `steps`, and what there is to see.

    Convention: `preview` is [n, 3, h, w] in [-1, 1], detached, or None when this step has none.
    """

    step: int
    steps: int
    what: str
    loss: float | None = None
    preview: torch.Tensor | None = None


Progress = Callable[[StepReport], None]
"""Called after every step; raises `Cancelled` to stop."""


def silent(report: StepReport) -> None:
    """The progress callback that says nothing."""
