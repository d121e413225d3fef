"""Photo to latent."""

from .edit import Edit
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
    "need_of",
]
