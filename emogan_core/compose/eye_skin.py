"""The skin around an eye and its lashes: what an edit moves there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from .lashes import lashes_after, lashes_of
from .lids import BROWS, Lids, brow_above, lid_field, softness
from .openings import Place

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class EyeSkin:
    """The skin around an eye before an edit, on the eye's grid.

    Convention: brow [73] as `brow_above`, soft [73, 48] as `softness` gives it; lashes [h, w, 3] log ratios as `lashes_of` gives them, bare
    [h, w, 3] the photo without them, as the coefficients of a cubic spline.
    """

    grid: Grid
    lids: Lids
    brow: Array
    soft: Array
    lashes: Single
    bare: Single

    def field(self, mesh: Single, grid: Grid, after: Lids, scale: float) -> Single:
        """[h, w, 2] px: the skin's motion on a grid, from the mesh's there."""
        return lid_field(mesh, grid, self.lids, after, self.brow, self.soft, scale)

    def lashes_on(self, grid: Grid, after: Lids, scale: float) -> Single:
        """[h, w, 3]: log ratio of brightness by which lashes darken a grid's pixels after an edit."""
        return lashes_after(self.lashes, self.grid, grid, self.lids, after, scale)

    def without_lashes(self, colours: Single, grid: Grid, field: Single) -> Single:
        """[h, w, 3]: moved pixels of the photo, taken from the skin without its lashes where those were."""
        x, y = grid.centres()
        rows = y - self.grid.top - 0.5 + field[..., 1]
        columns = x - self.grid.left - 0.5 + field[..., 0]
        there = ndimage.maximum_filter((self.lashes < 0).any(-1).astype(np.float32), 5)
        taken = ndimage.map_coordinates(there, [rows, columns], order=0, mode="constant") > 0
        at = [rows[taken], columns[taken]]
        result = colours.copy()
        for c in range(3):
            result[taken, c] = ndimage.map_coordinates(self.bare[..., c], at, order=3, mode="nearest", prefilter=False)
        return result


def eye_skin_of(photo: Single, grid: Grid, lids: Lids, fit: FaceFit, place: Place) -> EyeSkin:
    """The skin around an eye from the photo's pixels [h, w, 3]."""
    scale = fit.pose.scale
    brow = brow_above(lids, fit.landmarks[list(BROWS[place.name])], scale)
    lashes = lashes_of(photo, grid, lids, brow, scale)
    bare = photo * np.exp(-lashes)
    spline = np.stack([ndimage.spline_filter(bare[..., c], output=np.float32, mode="nearest") for c in range(3)], -1)
    return EyeSkin(grid, lids, brow, softness(lids, brow, bare, grid, scale), lashes, spline)
