"""Upper lashes as a layer of their own: taken off the skin, so that the skin can stretch, and laid on again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from .lids import SPAN, WAY, Lids, above_lid, line_along, shut_share

Array = NDArray[np.float64]
Single = NDArray[np.float32]

STRAND_CM = 0.32  # what is dark and narrower than this along the lid is a lash
GRAIN = 0.05  # log brightness by which skin without lashes differs from place to place
REACH_CM = 1.0  # lashes reach no further above the lid's edge
BELOW_BROW = 0.85  # nor more than this share of the way to the brow
LEAST_CM = 0.15  # and at least so far
THIN = 0.02  # log brightness by which hair darkens the skin at least
ROOT_CM = 0.06  # they begin inside the opening
BESIDE = 0.2  # of the eye's length: how far beyond the corners
TURN = 1.7  # lashes of a lid that closes turn down: at their steepest they seem this much longer the other way, less 1
DOWN_CM = 0.6  # lashes that turn down are no longer
LEAST = 0.2  # no lash seems shorter than this share of its length


def lashes_of(photo: Single, grid: Grid, lids: Lids, brow: Array, scale: float) -> Single:
    """[h, w, 3]: log ratio (0 or less) of the photo's brightness to that of the skin without lashes.

    Convention: photo [h, w, 3] on the grid, brow [73] as `brow_above` gives it.
    """
    bright = np.maximum(photo, 1.0)
    line = line_along(lids.frame.axes[0], STRAND_CM * scale)
    bare = np.stack([ndimage.grey_closing(bright[..., c], footprint=line, mode="nearest") for c in range(3)], -1)
    bare = np.stack([ndimage.gaussian_filter(bare[..., c], 0.03 * scale) for c in range(3)], -1)
    ratio = np.log(bright / np.maximum(bare, 1.0))
    ratio *= np.clip((-ratio.mean(-1, keepdims=True) - GRAIN) / GRAIN, 0, 1)
    share, down = lids.inside(grid)
    off = np.interp(share, SPAN, lids.upper) - down
    reach = np.maximum(np.interp(share, SPAN, _reach(ratio.mean(-1), grid, lids, brow, scale)), 1.0)
    beside = np.maximum(-share, share - 1) / BESIDE
    weight = np.clip((reach - off) / (0.2 * reach), 0, 1) * np.clip(1 - beside, 0, 1)
    weight = weight * np.clip(off / (ROOT_CM * scale) + 1, 0, 1)
    return np.asarray(np.minimum(ratio, 0) * weight[..., None], dtype=np.float32)


def _reach(ratio: Single, grid: Grid, lids: Lids, brow: Array, scale: float) -> Array:
    """[73] px: how far lashes reach above the lid's edge: to where hair ends, and a brow may begin."""
    off = (lids.upper - brow)[:, None] * WAY
    hair = ndimage.gaussian_filter(-above_lid(ratio, grid, lids, brow), (3.0, 1.5), mode="nearest")
    ends = (hair < THIN) & (off > LEAST_CM * scale)
    reach = np.where(ends.any(1), off[np.arange(len(off)), ends.argmax(1)], off[:, -1] * BELOW_BROW)
    reach = ndimage.gaussian_filter1d(reach, 2.0, mode="nearest") + 0.1 * scale
    return np.asarray(np.minimum(np.minimum(reach, REACH_CM * scale), off[:, -1] * BELOW_BROW))


def lashes_after(lashes: Single, source: Grid, grid: Grid, before: Lids, after: Lids, scale: float) -> Single:
    """[h, w, 3] on `grid`: the layer on its lid after an edit, turned down as far as the lid closed."""
    turn = 1 - TURN * shut_share(before, after)
    turn = float(np.copysign(max(abs(turn), LEAST), turn))
    share, down = after.inside(grid)
    off = (np.interp(share, SPAN, after.upper) - down) / turn
    along, across = share * before.frame.length, np.interp(share, SPAN, before.upper) - off
    x, y = (before.frame.origin[k] + along * before.frame.axes[0, k] + across * before.frame.axes[1, k] for k in (0, 1))
    at = [y - source.top - 0.5, x - source.left - 0.5]
    planes = [ndimage.map_coordinates(lashes[..., c], at, order=1, mode="constant") for c in range(3)]
    layer = np.stack(planes, axis=-1)
    if turn < 0:  # what is far from the lid's edge may be its crease: it does not turn
        layer *= np.clip((DOWN_CM * scale - off) / (0.5 * DOWN_CM * scale), 0, 1)[..., None]
    return np.asarray(layer, dtype=np.float32)
