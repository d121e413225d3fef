"""The node with a slider for every shape of the face model."""

from __future__ import annotations

from collections.abc import Mapping

from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import REGIONS, SHAPES, apply_expressions, load_axes
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
from .sockets import CATEGORY, HeldInversion

RARE = (
    *("cheekRaiser", "cheekSquint", "jawForward", "mouthClose", "mouthDimple", "mouthPress"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
)
"""Shapes that people seldom move by hand."""


class FaceShapes(io.ComfyNode):
    """The core's apply_expressions and put_back, by the shapes of the face model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_FaceShapes",
            display_name="Face Shapes, Gaze, Blink (EmotionGAN)",
            category=CATEGORY,
            description="Moves single parts of the face, brows, eyes, cheeks, nose, jaw and mouth, in the photo's own pixels. "
            "Works with every generator. With all sliders at 0, and outside of the mask, every pixel stays as it was.",
            search_aliases=[
                *("blendshapes", "arkit", "face rig", "live portrait", "liveportrait", "edit face", "edit portrait"),
                *("gaze", "eye direction", "blink", "close eyes", "brow", "eyebrows", "mouth", "open mouth"),
            ],
            has_intermediate_output=True,
            inputs=[
                *inputs_from_inversion(),
                *(
                    slider(
                        name,
                        most=1.0,
                        advanced=name in RARE,
                        tooltip=f"{SHAPES[name][0].upper()}{SHAPES[name][1:]}. 0 changes nothing, 1 is as far as it goes.",
                    )
                    for name in shown_names()
                ),
                more_input("eyeBlinkLeft=1, mouthSmileRight=0.5"),
                *switches(),
                expression_input(),
            ],
            outputs=[*outputs_of_edit(), expression_output()],
        )

    @classmethod
    @in_one_sentence
    @previewed
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        more: str = "",
        draft: bool = False,
        neutral_first: bool = False,
        absolute: bool = False,
        expression: Mapping[str, float] | None = None,
        **sliders: float,
    ) -> io.NodeOutput:
        axes = load_axes(host.BUILTIN)
        wanted = intensities_of(sliders, more, expression, axes)
        edit = apply_expressions(inversion.inversion, axes, wanted, absolute=absolute, neutral_first=neutral_first)
        made = edited(image, inversion, frames_of(inversion, edit), draft=draft)
        return output_of(cls, made, wanted)


def shown_names() -> list[str]:
    """The shapes in the order of the sliders: region by region."""
    return [name for region in REGIONS for name in SHAPES if name.startswith(region)]
