"""478 points of a face: two looks at the whole of it, then closer ones at eyes, brows and lips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from ..devices import gradients_off
from ..errors import FaceError
from ..images import Photo, as_pixels
from ..networks.dense_landmarks import (
    BROW_POINTS,
    EYE_POINTS,
    EYE_SIZE,
    FACE_SIZE,
    IRISES,
    LID_POINTS,
    LIPS_POINTS,
    LIPS_SIZE,
    DenseLandmarkNet,
    Regressor,
)
from ..weights import builtin_path, read_tensors
from .align import Face, frame_quad
from .crop import Crop

FACE_SIDE, EYE_SIDE, LIPS_SIDE = 1.25, 0.42, 0.6
"""Sides of the squares looked at, in sides of the tight frame."""
EYE_LIFT = 0.04
"""How far above the lids' middle the closer look at an eye is centred, in the same unit, so that it shows the brow."""
_WORKING_SIDE = 2.0  # of the piece of the photo that is kept, in sides of the tight frame: room for every turn
_WORKING_PX = 360  # its width when the photo is finer: 70 px between the eyes, as in the training pictures

Points = NDArray[np.float64]


def dense_landmarks(photo: Photo, face: Face) -> Points:
    """478 points of a face, numbered as MediaPipe's face landmarker numbers them.

    Convention: [478, 2], (x, y) in photo pixels, origin at the corner of the top-left pixel, y down, like
    `Face.landmarks`; 468 and 473 are the centres of the irises on the picture's left and right. Points hidden or
    outside the photo are where the face's shape would have them. A mirrored photo gives mirrored points.
    Raises: FaceError when the eyes and the mouth of `face` coincide, or when it lies outside the photo.
    Source: a coarse and a fine stage as in Grishchenko et al. 2020 (Attention Mesh); our own nets and weights.
    """
    quad = frame_quad(face.landmarks, "tight")
    piece = _piece(photo, quad)
    net, geometry = _net()
    with gradients_off():
        first = _face(net, geometry, piece, piece.inward(quad))
        points = (first + _face(net, geometry, piece, geometry.frame(first))) / 2
        frame = geometry.frame(points)  # of the whole face, also for the closer looks
        parts = [
            *zip(_eye_points(geometry), _eyes(net, geometry, piece, points, frame), strict=True),
            (list(LIPS_POINTS), _lips(net, geometry, piece, points, frame)),
        ]
    brows = [*BROW_POINTS, *geometry.mirror_order[list(BROW_POINTS)]]
    coarse = points[brows]
    for which, closer in parts:
        points[which] = closer
    points[brows] = (coarse + points[brows]) / 2  # a brow is as well seen from afar: the mean is better than either
    return piece.outward(points)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """The part of a photo around a face, no finer than needed.

    Convention: image [1, 3, h, w] in [-1, 1]; corner [2], its top left corner, and pixel [2], the size of its pixels, in
    photo pixels.
    """

    image: torch.Tensor
    corner: Points
    pixel: Points

    def cut(self, crops: Sequence[Crop], size: int) -> torch.Tensor:
        """Crops [n, 3, size, size] of it, read bilinearly, as in training; beyond its edges it is mirrored."""
        height, width = self.image.shape[2:]
        thetas = np.stack([crop.to_photo(1) for crop in crops])  # [n, 2, 3], from 0..1 of the crop
        thetas[:, :, 2] += thetas[:, :, :2].sum(2) / 2  # from -1..1 instead
        thetas[:, :, :2] /= 2
        thetas *= np.array([[2 / width], [2 / height]])
        thetas[:, :, 2] -= 1
        grid = F.affine_grid(torch.from_numpy(thetas).float(), [len(crops), 3, size, size], align_corners=False)
        image = self.image.expand(len(crops), -1, -1, -1)
        return F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def inward(self, points: Points) -> Points:
        moved: Points = (points - self.corner) / self.pixel
        return moved

    def outward(self, points: Points) -> Points:
        moved: Points = points * self.pixel + self.corner
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class _Geometry:
    """The mean face in the tight frame, [478, 2], and the order of the points in a mirrored picture, [478]."""

    mean_shape: Points
    mirror_order: NDArray[np.int64]

    def frame(self, points: Points) -> Points:
        """Corners [4, 2] of the tight frame in which these points are most like the mean face.

        Source: least squares over similarities, in complex numbers; the irises, which move, have no say.
        """
        place, shape = _complex(points)[: IRISES[0]], _complex(self.mean_shape)[: IRISES[0]]
        spread = shape - shape.mean()
        edge = complex((place @ spread.conj()) / (spread @ spread.conj()))
        return _square(complex(place.mean()) + edge * ((0.5 + 0.5j) - complex(shape.mean())), edge)

    def mirrored(self, points: Points, order: NDArray[np.int64] | None = None) -> Points:
        """Points in 0..1 of a crop from those in its mirror image."""
        back = points[self.mirror_order if order is None else order]
        return np.stack([1 - back[:, 0], back[:, 1]], axis=1)


def _face(net: DenseLandmarkNet, geometry: _Geometry, piece: _Piece, quad: Points) -> Points:
    """All points, seen in a tight frame and in its mirror image."""
    crop = _grown(quad, FACE_SIDE)
    image = piece.cut([crop], FACE_SIZE)
    plain, mirrored = _said(net.face, torch.cat([image, image.flip(3)]))
    return _placed((plain + geometry.mirrored(mirrored)) / 2, crop)


def _eyes(net: DenseLandmarkNet, geometry: _Geometry, piece: _Piece, points: Points, frame: Points) -> list[Points]:
    """What belongs to the eye on the picture's left, and to the other one, which is seen mirrored."""
    lids = np.array(LID_POINTS)
    lift = EYE_LIFT * (frame[0] - frame[3])
    crops = []
    for middle in (points[lids].mean(0) + lift, points[geometry.mirror_order[lids]].mean(0) + lift):
        crops.append(_grown(frame + middle - frame.mean(0), EYE_SIDE))
    crops[1] = replace(crops[1], quad=crops[1].quad[[1, 0, 3, 2]])
    images = piece.cut(crops, EYE_SIZE)
    return [_placed(p, crop) for p, crop in zip(_said(net.eye, images), crops, strict=True)]


def _eye_points(geometry: _Geometry) -> tuple[list[int], list[int]]:
    """Which points the looks at the eyes on the picture's left and right read."""
    one = list(EYE_POINTS)
    return one, geometry.mirror_order[one].tolist()


def _lips(net: DenseLandmarkNet, geometry: _Geometry, piece: _Piece, points: Points, frame: Points) -> Points:
    """The lips, seen closer and mirrored."""
    which = list(LIPS_POINTS)
    crop = _grown(frame + points[which].mean(0) - frame.mean(0), LIPS_SIDE)
    image = piece.cut([crop], LIPS_SIZE)
    plain, mirrored = _said(net.lips, torch.cat([image, image.flip(3)]))
    order = np.array([which.index(int(i)) for i in geometry.mirror_order[which]])
    return _placed((plain + geometry.mirrored(mirrored, order)) / 2, crop)


def _said(net: Regressor, images: torch.Tensor) -> Points:
    """Points [n, p, 2] in 0..1 of each crop."""
    points: Points = net(images).double().numpy()
    return points


def _placed(points: Points, crop: Crop) -> Points:
    matrix = crop.to_photo(1)
    placed: Points = points @ matrix[:, :2].T + matrix[:, 2]
    return placed


def _grown(quad: Points, factor: float) -> Crop:
    return Crop(quad=quad.mean(0) + factor * (quad - quad.mean(0)), landmarks=np.zeros((5, 2)), frame="tight")


def _complex(points: Points) -> NDArray[np.complex128]:
    numbers: NDArray[np.complex128] = points[:, 0] + 1j * points[:, 1]
    return numbers


def _square(centre: complex, edge: complex) -> Points:
    """Corners [4, 2] of a square from its centre and upper edge."""
    corners = [centre + edge * (x + 1j * y) / 2 for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return np.array([[corner.real, corner.imag] for corner in corners])


def _piece(photo: Photo, quad: Points) -> _Piece:
    """The part of a photo around a tight frame, shrunk where it is finer than any look needs.

    Its corners are rounded away from the face's centre and its pixels need not be square, so that a mirrored photo
    gives a mirrored piece.
    """
    height, width = photo.pixels.shape[:2]
    reach = _WORKING_SIDE / 2 * math.hypot(*(quad[1] - quad[0]))
    middle = quad.mean(0)
    if not np.isfinite(reach) or reach < 1e-3:
        raise FaceError(f"this face is {reach:.3g} px wide; give landmarks that lie apart, in photo pixels")
    left, top = (max(0, math.floor(at - reach)) for at in middle)
    right, bottom = (min(limit, math.ceil(at + reach)) for at, limit in zip(middle, (width, height), strict=True))
    if right - left < 2 or bottom - top < 2:
        raise FaceError(
            f"this face is around ({middle[0]:.0f}, {middle[1]:.0f}), outside the photo of {width} x {height} px; "
            "give a face that was found in this photo"
        )
    shrink = max(1.0, 2 * reach / _WORKING_PX)
    size = (max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink)))
    pixels = as_pixels(photo.pixels[top:bottom, left:right], np.dtype(np.uint8))
    if shrink > 1:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    pixel = np.array([(right - left) / pixels.shape[1], (bottom - top) / pixels.shape[0]])
    with gradients_off():
        image = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    return _Piece(image, np.array([left, top], dtype=np.float64), pixel)


@cache
def _net() -> tuple[DenseLandmarkNet, _Geometry]:
    tensors, _ = read_tensors(builtin_path("dense_landmarks.safetensors"))
    with gradients_off():
        net = DenseLandmarkNet()
        net.load_state_dict(tensors)
        net.eval().requires_grad_(False)
    return net, _Geometry(net.mean_shape.double().numpy(), net.mirror_order.numpy())
