"""The skin around an eye, its creases and its lashes: what an edit moves there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from .creases import creases_of, grain_of, smoothed
from .lashes import lashes_after, lashes_of
from .lid_skin import SkinMotion, lid_field, light_skin
from .lids import BROWS, Lids, brow_above, shut_share
from .openings import Place

Array = NDArray[np.float64]
Single = NDArray[np.float32]

UNFOLDED = 0.85  # how much of its crease a lid loses that shuts


@dataclass(frozen=True, slots=True, eq=False)
class EyeSkin:
    """The skin around an eye before an edit, on the eye's grid.

    Convention: brow [73] as `brow_above` gives it, light [73, 48] as `light_skin`; lashes and creases [h, w, 3] log ratios as `lashes_of` and
    `creases_of` give them; bare [h, w, 3] the photo without lashes, smooth [h, w, 3] and grain [h, w] as `smoothed` and
    `grain_of` give them of that without creases, as the coefficients of cubic splines.
    """

    grid: Grid
    lids: Lids
    brow: Array
    light: Array
    lashes: Single
    creases: Single
    bare: Single
    smooth: Single
    grain: Single

    def motion(self, mesh: Single, grid: Grid, after: Lids, scale: float) -> SkinMotion:
        """The skin's motion on a grid, from the mesh's [h, w, 2] there."""
        return lid_field(mesh, grid, self.lids, after, self.brow, self.light, scale)

    def lashes_on(self, grid: Grid, after: Lids, scale: float) -> Single:
        """[h, w, 3]: log ratio of brightness by which lashes darken a grid's pixels after an edit."""
        return lashes_after(self.lashes, self.grid, grid, self.lids, after, scale)

    def moved(self, colours: Single, grid: Grid, field: Single, motion: SkinMotion, after: Lids) -> Single:
        """[h, w, 3]: moved pixels of the photo, without its lashes, with creases and grain as lids leave them.

        Convention: field [h, w, 2] is by what the pixels moved, motion the skin's there.
        """
        at = self._places(grid, field)
        there = ndimage.maximum_filter((self.lashes < 0).any(-1).astype(np.float32), 5)
        taken = ndimage.map_coordinates(there, at, order=0, mode="constant") > 0
        result = colours.copy()
        for c in range(3):
            result[taken, c] = _read(self.bare[..., c], [line[taken] for line in at])
        left = 1 - UNFOLDED * shut_share(self.lids, after)
        crease = np.stack(
            [ndimage.map_coordinates(self.creases[..., c], at, order=1, mode="constant") for c in range(3)], -1
        )
        if left < 1:
            result *= np.exp((left - 1) * crease)
        rows, columns = np.nonzero(motion.stretched)
        if len(rows):
            at = [line[rows, columns] for line in at]
            grain = _read(self.grain, [line[rows, columns] for line in self._places(grid, motion.grain)])
            smooth = np.stack([_read(self.smooth[..., c], at) for c in range(3)], -1)
            fresh = smooth * np.exp(left * crease[rows, columns] + grain[:, None])
            result[rows, columns] += motion.stretched[rows, columns, None] * (fresh - result[rows, columns])
        return result

    def _places(self, grid: Grid, field: Single) -> list[Array]:
        """Rows and columns of this eye's grid from which a grid's pixels come."""
        x, y = grid.centres()
        places = y - self.grid.top - 0.5 + field[..., 1], x - self.grid.left - 0.5 + field[..., 0]
        return [np.asarray(line, dtype=np.float64) for line in places]


def _read(spline: Single, at: list[Array]) -> Single:
    return np.asarray(ndimage.map_coordinates(spline, at, order=3, mode="nearest", prefilter=False), dtype=np.float32)


def eye_skin_of(photo: Single, grid: Grid, lids: Lids, fit: FaceFit, place: Place) -> EyeSkin:
    """The skin around an eye from the photo's pixels [h, w, 3]."""
    brow = brow_above(lids, fit.landmarks[list(BROWS[place.name])], fit.pose.scale)
    return eye_skin(photo, grid, lids, brow, fit.pose.scale)


def eye_skin(photo: Single, grid: Grid, lids: Lids, brow: Array, scale: float) -> EyeSkin:
    """The same from the brow's line [73] as `brow_above` gives it, and px per cm."""
    lashes = lashes_of(photo, grid, lids, brow, scale)
    bare = photo * np.exp(-lashes)
    creases = creases_of(bare, grid, lids, brow, scale)
    plain = bare * np.exp(-creases)
    smooth, grain = smoothed(plain, grid, lids, scale), grain_of(photo, lashes, scale)
    light = light_skin(lids, brow, plain, grid)
    return EyeSkin(grid, lids, brow, light, lashes, creases, *(_spline(one) for one in (bare, smooth, grain)))


def _spline(plane: Single) -> Single:
    if plane.ndim == 2:
        return np.asarray(ndimage.spline_filter(plane, output=np.float32, mode="nearest"))
    return np.stack([_spline(one) for one in np.moveaxis(plane, -1, 0)], -1)
