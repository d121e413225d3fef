"""Which nodes there are."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import host
from .axes import LoadAxes, SaveAxes
from .comparing import CompareReport
from .converting import ConvertGenerator
from .copying import CopyExpression
from .driving import DriveExpression
from .editing import ApplyExpression
from .faces import FindFaces
from .fitting import FitExpressionGLM
from .generators import LoadGenerator, SampleFaces
from .inverting import ExamplePhoto, InvertFace
from .keeping import LoadInversion, SaveInversion
from .presets import LoadExpression, SaveExpression
from .previewing import open_route
from .reading import ReadExpression
from .reporting import ShowAxes
from .shapes import FaceShapes
from .sweeping import ExpressionSweep

NODES: list[type[io.ComfyNode]] = [
    LoadGenerator,
    SampleFaces,
    ExamplePhoto,
    FindFaces,
    InvertFace,
    LoadAxes,
    ApplyExpression,
    FaceShapes,
    CopyExpression,
    DriveExpression,
    ExpressionSweep,
    SaveInversion,
    LoadInversion,
    LoadExpression,
    SaveExpression,
    ReadExpression,
    CompareReport,
    FitExpressionGLM,
    ShowAxes,
    SaveAxes,
    ConvertGenerator,
]


class EmotionGANExtension(ComfyExtension):
    """What the host asks for nodes."""

    async def on_load(self) -> None:
        host.register_folders()
        open_route()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


def comfy_entrypoint() -> EmotionGANExtension:
    """Called once by the host."""
    return EmotionGANExtension()
