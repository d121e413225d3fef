"""The node with the sliders."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core.compose import DRAFT, MODES, Composite, need_to_put_back, put_back
from ..emogan_core.errors import ExpressionError, ShapeError
from ..emogan_core.expressions import ExpressionAxes, apply_expressions
from ..emogan_core.progress import StepReport
from . import host
from .pictures import image_of, photos_of, with_edit
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, HeldInversion, LatentSocket

SLIDERS = {
    "happiness": "1 is the smile of a typical smiling portrait",
    "surprise": "1 is a typical surprised portrait, brows up and mouth open",
    "anger": "1 is a typical angry portrait, brows down and lips tight",
    "sadness": "1 is a typical sad portrait, mouth corners down",
    "disgust": "1 is a typical portrait labelled so; experimental, because its examples are few",
}


class ApplyExpression(io.ComfyNode):
    """The core's apply_expressions and put_back, for every picture of a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        sliders = [
            io.Float.Input(
                name,
                default=1.0 if name == "happiness" else 0.0,
                min=-2.0,
                max=2.0,
                step=0.05,
                display_mode=io.NumberDisplay.slider,
                tooltip=f"Intensity of {name}: {meaning}; 0 changes nothing, negative goes the other way.",
            )
            for name, meaning in SLIDERS.items()
        ]
        return io.Schema(
            node_id="EmotionGAN_ApplyExpression",
            display_name="Apply Expression (EmotionGAN)",
            category=CATEGORY,
            description="Gives the face other expressions and puts it back into the photo. Outside of the mask, and with all "
            "intensities at 0, every pixel stays as it was. Only this node runs again when a slider moves.",
            search_aliases=["emotion", "smile", "facial expression", "expression editor", "change expression"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input("image", tooltip="The very photos that were inverted; the edit is put back into them."),
                LatentSocket.Input("inversion", tooltip="From Invert Face, or from Sample Faces."),
                AxesSocket.Input("axes", tooltip="Expression axes of the same generator, from Load Axes or a fit."),
                *sliders,
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="motion",
                    tooltip="motion: the photo's own pixels move, so the person and every detail stay. "
                    "paste: the generator's picture itself is blended in, as sharp as the generator is.",
                ),
                io.String.Input(
                    "more",
                    default="",
                    optional=True,
                    advanced=True,
                    placeholder="contempt=0.5, wink=1",
                    tooltip="Intensities of further expressions in your own axes, as name=number, separated by commas.",
                ),
                io.Boolean.Input(
                    "draft",
                    default=False,
                    optional=True,
                    tooltip="For moving sliders live: mode motion then looks at fewer drawn pictures, which takes less than "
                    "half the time and looks nearly the same. Off for the result.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The edited photos, at their own size."),
                io.Mask.Output("mask", tooltip="Where each photo was changed, and how strongly; 0 is untouched."),
                io.Image.Output("redrawn", tooltip="The generator's own pictures of the edited faces."),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        axes: ExpressionAxes,
        mode: str,
        more: str = "",
        draft: bool = False,
        **sliders: float,
    ) -> io.NodeOutput:
        photos = photos_of(image)
        _expect_same_pictures(image, inversion)
        edited = apply_expressions(inversion.inversion.latent, axes, intensities_of(sliders, more))
        report = host.progress()
        composites: list[Composite] = []
        held = inversion.held
        needed = need_to_put_back(held.generator, device=host.device_of(held))
        with host.at_work(held, bytes_needed=needed) as network:
            for index, photo in enumerate(photos):
                one = inversion.inversion[index]
                config = DRAFT if draft else None
                composites.append(put_back(network, photo, one, edited[index], mode=mode, config=config))
                report(StepReport(index + 1, len(photos), "editing"))
        pictures = torch.stack([with_edit(one, made) for one, made in zip(image, composites, strict=True)])
        mask = torch.stack([torch.from_numpy(made.mask) for made in composites])
        redrawn = image_of(torch.cat([made.redrawn for made in composites]))
        pictures = host.outgoing(pictures, dtype=image.dtype)
        return io.NodeOutput(
            pictures, host.outgoing(mask), host.outgoing(redrawn), ui=ui.PreviewImage(pictures, cls=cls)
        )


def intensities_of(sliders: Mapping[str, float], more: str) -> dict[str, float]:
    """Intensities by expression: sliders that are not at 0, and what `more` adds.

    Raises: ExpressionError for text that is not name=number, or an expression named twice.
    """
    wanted = {name: value for name, value in sliders.items() if value != 0}
    for part in (part.strip() for part in more.replace("\n", ",").split(",")):
        if not part:
            continue
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError as error:
            raise ExpressionError(f"'{part}' came in 'more'; write name=number, for example wink=0.5") from error
        if name in wanted:
            raise ExpressionError(f"'{name}' has two intensities; give it by slider or in 'more', once")
        wanted[name] = value
    return wanted


def _expect_same_pictures(image: Tensor, inversion: HeldInversion) -> None:
    """Refuse pictures that cannot be the inverted ones.

    Raises: ShapeError.
    """
    came = (len(image), int(image.shape[1]), int(image.shape[2]))
    needed = (len(inversion.inversion), *inversion.size)
    if came != needed:
        raise ShapeError(
            f"an image of {came[0]} x {came[2]} x {came[1]} px came, but faces were found in one of {needed[0]} x "
            f"{needed[2]} x {needed[1]} px (pictures x width x height); connect the image that was inverted"
        )
