"""How long computations report their progress to a callback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step of a long computation: 1-based `step` of `steps`, with loss and preview where it has them.

    Convention: `preview` is [n, 3, h, w] in [-1, 1], detached, or None when this step has none; it shows the pictures
    of a batch from number `first` on.
    """

    step: int
    steps: int
    what: str
    loss: float | None = None
    preview: torch.Tensor | None = None
    first: int = 0


Progress = Callable[[StepReport], None]
"""Called after every step; raises `Cancelled` to stop."""


def in_parts(progress: Progress, part: int, parts: int, *, first: int = 0) -> Progress:
    """A callback for one of several equal parts of a computation; the part's pictures begin at number `first`.

    >>> report = in_parts(lambda told: print(told.step, "of", told.steps), part=1, parts=2)
    >>> report(StepReport(step=3, steps=10, what="invert"))
    13 of 20
    """

    def report(step: StepReport) -> None:
        done = part * step.steps + step.step
        progress(replace(step, step=done, steps=parts * step.steps, first=first + step.first))

    return progress if parts == 1 else report


def silent(report: StepReport) -> None:
    """The progress callback that does nothing."""
