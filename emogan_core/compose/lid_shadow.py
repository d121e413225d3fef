"""The shadow that an upper lid and its lashes throw on the eye: seen in the photo, it goes with the lid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from .curves import smooth_step
from .lids import SPAN, Lids

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Flags = NDArray[np.bool_]

DEEP_CM, STEPS = 0.4, 16  # how far below the lid's edge it reaches, and the places at which it is known
SURE = 0.5  # of that depth, as a share of the rest, in which it is as it was seen
DARKEST = 0.3  # no shadow leaves less of the light


@dataclass(frozen=True, slots=True, eq=False)
class Shadow:
    """What an upper lid leaves of the light: table [73, 16] in 0..1, by the lids' SPAN and the depth below its edge.

    Convention: gap is the mean height (px) of the opening in which it was seen; in a lower one it is as much shallower.
    """

    table: Array
    gap: float

    def on(self, lids: Lids, grid: Grid, scale: float) -> Single:
        """[h, w]: the shadow of lids on a grid."""
        share, depth = lids.below(grid)
        depth = depth * np.clip(self.gap / max(float(lids.gap.mean()), 1e-6), 1, 5)
        at = [(share - SPAN[0]) / (SPAN[1] - SPAN[0]), depth / (DEEP_CM * scale) * (STEPS - 1)]
        return np.asarray(ndimage.map_coordinates(self.table, at, order=1, mode="nearest"), dtype=np.float32)


def shadow_of(ratio: Array, known: Flags, lids: Lids, grid: Grid, scale: float) -> Shadow:
    """The shadow in a photo, from its brightness over that of the unshaded eye [h, w] where that is known [h, w]."""
    share, depth = lids.below(grid)
    column = np.round((share - SPAN[0]) / (SPAN[1] - SPAN[0])).astype(int)
    step = np.round(depth / (DEEP_CM * scale) * (STEPS - 1)).astype(int)
    there = known & (share > 0.05) & (share < 0.95) & (step >= 0) & (step < STEPS)
    total, count = np.zeros((len(SPAN), STEPS)), np.zeros((len(SPAN), STEPS))
    np.add.at(total, (column[there], step[there]), ratio[there])
    np.add.at(count, (column[there], step[there]), 1.0)
    usual = (total.sum(0) + 1e-3) / (count.sum(0) + 1e-3)
    total, count = (ndimage.gaussian_filter(plane, (3.0, 0.8), mode="nearest") for plane in (total, count))
    table = (total + 0.02 * usual) / (count + 0.02)
    table = np.minimum(np.maximum.accumulate(table, axis=1), 1.0)
    table += smooth_step(np.linspace(-SURE, 1, STEPS)) * (1 - table)  # there is none far below
    table = np.clip(ndimage.gaussian_filter(table, (1.0, 0.5), mode="nearest"), DARKEST, 1.0)
    return Shadow(table, float(lids.gap.mean()))
