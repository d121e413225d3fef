"""Where in a crop an edit may act: soft shapes placed by the face's landmarks.

Convention: masks are [1, 1, s, s] on the crop's grid at s px, in 0..1.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..faces import Crop, frame_quad
from .curves import smooth_step

FACE_CENTRE, FACE_RADII = (0.5, 0.53), (0.47, 0.48)  # of the tight frame: brows to chin, cheek to cheek
BORDER = 0.06  # of the crop: where every edit has faded away, so that no seam can show


def face_mask(crop: Crop, side: int, *, feather: float) -> Tensor:
    """A soft oval over the face, exactly 0 at and beyond the crop's border; `feather` is a share of its radius."""
    x, y = _in_tight_frame(crop, side)
    radius = torch.sqrt(((x - FACE_CENTRE[0]) / FACE_RADII[0]) ** 2 + ((y - FACE_CENTRE[1]) / FACE_RADII[1]) ** 2)
    oval = smooth_step((1 - radius) / feather)
    along = (torch.arange(side) + 0.5) / side
    inset = torch.minimum(along, 1 - along) - 1 / side  # the outermost grid row is zero, whatever samples between rows
    fade = smooth_step(inset / BORDER)
    return (oval * fade.view(-1, 1) * fade.view(1, -1)).view(1, 1, side, side)


def _in_tight_frame(crop: Crop, side: int) -> tuple[Tensor, Tensor]:
    """For each crop pixel its place (x, y) in the tight frame of the same face, whose corners are (0, 0) and (1, 1)."""
    tight = on_crop(crop, frame_quad(crop.landmarks, "tight"))
    corner, right, _, below = tight
    inverse = np.linalg.inv(np.stack([right - corner, below - corner], axis=1))  # [2, 2]
    ys, xs = _grid(side)
    dx, dy = xs - float(corner[0]), ys - float(corner[1])
    return (
        float(inverse[0, 0]) * dx + float(inverse[0, 1]) * dy,
        float(inverse[1, 0]) * dx + float(inverse[1, 1]) * dy,
    )


def on_crop(crop: Crop, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Photo points [k, 2] as shares of the crop's sides."""
    matrix = crop.from_photo(1)
    shares: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return shares


def _grid(side: int) -> tuple[Tensor, Tensor]:
    along = (torch.arange(side) + 0.5) / side
    return along.view(-1, 1).expand(side, side), along.view(1, -1).expand(side, side)
