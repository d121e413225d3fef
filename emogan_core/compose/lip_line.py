"""The dark line between closed lips, found in the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .frames import COLUMNS, Edges, Frame, shares

Array = NDArray[np.float64]

SEARCH_CM, SEARCH_STEPS = 0.30, 30  # how far from the landmarks' line the dark line of closed lips is looked for
BEND = 0.15  # what a bend of that line by one step costs, in standard deviations of brightness


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
