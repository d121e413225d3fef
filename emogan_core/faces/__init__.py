"""Finding faces in a photo and cutting them out the way a generator expects them."""

from .align import FRAMES, Face, frame_quad
from .crop import Crop, crop_of, cut

__all__ = ["FRAMES", "Crop", "Face", "crop_of", "cut", "frame_quad"]
