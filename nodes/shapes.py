"""The node with a slider for every shape of the face model."""

from __future__ import annotations

from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core.expressions import apply_expressions, load_axes
from ..emogan_core.expressions.meanings import SHAPES
from ..emogan_core.face_model import REGIONS
from . import host
from .editing import (
    edited,
    expect_same_pictures,
    inputs_from_inversion,
    intensities_of,
    more_input,
    outputs_of_edit,
    switches,
)
from .previewing import previewed
from .sentences import in_one_sentence
from .sockets import CATEGORY, HeldInversion


class FaceShapes(io.ComfyNode):
    """The core's apply_expressions and put_back, by the shapes of the face model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_FaceShapes",
            display_name="Face Shapes (EmotionGAN)",
            category=CATEGORY,
            description="Moves single parts of the face, brows, eyes, cheeks, nose, jaw and mouth, in the photo's own pixels. "
            "Works with every generator. With all sliders at 0, and outside of the mask, every pixel stays as it was.",
            search_aliases=["blendshapes", "arkit", "face rig", "live portrait", "gaze", "blink", "brow", "mouth"],
            has_intermediate_output=True,
            inputs=[
                *inputs_from_inversion(),
                *(
                    io.Float.Input(
                        name,
                        default=0.0,
                        min=0.0,
                        max=1.0,
                        step=0.05,
                        display_mode=io.NumberDisplay.slider,
                        tooltip=f"{SHAPES[name][0].upper()}{SHAPES[name][1:]}. 0 changes nothing, 1 is as far as it goes.",
                    )
                    for name in shown_names()
                ),
                more_input("eyeBlinkLeft=1, mouthSmileRight=0.5"),
                *switches(),
            ],
            outputs=outputs_of_edit(),
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
        **sliders: float,
    ) -> io.NodeOutput:
        expect_same_pictures(image, inversion)
        wanted = intensities_of(sliders, more)
        edit = apply_expressions(
            inversion.inversion, load_axes(host.BUILTIN), wanted, absolute=absolute, neutral_first=neutral_first
        )
        pictures, mask, _, shown = edited(image, inversion, edit, mode="motion", draft=draft)
        return io.NodeOutput(pictures, mask, ui=ui.PreviewImage(shown, cls=cls))


def shown_names() -> list[str]:
    """The shapes in the order of the sliders: region by region."""
    return [name for region in REGIONS for name in SHAPES if name.startswith(region)]
