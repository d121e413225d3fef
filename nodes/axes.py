"""Nodes that load and save expression axes."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import io

from ..emogan_core import (
    ExpressionAxes,
    axes_lines,
    builtin_path,
    load_axes,
    save_axes,
)
from . import host
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket


class LoadAxes(io.ComfyNode):
    """A file to expression axes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_LoadAxes",
            display_name="Load Expression Axes (EmotionGAN)",
            category=CATEGORY,
            description="Loads expression axes: what each expression changes. The built-in ones need no fit; they move photos with "
            "every generator, and what is drawn with the built-in one.",
            search_aliases=["expression directions", "emotion directions", "load directions"],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=host.choices(host.AXES),
                    default=host.BUILTIN,
                    tooltip="'builtin' are the axes that come with EmotionGAN; others are .safetensors files in "
                    "models/emotiongan_axes, or saved by Save Expression Axes.",
                ),
            ],
            outputs=[
                AxesSocket.Output("axes", tooltip="The axes, for Apply Expression."),
                io.String.Output(
                    "report", tooltip="Each expression with its examples and how well the axis tells it apart."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, name: str = host.BUILTIN) -> bool | str:
        return host.checked(host.AXES, name)

    @classmethod
    def fingerprint_inputs(cls, name: str) -> str:
        return host.mark_of(_source(name))

    @classmethod
    @in_one_sentence
    def execute(cls, name: str) -> io.NodeOutput:
        axes = load_axes(host.BUILTIN if name == host.BUILTIN else _source(name))
        return io.NodeOutput(axes, "\n".join(axes_lines(axes)))


class SaveAxes(io.ComfyNode):
    """Expression axes to a file in the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_SaveAxes",
            display_name="Save Expression Axes (EmotionGAN)",
            category=CATEGORY,
            description="Saves axes to emotiongan_axes in the output folder, where Load Expression Axes finds them.",
            search_aliases=["save directions", "export axes"],
            is_output_node=True,
            inputs=[
                AxesSocket.Input("axes", tooltip="Axes from Fit Expression GLM."),
                io.String.Input(
                    "name", default="my_axes", tooltip="Name of the file; a number is added, nothing is overwritten."
                ),
            ],
            outputs=[],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, axes: ExpressionAxes, name: str) -> io.NodeOutput:
        target = host.new_path(host.AXES, name)
        save_axes(target, axes)
        return io.NodeOutput(ui=host.saved(target))


def _source(name: str) -> Path:
    """The file behind a choice."""
    return builtin_path("axes.safetensors") if name == host.BUILTIN else host.chosen_path(host.AXES, name)
