"""Finding faces in a photo and cutting them out the way a generator expects them."""

from .align import FRAMES, Face, frame_quad
from .crop import Crop, crop_of, cut, window_around
from .dense import dense_landmarks
from .drawn import drawn_face, place_drawn
from .find import choose_face, face_under, find_faces
from .fit import fit_to_photo
from .given import face_from

__all__ = [
    "FRAMES",
    "Crop",
    "Face",
    "choose_face",
    "crop_of",
    "cut",
    "dense_landmarks",
    "drawn_face",
    "face_from",
    "face_under",
    "find_faces",
    "fit_to_photo",
    "frame_quad",
    "place_drawn",
    "window_around",
]
