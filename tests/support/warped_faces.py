"""A generator that draws one composite, warped linearly by its codes: what its axes should be is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from emogan_core.expressions.prototypes import levels
from emogan_core.face_model import load_face_model
from emogan_core.faces import choose_face, crop_of, cut, drawn_face, fit_to_photo
from emogan_core.images import open_photo, photo_from_tensor
from emogan_core.networks import GeneratorSpec
from emogan_core.weights import builtin_path

SIDE, CODES = 128, 6
SMILE, BROWS, ASIDE, LIGHT = range(4)
"""What the first rows of a code change; the others change nothing."""
SHAPES = {SMILE: {"mouthSmile": 1.0}, BROWS: {"browInnerUp": 2.5, "browOuterUp": 2.5}}
AT_ZERO, PER_UNIT = 0.8, 0.6


class WarpedFaces:
    """What reading samples asks of a generator."""

    spec = GeneratorSpec(
        resolution=SIDE,
        w_dim=CODES,
        z_dim=CODES,
        channels=(4, 4, 4, 4, 4, 4),
        mapping_layers=1,
        crop="tight",
        name="warped",
    )
    fingerprint = "warped" * 10
    device = torch.device("cpu")

    def mapping(self, z: Tensor, *, psi: float, c: Tensor | None = None) -> Tensor:
        return (psi * z)[:, None].expand(-1, self.spec.num_ws, -1)

    def synthesis(self, ws: Tensor) -> Tensor:
        picture, fields = _composite()
        pictures = []
        for w in ws[:, 0]:
            shift = torch.zeros(SIDE, SIDE, 2)
            for row, field in fields.items():
                shift = shift + (AT_ZERO + PER_UNIT * float(w[row])) * field
            shift[..., 0] += 2 * float(w[ASIDE]) / SIDE * 2
            grid = F.affine_grid(torch.eye(2, 3)[None], [1, 3, SIDE, SIDE], align_corners=False) - shift
            drawn = F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
            pictures.append((drawn + 0.06 * float(w[LIGHT])).clamp(-1, 1))
        return torch.cat(pictures)


@cache
def _composite() -> tuple[Tensor, dict[int, Tensor]]:
    """A composite's face, [1, 3, SIDE, SIDE], and how each shape moves what is seen at every pixel, in -1..1."""
    photo = open_photo(sorted(builtin_path("examples").glob("*.jpg"))[0])
    picture = cut(photo, crop_of(choose_face(photo), "tight"), SIDE)
    small, model = photo_from_tensor(picture), load_face_model()
    fit = fit_to_photo(small, drawn_face(small))
    edge = np.linspace(0, SIDE, 9)
    border = np.concatenate([np.stack([edge, 0 * edge + end], 1) for end in (0, SIDE)])
    border = np.concatenate([border, border[:, ::-1]])
    fields = {}
    for row, shapes in SHAPES.items():
        moved = np.tensordot(levels(shapes), model.found_moves(), 1)
        change = fit.pose.project_change(moved)[:, :2]
        places, at = np.unique(np.concatenate([fit.landmarks[:468], border]).round(2), axis=0, return_index=True)
        fields[row] = _spread(places, np.concatenate([change, np.zeros_like(border)])[at])
    return picture, fields


def _spread(places: NDArray[np.float64], values: NDArray[np.float64]) -> Tensor:
    """[SIDE, SIDE, 2]: values in pixels at places, smoothly between, as shares of half the side."""
    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    whole = RBFInterpolator(places, values, kernel="linear", smoothing=0.1)(np.stack([x.ravel(), y.ravel()], 1))
    return torch.tensor(whole.reshape(SIDE, SIDE, 2) * 2 / SIDE, dtype=torch.float32)
