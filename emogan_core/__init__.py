"""Change the expression of a real face in a photo and keep the person.

The public names below are the whole interface; each is imported from its room when first used, so that importing the
package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .checkpoints import load_generator
    from .compose import put_back
    from .expressions import apply_expressions, copy_expression, fit_expressions, load_axes, move_latent, save_axes
    from .expressions.reading import read_expression
    from .faces import find_faces
    from .images import open_photo, save_photo
    from .inversion import invert

__all__ = [
    "apply_expressions",
    "copy_expression",
    "find_faces",
    "fit_expressions",
    "invert",
    "load_axes",
    "load_generator",
    "move_latent",
    "open_photo",
    "put_back",
    "read_expression",
    "save_axes",
    "save_photo",
]

_ROOMS = {
    "load_generator": "checkpoints",
    "find_faces": "faces",
    "invert": "inversion",
    "fit_expressions": "expressions",
    "apply_expressions": "expressions",
    "copy_expression": "expressions",
    "move_latent": "expressions",
    "load_axes": "expressions",
    "save_axes": "expressions",
    "read_expression": "expressions.reading",
    "open_photo": "images",
    "save_photo": "images",
    "put_back": "compose",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f".{_ROOMS[name]}", __name__), name)
