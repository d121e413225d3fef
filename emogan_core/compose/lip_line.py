"""Whether lips are apart, and the dark line between closed ones, found in the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .frames import COLUMNS, Edges, Frame, shares

Array = NDArray[np.float64]

SEARCH_CM, SEARCH_STEPS = 0.30, 30  # how far from the landmarks' line the dark line of closed lips is looked for
BEND = 0.15  # what a bend of that line by one step costs, in standard deviations of brightness


SURELY_APART_CM = 0.5  # no landmarks are so wrong
LIP_CM = 0.15  # how far from an edge its lip is looked at
DARK, BRIGHT, PALE = (
    0.6,
    1.35,
    0.03,
)  # what is darker or brighter by these factors, or less red by this share, is no lip
APART_SHARE = 0.3  # of what lies between: the line between closed lips is thinner


def lips_apart(pixels: NDArray[np.uint8], frame: Frame, edges: Edges, scale: float) -> bool:
    """Whether something else than lips (teeth, or the dark) lies between edges that landmarks see apart."""
    if float(edges.gap.max()) >= SURELY_APART_CM * scale:
        return True
    middle = shares()[COLUMNS // 4 : -COLUMNS // 4]
    upper, lower = (np.interp(middle, shares(), line) for line in (edges.upper, edges.lower))
    between = upper + np.linspace(0.1, 0.9, 9)[:, None] * (lower - upper)
    lips = np.concatenate([upper - LIP_CM * scale + 0 * between[:1], lower + LIP_CM * scale + 0 * between[:1]])
    seen, own = (_colours(pixels, frame, middle, down) for down in (between, lips))
    lip = np.median(own.reshape(-1, 3), axis=0)
    other = (seen.sum(-1) < DARK * lip.sum()) | (seen.sum(-1) > BRIGHT * lip.sum())
    pale = seen[..., 0] / seen.sum(-1) < lip[0] / lip.sum() - PALE
    return bool((other | pale).mean() > APART_SHARE)


def _colours(pixels: NDArray[np.uint8], frame: Frame, share: Array, down: Array) -> Array:
    """[n, m, 3]: the photo at shares [m] along a frame and places [n, m] across it; 1 and more, so that ratios exist."""
    points = frame.origin + (share * frame.length)[:, None] * frame.axes[0] + down[..., None] * frame.axes[1]
    columns, rows = (np.clip(points[..., k].astype(int), 0, pixels.shape[1 - k] - 1) for k in (0, 1))
    return np.asarray(np.maximum(pixels[rows, columns].astype(np.float64), 0) + 1)


def lip_line(pixels: NDArray[np.uint8], frame: Frame, edges: Edges, scale: float) -> Edges:
    """Closed lips' edges on the dark line between them: the darkest smooth path near the landmarks' line."""
    steps = 2 * SEARCH_STEPS + 1
    offset = np.linspace(-SEARCH_CM, SEARCH_CM, steps) * scale
    fine = np.linspace(0, 1, 4 * COLUMNS)
    line = np.interp(fine, shares(), edges.middle)
    along, down = fine * frame.length, line[:, None] + offset
    points = frame.origin + along[:, None, None] * frame.axes[0] + down[..., None] * frame.axes[1]
    x0, y0 = np.maximum(np.floor(points.min((0, 1))).astype(int) - 2, 0)
    x1, y1 = np.ceil(points.max((0, 1))).astype(int) + 3
    gray = pixels[y0:y1, x0:x1].astype(np.float32).mean(-1)
    if min(gray.shape) < 2:
        return edges
    bright = ndimage.map_coordinates(
        gray, [points[..., 1] - 0.5 - y0, points[..., 0] - 0.5 - x0], order=1, mode="nearest"
    )  # [4 COLUMNS, steps]
    bright = ndimage.gaussian_filter(bright, (2.0, max(0.5, 0.02 * scale / (offset[1] - offset[0]))))
    bright = bright - ndimage.uniform_filter1d(bright, steps, axis=1, mode="nearest")
    spread = max(float(bright.std()), 1.0)
    cost = bright / spread + 1.0 * (offset / (SEARCH_CM * scale)) ** 2
    path = _cheapest(cost)
    shift = ndimage.gaussian_filter1d(offset[path], 2.0, mode="nearest")
    middle = edges.middle + np.interp(shares(), fine, shift)
    return Edges(middle, middle)


def _cheapest(cost: Array) -> NDArray[np.int64]:
    """The path [n] through cost [n, steps] that changes by at most one step a place and costs least."""
    count, steps = cost.shape
    total, came = cost[0].copy(), np.zeros((count, steps), dtype=np.int64)
    for k in range(1, count):
        padded = np.pad(total, 1, constant_values=np.inf)
        options = np.stack([padded[:-2] + BEND, padded[1:-1], padded[2:] + BEND])
        choice = options.argmin(0)
        came[k] = np.arange(steps) + choice - 1
        total = options[choice, np.arange(steps)] + cost[k]
    path = np.empty(count, dtype=np.int64)
    path[-1] = int(total.argmin())
    for k in range(count - 1, 0, -1):
        path[k - 1] = came[k, path[k]]
    return path
