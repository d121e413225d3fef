"""Bringing an edit back into the photo."""

from .preview import FacePreview
from .put_back import MODES, Composite, PasteConfig, need_to_put_back, put_back

__all__ = ["MODES", "Composite", "FacePreview", "PasteConfig", "need_to_put_back", "put_back"]
