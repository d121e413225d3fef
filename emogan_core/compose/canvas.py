"""What an edit draws, layer by layer, on a part of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..face_model.mesh import Grid
from ..images import Pixels
from .motion import Patch
from .sampling import read_at

Single = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Canvas:
    """What an edit makes of a part of the photo: the box's left and top, its own pixels, the new ones and the mask."""

    left: int
    top: int
    own: Single
    colours: Single
    mask: Single

    def at(self, grid: Grid) -> tuple[slice, slice]:
        row, column = int(grid.top) - self.top, int(grid.left) - self.left
        return slice(row, row + grid.height), slice(column, column + grid.width)

    def lay_seam(self, pixels: Pixels, patch: Patch) -> None:
        """Give pixels in which two sides of an opening meet their share of each."""
        if not len(patch.seam):
            return
        rows, columns = patch.seam.T + np.array([[int(patch.grid.top)], [int(patch.grid.left)]])
        at = rows - self.top, columns - self.left
        beyond = read_at(pixels, columns, rows, patch.beyond)
        self.colours[at] += patch.share[:, None] * (beyond - self.colours[at])

    def lay(self, grid: Grid, behind: Single, front: Single) -> None:
        """Put `behind` [h, w, 3] where skin does not cover it: front [h, w] is the skin's share."""
        at = self.at(grid)
        mixed = behind + front[..., None] * (self.colours[at] - behind)
        changed = np.abs(mixed - self.own[at]).max(-1) > 0.25
        opened = front < 1
        self.colours[at] = np.where(opened[..., None], mixed, self.colours[at])
        self.mask[at] = np.where(opened, np.maximum(self.mask[at] * front, (1 - front) * changed), self.mask[at])

    def darken(self, grid: Grid, ratio: Single) -> None:
        """Change brightness by a log ratio [h, w, 3]."""
        at = self.at(grid)
        self.colours[at] *= np.exp(ratio)
        changed = np.abs(self.colours[at] - self.own[at]).max(-1) > 0.25
        self.mask[at] = np.where((ratio < 0).any(-1) & changed, 1, self.mask[at])
