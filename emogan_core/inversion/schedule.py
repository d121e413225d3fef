"""How fast an optimisation goes: its learning rate by its progress, and its steps within a time budget."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..errors import EmoganError
from .likeness import Likeness
from .objective import Weights

PRIOR_DECADES = 4.0  # decades of the prior's weight from likeness to editability


@dataclass(frozen=True, slots=True)
class OptimiseConfig:
    """How long, at what rate and towards what an inversion optimises.

    Convention: steps of each method; `lr` in units of w_std per step, `warm_up` and `decay` are shares of the run. With
    `seconds` a run of one batch has fewer steps where time runs out, and decays in time; what it finds then varies with
    the machine. `editability` 0..1 says how near to typical codes the result is held: 0 likeness alone, 1 edits best.
    `likeness` are networks of the user whose distances are minimised as well.
    Raises: EmoganError for numbers beyond these.
    """

    steps: int = 120
    hybrid_steps: int = 60
    tune_steps: int = 120
    lr: float = 0.08
    warm_up: float = 0.05
    decay: float = 0.5
    seconds: float | None = None
    editability: float = 0.5
    weights: Weights = field(default_factory=Weights)
    likeness: Likeness = field(default_factory=Likeness)

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise EmoganError(f"a time budget of {self.seconds} seconds came; needed a finite number above 0")
        if not 0 <= self.editability <= 1:
            raise EmoganError(f"an editability of {self.editability} came; needed a number from 0 to 1")

    @property
    def prior_scaled(self) -> Weights:
        """The weights with the prior's as `editability` has it; in the middle they are as given."""
        share = 10 ** (PRIOR_DECADES * (self.editability - 0.5))
        spread, distance = self.weights.layer_spread, self.weights.w_distance
        return replace(self.weights, w_distance=share * distance, layer_spread=share * spread)


def rate_at(step: int, steps: int, config: OptimiseConfig) -> float:
    """Learning rate at a 0-based step: linear warm-up, flat, then a half cosine to zero."""
    up = min(1.0, (step + 1) / max(1.0, config.warm_up * steps))
    late = max(0.0, (step - (1 - config.decay) * steps) / max(1.0, config.decay * steps))
    return config.lr * up * (0.5 + 0.5 * math.cos(math.pi * min(1.0, late)))


def steps_within(steps: int, seconds: float | None, *, began: float) -> Iterator[tuple[int, int]]:
    """Each 0-based step with how many there will be: `steps`, or fewer where a time budget ends before; at least one.

    Convention: `began` is what `time.monotonic` said when the budget began.
    The first step says little of how long the others take, as libraries wake up in it, so a second follows while there
    is time; from then on none begins that would not end in time.
    """
    latest = time.monotonic()
    step, expected, shortest = 0, steps, math.inf
    while step < expected:
        yield step, expected
        step += 1
        if seconds is not None:
            now = time.monotonic()
            shortest, latest = min(now - latest, shortest) if step > 1 else math.inf, now
            left = seconds - (now - began)
            more = (steps if left > 0 else 0) if step == 1 else int(max(left, 0.0) / max(shortest, 1e-9))
            expected = min(steps, step + more)
