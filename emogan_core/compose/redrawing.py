"""The face model on the redrawn faces: what a changed latent does to a face, read off the generator's pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from ..errors import FaceError
from ..face_model import FaceFit, fit_faces, load_face_model
from ..faces import Crop, cut, dense_landmarks, drawn_face
from ..images import Photo, photo_from_tensor

Array = NDArray[np.float64]
Single = NDArray[np.float32]

TONE = 0.06  # share of the crop above whose size colours are the photo's
DARKEST = 8.0  # added to pixels before their logarithm, so that noise in the dark counts little


@dataclass(frozen=True, slots=True, eq=False)
class Redrawing:
    """A face as the generator draws it before and after an edit, and the face model on both, with one identity.

    Convention: pictures [1, 3, r, r] in about [-1, 1] in the generator's frame, on the CPU; fits in their pixels.
    """

    before: Tensor
    after: Tensor
    fits: tuple[FaceFit, FaceFit]

    @property
    def change(self) -> Array:
        """By how much each coefficient of the face model changes from one to the other, [k]."""
        first, last = self.fits
        result: Array = last.coefficients - first.coefficients
        return result


def redrawing_of(before: Tensor, after: Tensor) -> Redrawing:
    """The face model on two redrawn faces.

    Raises: FaceError when a picture shows no face.
    """
    points = []
    for picture in (before, after):
        photo = photo_from_tensor(picture.clamp(-1, 1))
        face = drawn_face(photo)
        if face.score < 0.5:
            raise FaceError("the redrawn face is no face any more; use a smaller change of the latent")
        points.append(dense_landmarks(photo, face))
    first, last = fit_faces(load_face_model(), points)
    return Redrawing(before, after, (first, last))


@dataclass(frozen=True, slots=True, eq=False)
class RegisteredFaces:
    """Redrawn faces where they belong in a photo.

    Convention: before and after [s, s, 3] in 0..255, as fine as they are of use; meshes [v, 2] and the landmarks after
    [478, 2] in photo px, as is a picture's pixel; colour is how colourful the photo is beside them, 0 to 1.
    """

    before: Single
    after: Single
    crop: Crop
    meshes: tuple[Array, Array]
    landmarks: Array
    colour: float

    @property
    def pixel(self) -> float:
        return self.crop.side_px / len(self.after)

    def at(self, picture: Single, x: NDArray[np.floating], y: NDArray[np.floating]) -> Single:
        """[..., c]: a picture of the crop [s, s, c] at places of the photo."""
        matrix = self.crop.from_photo(len(picture))
        rows, columns = (matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] - 0.5 for k in (1, 0))
        planes = [
            ndimage.map_coordinates(picture[..., c], [rows, columns], np.float32, order=1, mode="nearest")
            for c in range(picture.shape[-1])
        ]
        return np.stack(planes, -1)

    def in_tone(self, photo: Photo, x: NDArray[np.floating], y: NDArray[np.floating]) -> Single:
        """[..., 3]: the picture after at places of the photo, as bright as that is far and wide."""
        size = len(self.before)
        own = _pixels(cut(photo, self.crop, size))
        ratio = np.log(own + DARKEST) - np.log(self.before.clip(0) + DARKEST)
        wide = ndimage.gaussian_filter(ratio, (TONE * size, TONE * size, 0))
        return np.asarray(self.at(self.after, x, y) * np.exp(self.at(wide, x, y)))

    def coloured(self, change: Single) -> Single:
        """A change [..., 3] with its colour, not its brightness, held to the photo's: a gray photo stays gray."""
        bright = change.mean(-1, keepdims=True)
        return np.asarray(bright + np.float32(self.colour) * (change - bright))


def registered(redrawing: Redrawing, photo: Photo, crop: Crop, *, step: int) -> RegisteredFaces:
    """Redrawn faces registered to a photo that is looked at every `step` px."""
    side = redrawing.after.shape[-1]
    size = max(1, min(side, round(crop.side_px / step)))
    model, matrix = load_face_model(), crop.to_photo(side)
    placed = [
        points @ matrix[:, :2].T + matrix[:, 2]
        for points in (*(fit.vertices(model)[:, :2] for fit in redrawing.fits), redrawing.fits[1].landmarks)
    ]
    own = cut(photo, crop, side)
    spread, drawn = (float((one - one.mean(1, keepdim=True)).std()) for one in (own, redrawing.before))
    colour = min(1.0, spread / max(drawn, 1e-6))
    return RegisteredFaces(
        _shrunk(redrawing.before, size),
        _shrunk(redrawing.after, size),
        crop,
        (placed[0], placed[1]),
        placed[2],
        colour if colour > 1e-3 else 0.0,
    )


def _shrunk(picture: Tensor, size: int) -> Single:
    if size < picture.shape[-1]:
        picture = F.interpolate(picture, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return _pixels(picture)


def _pixels(picture: Tensor) -> Single:
    return np.asarray((picture[0].permute(1, 2, 0).numpy() + 1) * 127.5, dtype=np.float32)
