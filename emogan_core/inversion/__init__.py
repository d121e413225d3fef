"""Photo to latent."""

from .edit import Edit
from .inversion_file import load_inversion, save_inversion
from .invert import (
    CODE_METHODS,
    METHODS,
    Inversion,
    cut_mask,
    expect_method,
    ignored_note,
    invert,
    invert_images,
    need_of,
)
from .likeness import LIKENESS_DISTANCES, Likeness
from .objective import Target, Weights
from .schedule import OptimiseConfig

__all__ = [
    "CODE_METHODS",
    "LIKENESS_DISTANCES",
    "METHODS",
    "Edit",
    "Inversion",
    "Likeness",
    "OptimiseConfig",
    "Target",
    "Weights",
    "cut_mask",
    "expect_method",
    "ignored_note",
    "invert",
    "invert_images",
    "load_inversion",
    "need_of",
    "save_inversion",
]
