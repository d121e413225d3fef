"""The inside of a mouth that opens, as a generator draws it, where it draws finely enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from ..images import Photo
from .frames import shares
from .openings import MOUTH, TEETH_CM, Moved, photo_edges
from .redrawing import RegisteredFaces

Array = NDArray[np.float64]
Single = NDArray[np.float32]

RESOLVED = (
    8.0,
    16.0,
)  # of the generator's pixels: a drawn mouth less tall shows too little, one so tall all of its inside
LIP_CM = TEETH_CM + 0.03  # of what `photo_edges` takes for a drawn mouth's inside, lips at each edge
ALIKE = (0.3, 0.8)  # how tall the drawn mouth is beside the photo's: of less it says nothing, of so much all


def within(outcome: Moved, grid: Grid, soft: float) -> tuple[Single, Array, Array, Array]:
    """[h, w] each: 1 between an opening's edges, falling to 0 there over `soft` px; the share along it, how far down
    from its upper edge, and its height (px)."""
    x, y = grid.centres()
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64)
    along, down = np.moveaxis(outcome.frame.inside(points), -1, 0)
    share = along / outcome.frame.length
    upper, lower = (_line(share, line) for line in (outcome.edges.upper, outcome.edges.lower))
    open_there = (lower > upper) & (share > 0) & (share < 1)
    inner = np.clip(np.minimum(down - upper, lower - down) / soft, 0, 1) * open_there
    return inner.astype(np.float32), share, down - upper, lower - upper


def drawn_inside(
    photo: Photo, shown: Single, grid: Grid, outcome: Moved, drawn: RegisteredFaces, scale: float
) -> Single | None:
    """What to add [h, w, 3] to the inside of a mouth that is `shown` [h, w, 3]; None where the generator knows no better.

    The drawn mouth hangs from the upper lip at its own height, so that its teeth are as long as they are; one less
    tall is stretched. Structure finer than the generator draws stays as it is shown.
    """
    frame, edges = photo_edges(MOUTH, drawn.landmarks, scale)
    gap = float(edges.gap.max()) - 2 * LIP_CM * scale
    most = float(outcome.edges.gap.max())
    if gap <= 0 or most <= 0:
        return None
    weight = _between(gap / drawn.pixel, RESOLVED) * _between(gap / most, ALIKE)
    if weight == 0:
        return None
    inner, share, down, height = within(outcome, grid, max(1.0, drawn.pixel / 2))
    upper, lower = (_line(share, line) for line in (edges.upper + LIP_CM * scale, edges.lower - LIP_CM * scale))
    stretch = np.minimum((lower - upper).clip(0) / np.maximum(height, 1e-6), 1)
    places = np.stack([share * frame.length, upper + down.clip(0, height.clip(0)) * stretch], -1)
    x, y = np.moveaxis(frame.origin + places @ frame.axes, -1, 0)
    soft = (drawn.pixel, drawn.pixel)
    near = np.maximum(ndimage.gaussian_filter(inner, soft), 1e-3)[..., None]
    added = (drawn.in_tone(photo, x, y) - shown) * inner[..., None]
    added = drawn.coloured(ndimage.gaussian_filter(added, (*soft, 0)) / near)
    return np.asarray(weight * inner[..., None] * added, dtype=np.float32)


def _between(value: float, ends: tuple[float, float]) -> float:
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0, 1))


def _line(share: Array, line: Array) -> Array:
    """An edge at shares of its length, with its corners."""
    return np.asarray(np.interp(share, np.r_[0.0, shares(), 1.0], np.r_[0.0, line, 0.0]))
