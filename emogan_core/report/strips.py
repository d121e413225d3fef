"""Strips of pictures from -2 to +2: drawn by the generator, and on photos of nobody in mode motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..compose import FacePreview
from ..devices import gradients_off
from ..expressions import ExpressionAxes, ExpressionAxis, apply_expressions
from ..faces.cutting import cut_faces
from ..images import Photo, open_photo, photo_from_tensor
from ..inversion import Inversion
from ..latents import Latent
from ..networks import Generator
from ..networks.sampling import drawn_in_groups
from ..weights import builtin_path

INTENSITIES = (-2.0, -1.0, 0.0, 1.0, 2.0)
COMPOSITES = ("composite_f_multi", "composite_m_african")
CREDIT = "Photos: composites of many people, so of nobody; Face Research Lab, DeBruine 2016, CC BY 4.0"
_SIDE_PX, _TILE_PX = 640, 256
_AROUND = 0.45  # the face's landmarks with so much around them, in their own extent
_PSI = 0.7
_FRAME = "ffhq"


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """One face at each of INTENSITIES."""

    name: str
    pictures: tuple[Photo, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """A photo of nobody with its face found, ready to be moved."""

    photo: Photo
    inversion: Inversion
    preview: FacePreview


def composites() -> tuple[Composite, ...]:
    """The photos that ship with the package; their latents are empty, as motion needs none."""
    made = []
    for name in COMPOSITES:
        photo = open_photo(builtin_path(f"examples/{name}.jpg"))
        found = cut_faces([photo], frame=_FRAME, resolution=64)
        latent = Latent(torch.zeros(1, 1, 1), "")
        inversion = Inversion(latent, found.images, found.images, found.crops, {}, found.fits)
        made.append(Composite(photo, inversion, FacePreview.of(photo, inversion, most_px=_SIDE_PX)))
    return tuple(made)


def moved_strips(photos: tuple[Composite, ...], axes: ExpressionAxes, axis: ExpressionAxis) -> tuple[Strip, ...]:
    """Photos whose own pixels move along an axis; none where the face model has no part in it."""
    if not axis.has_coefficients:
        return ()
    return tuple(
        Strip(
            f"photo {number}",
            tuple(
                _face_of(one, one.preview.with_edit(apply_expressions(one.inversion, axes, {axis.name: intensity})))
                for intensity in INTENSITIES
            ),
        )
        for number, one in enumerate(photos, start=1)
    )


def _face_of(one: Composite, pixels: NDArray[np.uint8]) -> Photo:
    """The face alone, a small part of the picture."""
    low, high = one.preview.fit.landmarks.min(0), one.preview.fit.landmarks.max(0)
    side = (1 + _AROUND) * float((high - low).max())
    left, top = (low + high) / 2 - side / 2
    box = (float(left), float(top), float(left) + side, float(top) + side)
    size = (_TILE_PX, _TILE_PX)
    return Photo(
        np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, box=_within(box, pixels.shape)))
    )


def _within(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """The box, moved and if need be made smaller so that it lies in a picture [h, w, 3]."""
    side = min(box[2] - box[0], *shape[:2])
    left, top = max(0.0, min(box[0], shape[1] - side)), max(0.0, min(box[1], shape[0] - side))
    return (left, top, left + side, top + side)


def drawn_strips(generator: Generator, ws: torch.Tensor, axis: ExpressionAxis) -> tuple[Strip, ...]:
    """What the generator draws along an axis from its average face and from the first of ws [m, num_ws, w_dim]."""
    if not axis.has_direction:
        return ()
    with gradients_off():
        average = generator.w_avg.to(ws).expand_as(ws[:1])
        strips = []
        near = torch.lerp(average, ws[:1], _PSI)
        for name, start in (("average face", average), ("random face", near)):
            codes = torch.cat([start + intensity * axis.direction.to(ws) for intensity in INTENSITIES])
            images = [image for group in drawn_in_groups(generator, codes) for image in group.float().cpu()]
            strips.append(Strip(name, tuple(photo_from_tensor(image) for image in images)))
    return tuple(strips)
