"""The result of an edit of an inverted face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..latents import Latent


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """The faces of an inversion after an edit.

    Convention: latent has n rows; coefficients [n, k] are the face model's after the edit, in 0..1 (below 0 where an
    expression is taken off that the fit had partly attributed to identity), or None where only the latent was changed;
    shading [n, f] is the log ratio of brightness to be added, on the face model's face vertices; step
    [n, num_ws, w_dim] is what the latent moved along `designed` axes, whose coefficients tell the same, None where it did not;
    designed_change [n, k] is by how much shapes and designed axes changed the coefficients, beyond what axes fitted on examples draw themselves, None where
    that is not known; notices are sentences about each of the n faces, such as a shape that stopped at its range, () where there are none.
    """

    latent: Latent
    coefficients: NDArray[np.float64] | None = None
    shading: NDArray[np.float64] | None = None
    step: Tensor | None = None
    designed_change: NDArray[np.float64] | None = None
    notices: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.latent)

    def __getitem__(self, index: int) -> Edit:
        """One face of the batch, still as a batch of one."""
        row = range(len(self))[index]
        return replace(
            self,
            latent=self.latent[row],
            coefficients=None if self.coefficients is None else self.coefficients[row : row + 1],
            shading=None if self.shading is None else self.shading[row : row + 1],
            step=None if self.step is None else self.step[row : row + 1],
            designed_change=None if self.designed_change is None else self.designed_change[row : row + 1],
            notices=self.notices[row : row + 1],
        )
