"""The node with the named expressions, and what it shares with the one of the shapes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core.compose import MODES, Composite, need_to_put_back, put_back
from ..emogan_core.errors import ExpressionError, ShapeError
from ..emogan_core.expressions import ExpressionAxes, apply_expressions
from ..emogan_core.inversion import Edit
from ..emogan_core.progress import StepReport
from . import host
from .pictures import around_faces, image_of, photos_of, with_edit
from .previewing import previewed
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, HeldInversion, LatentSocket

SLIDERS = {
    "happiness": "1 is the smile of a typical smiling portrait",
    "surprise": "1 is a typical surprised portrait, brows up and mouth open",
    "anger": "1 is a typical angry portrait, brows down and lips tight",
    "sadness": "1 is a typical sad portrait, inner brows up and mouth corners down",
    "disgust": "1 is a typical disgusted portrait, nose wrinkled and upper lip raised",
    "fear": "1 is a typical frightened portrait, brows up and together, eyes wide",
    "contempt": "1 is a typical contemptuous portrait, one mouth corner drawn up",
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
                *inputs_from_inversion(),
                AxesSocket.Input(
                    "axes",
                    tooltip="Expression axes, from Load Axes or a fit. The built-in ones move photos with every generator.",
                ),
                *sliders,
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="motion",
                    tooltip="motion: the photo's own pixels move, so the person and every detail stay. "
                    "paste: the generator's picture itself is blended in, as sharp as the generator is.",
                ),
                more_input("browInnerUp=0.5, wink=1"),
                *switches(),
            ],
            outputs=[
                *outputs_of_edit(),
                io.Image.Output("redrawn", tooltip="The generator's own pictures of the edited faces."),
            ],
        )

    @classmethod
    @in_one_sentence
    @previewed
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        axes: ExpressionAxes,
        mode: str,
        more: str = "",
        draft: bool = False,
        neutral_first: bool = False,
        absolute: bool = False,
        **sliders: float,
    ) -> io.NodeOutput:
        expect_same_pictures(image, inversion)
        wanted = intensities_of(sliders, more)
        edit = apply_expressions(inversion.inversion, axes, wanted, absolute=absolute, neutral_first=neutral_first)
        pictures, mask, redrawn, shown = edited(image, inversion, edit, mode=mode, draft=draft)
        return io.NodeOutput(pictures, mask, redrawn, ui=ui.PreviewImage(shown, cls=cls))


def inputs_from_inversion() -> list[io.Input]:
    """What every edit starts from."""
    return [
        io.Image.Input("image", tooltip="The very photos that were inverted; the edit is put back into them."),
        LatentSocket.Input("inversion", tooltip="From Invert Face, or from Sample Faces."),
    ]


def more_input(example: str) -> io.Input:
    """Expressions and shapes by name."""
    return io.String.Input(
        "more",
        default="",
        optional=True,
        advanced=True,
        placeholder=example,
        tooltip="Intensities of what has no slider, as name=number, separated by commas: expressions of your own axes, and "
        "every shape of the face model, with Left or Right for one side.",
    )


def switches() -> list[io.Input]:
    """How an edit is made."""
    return [
        io.Boolean.Input(
            "draft",
            default=False,
            optional=True,
            tooltip="For moving sliders live: mode motion then works at half the fineness, which is quicker and looks nearly "
            "the same. Off for the result.",
        ),
        io.Boolean.Input(
            "neutral_first",
            default=False,
            optional=True,
            advanced=True,
            tooltip="On takes the expression that the photo shows off first, so that sliders start from a neutral face.",
        ),
        io.Boolean.Input(
            "absolute",
            default=False,
            optional=True,
            advanced=True,
            tooltip="On sets each slider that is not at 0 as a level, whatever the photo shows already; off adds to what it shows.",
        ),
    ]


def outputs_of_edit() -> list[io.Output]:
    """What every edit gives."""
    return [
        io.Image.Output("image", tooltip="The edited photos, at their own size."),
        io.Mask.Output("mask", tooltip="Where each photo was changed, and how strongly; 0 is untouched."),
    ]


def edited(
    image: Tensor, inversion: HeldInversion, edit: Edit, *, mode: str, draft: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Edited pictures, masks and redrawn faces as the host keeps them, and a preview of the faces."""
    report = host.progress()
    composites: list[Composite] = []
    held = inversion.held
    needed = need_to_put_back(held.generator, device=host.device_of(held))
    with host.at_work(held, bytes_needed=needed) as network:
        for index, photo in enumerate(photos_of(image)):
            one = inversion.inversion[index]
            composites.append(put_back(network, photo, one, edit[index], mode=mode, draft=draft))
            report(StepReport(index + 1, len(image), "editing"))
    pictures = torch.stack([with_edit(one, made) for one, made in zip(image, composites, strict=True)])
    mask = torch.stack([torch.from_numpy(made.mask) for made in composites])
    redrawn = image_of(torch.cat([made.redrawn for made in composites]))
    pictures = host.outgoing(pictures, dtype=image.dtype)
    shown = around_faces(pictures, inversion.inversion.crops)
    return pictures, host.outgoing(mask), host.outgoing(redrawn), shown


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


def expect_same_pictures(image: Tensor, inversion: HeldInversion) -> None:
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
