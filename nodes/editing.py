"""The node with the named expressions."""

from __future__ import annotations

from collections.abc import Mapping

from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import EXPRESSIONS, LIMIT, MODES, ExpressionAxes, apply_expressions, load_axes
from . import host
from .previewing import previewed
from .putting_back import (
    edited,
    expression_input,
    expression_output,
    frames_of,
    inputs_from_inversion,
    intensities_of,
    more_input,
    output_of,
    outputs_of_edit,
    slider,
    switches,
)
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, HeldInversion


class ApplyExpression(io.ComfyNode):
    """The core's apply_expressions and put_back, for every picture of a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        sliders = [
            slider(
                name,
                least=-LIMIT,
                most=LIMIT,
                default=1.0 if name == "happiness" else 0.0,
                tooltip=f"Intensity of {name} ({meaning}). 0 changes nothing, 1 is its usual strength; below 0 takes it off, "
                "and what has an opposite movement goes on there.",
            )
            for name, meaning in EXPRESSIONS.items()
        ]
        return io.Schema(
            node_id="EmotionGAN_ApplyExpression",
            display_name="Apply Expression (EmotionGAN)",
            category=CATEGORY,
            description="Gives the face other expressions and puts it back into the photo. Outside of the mask, and with all "
            "intensities at 0, every pixel stays as it was. Only this node runs again when a slider moves.",
            search_aliases=[
                *("emotion", "smile", "happy", "sad", "angry", "surprised", "facial expression", "expression editor"),
                *("change expression", "edit face", "edit portrait", "live portrait", "liveportrait"),
                *("neutral face", "neutralise", "neutralize", "remove smile"),
            ],
            has_intermediate_output=True,
            inputs=[
                *inputs_from_inversion(),
                AxesSocket.Input(
                    "axes",
                    optional=True,
                    tooltip="Expression axes of your own, from Load Axes or a fit; without a link, the built-in ones, which move "
                    "photos with every generator.",
                ),
                *sliders,
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="motion",
                    tooltip="motion: the photo's own pixels move, so the person and every detail stay. "
                    "paste: the same, and what the generator newly shows (shading, folds, the mouth's inside) is added, as fine as "
                    "the generator draws.",
                ),
                more_input("browInnerUp=0.5, eyeBlinkLeft=1"),
                *switches(),
                expression_input(),
            ],
            outputs=[
                *outputs_of_edit(),
                io.Image.Output("redrawn", tooltip="The generator's own pictures of the edited faces."),
                expression_output(),
            ],
        )

    @classmethod
    @in_one_sentence
    @previewed
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        mode: str,
        axes: ExpressionAxes | None = None,
        more: str = "",
        draft: bool = False,
        neutral_first: bool = False,
        absolute: bool = False,
        expression: Mapping[str, float] | None = None,
        **sliders: float,
    ) -> io.NodeOutput:
        axes = axes or load_axes(host.BUILTIN)
        wanted = intensities_of(sliders, more, expression, axes)
        edit = apply_expressions(inversion.inversion, axes, wanted, absolute=absolute, neutral_first=neutral_first)
        made = edited(image, inversion, frames_of(inversion, edit), mode=mode, draft=draft, redraw=True)
        return output_of(cls, made, made.redrawn, wanted)
