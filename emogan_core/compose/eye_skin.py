"""The skin around an eye, its creases and its lashes: what an edit moves there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from .creases import creases_of, even_tone, fold_of, grain_of, smoothed
from .lashes import lashes_after, lashes_of
from .lid_skin import CHEEK_CM, SkinMotion, lid_field, light_skin
from .lids import BROWS, Lids, brow_above, grid_above, shut_share
from .openings import Place

Array = NDArray[np.float64]
Single = NDArray[np.float32]

UNFOLDED = 0.85  # how much of its crease a lid loses that shuts
FOLD_LEFT = 0.33  # and how much of it is left where the orbit's fold was
MARGIN_CM = 0.3  # around the skin above a lid, of which more is known than of the rest


@dataclass(frozen=True, slots=True, eq=False)
class EyeSkin:
    """The skin around an eye before an edit, on the eye's grid.

    Convention: brow [73] as `brow_above` gives it, light [73, 48] as `light_skin`; lashes and creases [h, w, 3] log ratios as `lashes_of` and
    `creases_of` give them; hair [h, w] where there are lashes; bare [h, w, 3] the photo without lashes; on the grid `above` the lid smooth [h', w', 3]
    as `smoothed` gives it without creases, and fold [h', w', 3] as `fold_of`; on the grid `below` the eye grain [h'', w''] as `grain_of`. Bare, smooth
    and grain are the coefficients of cubic splines; scale is px per cm.
    """

    grid: Grid
    lids: Lids
    brow: Array
    light: Array
    lashes: Single
    creases: Single
    hair: NDArray[np.bool_]
    bare: Single
    above: Grid
    smooth: Single
    fold: Single
    below: Grid
    grain: Single
    scale: float

    def motion(self, mesh: Single, grid: Grid, after: Lids, scale: float) -> SkinMotion:
        """The skin's motion on a grid, from the mesh's [h, w, 2] there."""
        return lid_field(mesh, grid, self.lids, after, self.brow, self.light, scale)

    def lashes_on(self, grid: Grid, after: Lids, scale: float) -> Single:
        """[h, w, 3]: log ratio of brightness by which lashes darken a grid's pixels after an edit."""
        return lashes_after(self.lashes, self.grid, grid, self.lids, after, scale)

    def moved(self, colours: Single, grid: Grid, field: Single, motion: SkinMotion, after: Lids) -> Single:
        """[h, w, 3]: moved pixels of the photo, without its lashes, with tone, creases and grain as lids leave them.

        Convention: field [h, w, 2] is by what the pixels moved, motion the skin's there.
        """
        at = _places(self.grid, grid, field)
        taken = _at_nearest(self.hair, at)
        result = colours.copy()
        for c in range(3):
            result[taken, c] = _read(self.bare[..., c], [line[taken] for line in at])
        shut = shut_share(self.lids, after)
        left = 1 - UNFOLDED * shut
        if left < 1:
            creased = _at_nearest(ndimage.maximum_filter((self.creases < 0).any(-1), 3), at)
            crease = _linear(self.creases, [line[creased] for line in at])
            result[creased] *= np.exp((left - 1) * crease)
        wide = motion.stretched > 0
        if not wide.any():
            return result
        smooth = self._smooth_on(grid, field, wide, left)
        if shut > 0:
            whole = result.copy()
            whole[wide] = smooth
            even = even_tone(whole, taken, motion.stretched, grid, after, self.brow, self.scale)[wide]
            fold = _linear(self.fold, [line[wide] for line in _places(self.above, grid, np.zeros_like(field))])
            smooth += shut * (even * np.exp(FOLD_LEFT * fold) - smooth)
        grain = _read(self.grain, [line[wide] for line in _places(self.below, grid, motion.grain)])
        fresh = smooth * np.exp(grain[:, None])
        result[wide] += motion.stretched[wide, None] * (fresh - result[wide])
        return result

    def _smooth_on(self, grid: Grid, field: Single, where: NDArray[np.bool_], left: float) -> Single:
        """[n, 3]: the smooth skin that comes to a grid's pixels where [h, w], with what is left of its creases."""
        at = [line[where] for line in _places(self.above, grid, field)]
        smooth = np.stack([_read(self.smooth[..., c], at) for c in range(3)], -1)
        crease = _linear(self.creases, [line[where] for line in _places(self.grid, grid, field)])
        return np.asarray(smooth * np.exp(left * crease), dtype=np.float32)


def _places(source: Grid, grid: Grid, field: Single) -> list[Array]:
    """Rows and columns of a source's pixels from which a grid's come, moved by field [h, w, 2]."""
    x, y = grid.centres()
    places = y - source.top - 0.5 + field[..., 1], x - source.left - 0.5 + field[..., 0]
    return [np.asarray(line, dtype=np.float64) for line in places]


def _at_nearest(plane: NDArray[np.bool_], at: list[Array]) -> NDArray[np.bool_]:
    """[h, w]: a plane's nearest pixels; False beyond it."""
    return np.asarray(ndimage.map_coordinates(plane.view(np.uint8), at, order=0, mode="constant") > 0)


def _linear(planes: Single, at: list[Array]) -> Single:
    """[n, 3]: planes [h, w, 3] at places; 0 beyond them."""
    return np.stack([ndimage.map_coordinates(planes[..., c], at, order=1, mode="constant") for c in range(3)], -1)


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
    light = light_skin(lids, brow, plain, grid)
    above, at = grid_above(lids, brow, grid, MARGIN_CM * scale)
    smooth, fold = smoothed(plain[at], above, lids, scale), fold_of(creases[at], above, lids, scale)
    below, at = grid_above(lids, lids.lower + CHEEK_CM[1] * scale, grid, MARGIN_CM * scale)
    grain = grain_of(photo[at], scale)
    hair = ndimage.maximum_filter((lashes < 0).any(-1), 5)
    bare, smooth, grain = _spline(bare), _spline(smooth), _spline(grain)
    return EyeSkin(grid, lids, brow, light, lashes, creases, hair, bare, above, smooth, fold, below, grain, scale)


def _spline(plane: Single) -> Single:
    if plane.ndim == 2:
        return np.asarray(ndimage.spline_filter(plane, output=np.float32, mode="nearest"))
    return np.stack([_spline(one) for one in np.moveaxis(plane, -1, 0)], -1)
