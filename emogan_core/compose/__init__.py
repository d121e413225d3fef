"""Bringing an edit back into the photo."""

from .preview import FacePreview
from .put_back import MODES, Composite, need_to_put_back, put_back

__all__ = ["MODES", "Composite", "FacePreview", "need_to_put_back", "put_back"]
