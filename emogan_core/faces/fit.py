"""The face model fitted to a face of a photo."""

from __future__ import annotations

from ..face_model import FaceFit, fit_face, load_face_model
from ..images import Photo
from .align import Face
from .dense import dense_landmarks


def fit_to_photo(photo: Photo, face: Face) -> FaceFit:
    """Pose, identity and expression of one face of a photo.

    Raises: FaceError when its landmarks are no face.
    """
    return fit_face(load_face_model(), dense_landmarks(photo, face))
