"""The node that takes an expression from another photo."""

from __future__ import annotations

from collections.abc import Mapping

from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import (
    LIMIT,
    Edit,
    ExpressionAxes,
    FaceError,
    FaceFit,
    Inversion,
    ShapeError,
    apply_expressions,
    copy_expression,
    counted,
    inversion_after,
    join_edits,
    load_axes,
    share_of_edit,
)
from . import host
from .finding import find_all, landmarks_input
from .pictures import photos_of
from .putting_back import (
    draft_input,
    edited,
    expression_input,
    frames_of,
    inputs_from_inversion,
    intensities_of,
    more_input,
    output_of,
    outputs_of_edit,
    part_inputs,
    regions_of,
    slider,
)
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, HeldInversion


class CopyExpression(io.ComfyNode):
    """The core's copy_expression and put_back, for every picture of a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_CopyExpression",
            display_name="Copy Expression (EmotionGAN)",
            category=CATEGORY,
            description="Gives the face the expression of a face in another photo, whole or in parts. The person, the head's "
            "turn and every pixel outside of the mask stay. One photo does not tell all of an expression: copies come "
            "out weaker than they were, and strength makes up for it.",
            search_aliases=[
                *("expression transfer", "reference expression", "face reenactment", "live portrait", "liveportrait"),
                *("edit face", "edit portrait", "mimic", "smile from photo"),
            ],
            has_intermediate_output=True,
            inputs=[
                *inputs_from_inversion(),
                io.Image.Input(
                    "reference",
                    tooltip="The photo to copy from: one for all pictures, or as many as faces were inverted, one for each.",
                ),
                *part_inputs("copies", eyes="lids and gaze"),
                slider(
                    "strength",
                    most=LIMIT,
                    default=1.0,
                    tooltip="How far towards the other expression: 0 changes nothing, 1 is all the way, above 1 beyond it.",
                ),
                io.Int.Input(
                    "reference_face",
                    default=0,
                    min=0,
                    max=63,
                    optional=True,
                    advanced=True,
                    tooltip="Which face of the reference: 0 is the largest, 1 the next.",
                ),
                more_input("browInnerUp=0.5, eyeBlinkLeft=1"),
                draft_input(),
                AxesSocket.Input(
                    "axes",
                    optional=True,
                    tooltip="What is known of expressions, for their shading and for 'more'; without a link, the built-in axes.",
                ),
                landmarks_input(),
                expression_input(),
            ],
            outputs=outputs_of_edit(),
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        reference: Tensor,
        brows: bool,
        eyes: bool,
        mouth: bool,
        strength: float,
        reference_face: int = 0,
        more: str = "",
        draft: bool = False,
        axes: ExpressionAxes | None = None,
        face_landmarks: object = None,
        expression: Mapping[str, float] | None = None,
    ) -> io.NodeOutput:
        regions = regions_of(brows=brows, eyes=eyes, mouth=mouth)
        fits = _references(reference, reference_face, face_landmarks, count=len(inversion.inversion))
        axes = axes or load_axes(host.BUILTIN)
        wanted = intensities_of({}, more, expression, axes)
        edits = [
            _copied(inversion.inversion[row], fit, axes, regions, strength, wanted) for row, fit in enumerate(fits)
        ]
        return output_of(cls, edited(image, inversion, frames_of(inversion, edits), draft=draft))


def _copied(
    inversion: Inversion,
    reference: FaceFit,
    axes: ExpressionAxes,
    regions: tuple[str, ...],
    strength: float,
    wanted: Mapping[str, float],
) -> Edit:
    """One face with the reference's expression, then what was asked for beside it."""
    copied = share_of_edit(inversion, copy_expression(inversion, reference, axes, regions=regions), strength)
    return join_edits([copied, apply_expressions(inversion_after(inversion, copied), axes, wanted)])


def _references(reference: Tensor, face: int, landmarks: object, *, count: int) -> tuple[FaceFit, ...]:
    """The face to copy from, for each of `count` faces.

    Raises: ShapeError for another number of pictures; FaceError when one shows no usable face.
    """
    if len(reference) not in (1, count):
        raise ShapeError(
            f"{counted(len(reference), 'reference picture')} came for {counted(count, 'inverted face')}; connect one for all, or one for each"
        )
    try:
        fits = find_all(photos_of(reference), face, landmarks=landmarks, stop=True).fits
    except FaceError as error:
        raise FaceError(f"the reference to copy from: {error}") from error
    return fits * count if len(fits) == 1 else fits
