"""The face in a picture that is a generator's frame from edge to edge: there is nothing to search for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import FaceError
from ..face_model import FaceFit
from ..images import Photo
from .align import Face
from .crop import Crop
from .find import refine
from .fit import fit_to_photo


def drawn_face(picture: Photo) -> Face:
    """The landmarks of a drawn picture; its score says how much it looks like a face."""
    return refine(picture, [_edges(picture)])[0]


def place_drawn(picture: Photo, frame: str) -> tuple[Crop, FaceFit | None]:
    """The crop that is the whole picture, and the face model's fit, None where what was drawn is no face."""
    face = drawn_face(picture)
    fit: FaceFit | None
    try:
        fit = fit_to_photo(picture, face)
    except FaceError:
        fit = None
    return Crop(quad=_edges(picture), landmarks=face.landmarks, frame=frame), fit


def _edges(picture: Photo) -> NDArray[np.float64]:
    height, width = picture.pixels.shape[:2]
    return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
