"""The inside of a mouth that the photo shows: it stays, stretches a little, and nothing bright is drawn into its dark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.mesh import Grid
from .frames import shares
from .openings import TEETH_CM, Fitted, Moved
from .tones import Tones

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Pixels = NDArray[np.uint8]

STRETCH, OPEN_WIDE = 1.4, 2.0  # a mouth that grows by less stretches its teeth, one that grows by more leaves them
STAYING = 1.1  # how much teeth of a mouth that opens wide are stretched
NARROW_CM = 0.45  # a gap of the lips that may hide everything
DARK_INSIDE = 0.5  # what is darker than this share of the teeth is none


def shows_nothing(photo: Pixels, opening: Fitted, tones: Tones, scale: float) -> bool:
    """Whether a mouth of the photo shows no more than a narrow dark gap: what it hides is to be drawn."""
    if not opening.photo.gap.any():
        return True
    narrow = float(opening.photo.gap.max()) < NARROW_CM * scale
    return narrow and _level(_between(photo, opening, 0.3, 0.7)) < DARK_INSIDE * float(tones.teeth.mean())


def darkness(photo: Pixels, opening: Fitted, tones: Tones) -> float:
    """How surely the lower part of an open mouth is dark: 0 (teeth) to 1."""
    level = _level(_between(photo, opening, 0.6, 0.9)) / float(tones.teeth.mean())
    return float(np.clip((DARK_INSIDE - level) / 0.15, 0, 1))


def seen_inside(
    photo: Pixels, grid: Grid, opening: Fitted, moved: Moved, tones: Tones, scale: float, *, drawn: Single | None = None
) -> Single:
    """[h, w, 3]: the inside of a mouth that was open before, from what was seen of it.

    It stays where it was, as upper teeth do. A mouth that grows stretches its dark as far as need be and teeth a little;
    one that opens wide leaves teeth as they are. Below them it is as `drawn` [h, w, 3], or dark.
    """
    frame = opening.frame
    x, y = grid.centres()
    points = np.stack(np.broadcast_arrays(x, y), axis=-1).astype(np.float64)
    along, down = np.moveaxis(moved.frame.inside(points), -1, 0)
    wider = max(1.0, moved.frame.length / frame.length)
    source_along = (along - moved.frame.length / 2) / wider + frame.length / 2
    share, new_share = source_along / frame.length, along / moved.frame.length
    upper, lower = (_line(share, line) for line in (opening.photo.upper, opening.photo.lower))
    new_upper, new_lower = (_line(new_share, line) for line in (moved.edges.upper, moved.edges.lower))
    base = frame.origin + source_along[..., None] * frame.axes[0]
    old_upper, old_lower = (
        moved.frame.inside(base + line[..., None] * frame.axes[1])[..., 1] for line in (upper, lower)
    )
    lip, low = np.minimum(new_upper, old_upper), np.maximum(new_lower, old_lower)
    height = np.maximum(lower - upper, 1e-3)
    dark = darkness(photo, opening, tones)
    grown = float(moved.edges.gap.mean()) / max(float(opening.photo.gap.mean()), 1e-6)
    wide = float(np.clip((grown - STRETCH) / (OPEN_WIDE - STRETCH), 0, 1)) * (1 - dark)
    corner = np.clip(1 - np.minimum(share, 1 - share) / 0.25, 0, 1) * (1 - wide)
    most = STRETCH + wide * (STAYING - STRETCH) + np.maximum(3 * dark, 1.2 * corner)
    stretch = np.clip((low - lip) / height, 1, most)
    below = (down - lip) / stretch
    source = base + (upper + np.clip(below, 0, height))[..., None] * frame.axes[1]
    at = [source[..., 1] - 0.5, source[..., 0] - 0.5]
    planes = [ndimage.map_coordinates(photo[..., c], at, np.float32, order=1, mode="nearest") for c in range(3)]
    own = np.stack(planes, -1)
    floor = _floor(photo, opening, tones).astype(np.float32)
    under = floor if drawn is None else floor + np.float32(1 - dark) * (drawn - floor)
    ends = height - (1 + wide) * TEETH_CM * scale * (1 - dark)  # the edge of the lower lip goes with that lip
    seen = np.clip((ends - below) / max(1.0, 0.15 * float(np.max(height)) * (1 - 0.6 * wide)), 0, 1)
    return np.asarray(under + seen[..., None] * (own - under), dtype=np.float32)


def _floor(photo: Pixels, opening: Fitted, tones: Tones) -> Array:
    """[3]: the colour of the dark in a mouth."""
    inside = _between(photo, opening, 0.1, 0.9).reshape(-1, 3)
    level = inside.mean(1)
    darkest = inside[level <= np.quantile(level, 0.1)].mean(0)
    return np.asarray(darkest if darkest.mean() < 4 * tones.dark.mean() else 2 * tones.dark)


def _between(photo: Pixels, opening: Fitted, first: float, last: float) -> Array:
    """[n, m, 3]: colours between a mouth's edges, from one share of its height to another, off its corners."""
    middle = shares()[len(shares()) // 5 : -(len(shares()) // 5)]
    upper, lower = (np.interp(middle, shares(), line) for line in (opening.photo.upper, opening.photo.lower))
    down = upper + np.linspace(first, last, 7)[:, None] * (lower - upper)
    points = opening.frame.origin + (middle * opening.frame.length)[:, None] * opening.frame.axes[0]
    points = points + down[..., None] * opening.frame.axes[1]
    columns, rows = (np.clip(points[..., k].astype(int), 0, photo.shape[1 - k] - 1) for k in (0, 1))
    return np.asarray(photo[rows, columns], dtype=np.float64)


def _level(colours: Array) -> float:
    return float(np.median(colours.mean(-1)))


def _line(share: Array, line: Array) -> Array:
    """An edge at shares of its length, with its corners."""
    return np.asarray(np.interp(share, np.r_[0.0, shares(), 1.0], np.r_[0.0, line, 0.0]))
