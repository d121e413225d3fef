"""Bringing an edit back into the photo."""

from .flow import FlowConfig
from .motion import MotionConfig, need_to_put_back
from .mouth import MouthConfig
from .put_back import DRAFT, MODES, Composite, PutBackConfig, put_back

__all__ = [
    "DRAFT",
    "MODES",
    "Composite",
    "FlowConfig",
    "MotionConfig",
    "MouthConfig",
    "PutBackConfig",
    "need_to_put_back",
    "put_back",
]
