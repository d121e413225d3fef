"""Bringing an edit back into the photo."""

from .flow import FlowConfig
from .motion import MotionConfig
from .mouth import MouthConfig
from .put_back import MODES, Composite, PutBackConfig, put_back

__all__ = ["MODES", "Composite", "FlowConfig", "MotionConfig", "MouthConfig", "PutBackConfig", "put_back"]
