"""The face in a picture that is a generator's frame from edge to edge: there is nothing to search for."""

from __future__ import annotations

from ..errors import FaceError
from ..face_model import FaceFit
from ..images import Photo
from .align import Face
from .crop import Crop, whole_crop
from .find import refine
from .fit import fit_to_photo


def drawn_face(picture: Photo) -> Face:
    """The landmarks of a drawn picture; its score says how much it looks like a face."""
    return refine(picture, [whole_crop(picture, "tight").quad])[0]


def place_drawn(picture: Photo, frame: str) -> tuple[Crop, FaceFit | None]:
    """The crop that is the whole picture, and the face model's fit, None where what was drawn is no face."""
    face = drawn_face(picture)
    fit: FaceFit | None
    try:
        fit = fit_to_photo(picture, face)
    except FaceError:
        fit = None
    return whole_crop(picture, frame, face.landmarks), fit
