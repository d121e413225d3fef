"""What a changed latent does to the face model's coefficients, read off the redrawn faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..errors import FaceError
from ..face_model import fit_faces, load_face_model
from ..faces import dense_landmarks, drawn_face
from ..images import photo_from_tensor


def coefficients_of_redrawing(before: Tensor, after: Tensor) -> NDArray[np.float64]:
    """By how much each coefficient of the face model changes from one redrawn face to the other, [k].

    Convention: pictures [1, 3, r, r] in the generator's frame, as it draws them. Both are fitted with one identity.
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
    change: NDArray[np.float64] = last.coefficients - first.coefficients
    return change
