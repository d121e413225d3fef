"""Finding faces in a photo and cutting them out the way a generator expects them."""

from .align import FRAMES, Face, frame_quad
from .crop import Crop, crop_of, cut
from .find import choose_face, find_faces

__all__ = ["FRAMES", "Crop", "Face", "choose_face", "crop_of", "cut", "find_faces", "frame_quad"]
