"""Bringing an edit back into the photo."""

from .flow import FlowConfig
from .motion import MotionConfig
from .put_back import MODES, Composite, PutBackConfig, put_back

__all__ = ["MODES", "Composite", "FlowConfig", "MotionConfig", "PutBackConfig", "put_back"]
