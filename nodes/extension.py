"""Which nodes there are."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import host
from .axes import FitExpressionGLM, LoadAxes, SaveAxes
from .converting import ConvertGenerator
from .editing import ApplyExpression
from .generators import LoadGenerator, SampleFaces
from .inverting import ExamplePhoto, InvertFace
from .previewing import open_route
from .shapes import FaceShapes

NODES: list[type[io.ComfyNode]] = [
    LoadGenerator,
    SampleFaces,
    ExamplePhoto,
    InvertFace,
    LoadAxes,
    ApplyExpression,
    FaceShapes,
    FitExpressionGLM,
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
