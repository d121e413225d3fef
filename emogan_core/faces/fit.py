"""The face model fitted to a face of a photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..face_model import FaceFit, fit_face, load_face_model
from ..images import Photo
from .align import Face
from .dense import dense_landmarks


def fit_to_photo(photo: Photo, face: Face, *, landmarks: NDArray[np.float64] | None = None) -> FaceFit:
    """Pose, identity and expression of one face of a photo.

    Convention: `landmarks` [478, 2] in photo px, as `face_from` gives them, take the place of our own net's.
    Raises: FaceError when its landmarks are no face.
    """
    return fit_face(load_face_model(), dense_landmarks(photo, face) if landmarks is None else landmarks)
