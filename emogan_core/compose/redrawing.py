"""The face model on the redrawn faces: what a changed latent does to a face, read off the generator's pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..errors import FaceError
from ..face_model import FaceFit, fit_faces, load_face_model
from ..faces import dense_landmarks, drawn_face
from ..images import photo_from_tensor


@dataclass(frozen=True, slots=True, eq=False)
class Redrawing:
    """A face as the generator draws it before and after an edit, and the face model on both, with one identity.

    Convention: pictures [1, 3, r, r] in about [-1, 1] in the generator's frame, on the CPU; fits in their pixels.
    """

    before: Tensor
    after: Tensor
    fits: tuple[FaceFit, FaceFit]

    @property
    def change(self) -> NDArray[np.float64]:
        """By how much each coefficient of the face model changes from one to the other, [k]."""
        first, last = self.fits
        result: NDArray[np.float64] = last.coefficients - first.coefficients
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
