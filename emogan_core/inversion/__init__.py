"""Photo to latent."""

from .edit import Edit
from .inversion_file import load_inversion, save_inversion
from .invert import Inversion, expect_method, invert, invert_images, need_of
from .methods import METHODS, OptimiseConfig
from .objective import Weights

__all__ = [
    "METHODS",
    "Edit",
    "Inversion",
    "OptimiseConfig",
    "Weights",
    "expect_method",
    "invert",
    "invert_images",
    "load_inversion",
    "need_of",
    "save_inversion",
]
