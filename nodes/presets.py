"""Nodes that keep expressions as files and bring them back."""

from __future__ import annotations

from collections.abc import Mapping

from comfy_api.latest import io

from ..emogan_core import LIMIT, add_intensities, builtin_presets, load_preset, save_preset, scale_intensities
from . import host
from .putting_back import slider
from .sentences import in_one_sentence
from .sockets import CATEGORY, ExpressionSocket


class SaveExpression(io.ComfyNode):
    """Intensities to a file in the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_SaveExpression",
            display_name="Save Expression (EmotionGAN)",
            category=CATEGORY,
            description="Saves the intensities of an edit, or of a face that was read, as a small text file to "
            "emotiongan_expressions in the output folder, where Load Expression finds it.",
            search_aliases=["save preset", "expression preset", "export expression", "save blendshapes"],
            is_output_node=True,
            inputs=[
                ExpressionSocket.Input(
                    "expression", tooltip="From Apply Expression, Face Shapes, Read Expression or Load Expression."
                ),
                io.String.Input(
                    "name",
                    default="my_expression",
                    tooltip="Name of the file; a number is added, nothing is overwritten.",
                ),
            ],
            outputs=[],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, expression: Mapping[str, float], name: str) -> io.NodeOutput:
        target = host.new_path(host.EXPRESSIONS, name)
        save_preset(target, expression)
        return io.NodeOutput(ui=host.saved(target))


class LoadExpression(io.ComfyNode):
    """A file, or one that comes with the pack, to intensities."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_LoadExpression",
            display_name="Load Expression (EmotionGAN)",
            category=CATEGORY,
            description="Loads the intensities of an expression, for Apply Expression or Face Shapes. Several in a chain add up.",
            search_aliases=[
                *("load preset", "expression preset", "import expression", "wink", "smirk", "close eyes", "look left"),
            ],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=host.expressions(),
                    default=host.expressions()[0],
                    tooltip="Expressions that come with EmotionGAN, then .json files in models/emotiongan_expressions and what "
                    "Save Expression wrote.",
                ),
                slider(
                    "strength",
                    least=-LIMIT,
                    most=LIMIT,
                    default=1.0,
                    tooltip="What every intensity is multiplied by: 1 is as saved, 0 nothing, below 0 the other way.",
                ),
                ExpressionSocket.Input(
                    "add", optional=True, tooltip="Another expression, from a node like this one, to be added to it."
                ),
            ],
            outputs=[
                ExpressionSocket.Output("expression", tooltip="The intensities, for Apply Expression or Face Shapes.")
            ],
        )

    @classmethod
    def validate_inputs(cls, name: str) -> bool | str:
        return True if name in host.expressions() else host.absence(host.EXPRESSIONS, name)

    @classmethod
    def fingerprint_inputs(cls, name: str, **others: object) -> str:
        return name if name in builtin_presets() else host.mark_of(host.chosen_path(host.EXPRESSIONS, name))

    @classmethod
    @in_one_sentence
    def execute(cls, name: str, strength: float, add: Mapping[str, float] | None = None) -> io.NodeOutput:
        shipped = builtin_presets()
        own = shipped[name] if name in shipped else load_preset(host.chosen_path(host.EXPRESSIONS, name))
        return io.NodeOutput(add_intensities(scale_intensities(own, strength), add or {}))
