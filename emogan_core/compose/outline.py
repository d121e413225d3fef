"""The face's outline: it hardly moves sideways, while the cheeks in front of it do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon

from ..face_model.contours import OVAL
from ..face_model.fit import FaceFit
from ..face_model.mesh import Grid
from .curves import smooth_step
from .sampling import finer, in_cells

Array = NDArray[np.float64]
Single = NDArray[np.float32]

FELT_CM = 1.6  # how far inside the face the outline is felt
LEFT = 0.3  # of a cheek's sideways motion is left at the outline: the mesh's own moves by .0 to .2 cm where cheeks move by .4
SIDES = 0.4  # how much of its direction is sideways where an outline is a cheek's, and no longer the chin's
SMOOTH_CM = 0.3
CELL_CM = 0.13  # what is so smooth is known well enough at places so far apart


def with_outline(field: Single, fit: FaceFit, grid: Grid) -> Single:
    """[h, w, 2] px: a face's motion (backwards) on a grid, with less of it sideways where cheeks and jaw end.

    A cheek that moves outwards turns away there, and goes behind the outline; carried on to it, its motion would widen
    the face.
    Convention: field [h, w, 2] as `coarse_field` gives it.
    """
    scale = fit.pose.scale
    points = grid.cells(fit.landmarks[list(OVAL)])
    inside = np.zeros(grid.shape, dtype=np.bool_)
    inside[polygon(points[:, 1], points[:, 0], grid.shape)] = True  # type: ignore[no-untyped-call]
    if inside.all() or not inside.any():
        return field
    depth = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    depth = ndimage.gaussian_filter(depth.astype(np.float32), SMOOTH_CM * scale / grid.step)
    times = max(1, round(CELL_CM * scale / grid.step))
    move = in_cells(field, times) / grid.step
    rows, columns = (times * (np.arange(size, dtype=np.float32) + 0.5) - 0.5 for size in move.shape[:2])
    at = rows[:, None] + move[..., 1], columns + move[..., 0]
    planes = (depth, *np.gradient(depth))
    depth, down, across = (ndimage.map_coordinates(one, at, order=1, mode="nearest") for one in planes)
    steep = np.maximum(np.hypot(down, across), 1e-6)
    down, across = down / steep, across / steep
    up = fit.pose.project_change(np.array([0.0, 1.0, 0.0]))[:2]
    up = up / max(float(np.hypot(*up)), 1e-6)
    cheek = smooth_step((np.abs(across * up[1] - down * up[0]) - SIDES) / (1 - SIDES))
    less = np.sqrt((1 - LEFT) * cheek * smooth_step(1 - depth * grid.step / scale / FELT_CM))
    held = finer(np.stack([less * across, less * down], -1).astype(np.float32), times)[: grid.height, : grid.width]
    by = field[..., 0] * held[..., 0] + field[..., 1] * held[..., 1]
    return np.asarray(field - by[..., None] * held, dtype=np.float32)
