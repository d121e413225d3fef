"""Expression axes: directions in W+ with their units, statistics and origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch

from ..errors import ExpressionError
from ..weights import fingerprint_of

REFERENCE = "neutral"
"""The label every expression is compared with; the origin of every axis."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionAxis:
    """One expression's direction in W+ and all that is known about it.

    Convention: direction [num_ws, w_dim] float32 is the step of intensity 1, layer weights included; the readout
    eta = mean row of ws @ readout + intercept is the log odds of the expression against neutral, and rises by
    eta_per_unit along the tied direction (before layer weights). `auc` is cross-validated over people; `auc_low` and
    `auc_high` bound it at 95 %.
    """

    name: str
    direction: torch.Tensor
    readout: torch.Tensor
    intercept: float
    eta_per_unit: float
    layer_weights: tuple[float, ...]
    model: str
    covariance: str
    covariates: tuple[str, ...]
    actions: tuple[str, ...]
    n_expression: int
    n_neutral: int
    n_people: int
    n_people_both: int
    auc: float
    auc_low: float
    auc_high: float
    converged: bool
    separated: bool
    condition_number: float
    experimental: bool
    label_source: str = ""
    licence: str = ""
    link: str = "logit"


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionAxes:
    """A named set of axes of one generator.

    Convention: `fingerprint` is the generator's; `left_out` says which labels were seen too rarely to fit, and how
    often.
    """

    axes: tuple[ExpressionAxis, ...]
    fingerprint: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The expressions in the order they were fitted."""
        return tuple(axis.name for axis in self.axes)

    @property
    def content_fingerprint(self) -> str:
        """Hash of the axes themselves: generator, names and every direction."""
        tensors = {axis.name: axis.direction for axis in self.axes}
        return fingerprint_of(tensors, spec=f"emogan-axes {self.fingerprint}")

    def __len__(self) -> int:
        return len(self.axes)

    def __iter__(self) -> Iterator[ExpressionAxis]:
        return iter(self.axes)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> ExpressionAxis:
        """The axis of one expression.

        Raises: ExpressionError listing the known ones.
        """
        for axis in self.axes:
            if axis.name == name:
                return axis
        raise ExpressionError(f"expression '{name}' is not among these axes; choose from {', '.join(self.names)}")
