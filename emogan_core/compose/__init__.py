"""Bringing an edit back into the photo."""

from .put_back import MODES, Composite, PasteConfig, need_to_put_back, put_back

__all__ = ["MODES", "Composite", "PasteConfig", "need_to_put_back", "put_back"]
