"""The node that makes frames: expressions over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import (
    EASINGS,
    REFERENCE,
    ExpressionAxes,
    Keyframe,
    Photo,
    ShapeError,
    apply_expressions,
    contact_sheet,
    counted,
    intensities_at,
    load_axes,
    parse_keyframes,
    spelled_as_known,
)
from . import host
from .pictures import image_of_photo, photos_of
from .putting_back import Frame, draft_input, edited, inputs_from_inversion, output_of, outputs_of_edit
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, HeldInversion

FROM_KEYFRAMES = 0
MAX_FRAMES = 1000
SHEET_COLUMNS, SHEET_TILE_PX = 8, 240


class ExpressionSweep(io.ComfyNode):
    """The core's intensities_at, apply_expressions and put_back, frame by frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_ExpressionSweep",
            display_name="Expression Sweep (EmotionGAN)",
            category=CATEGORY,
            description="Makes frames of a face whose expression changes over time, by keyframes. One photo becomes a film; a "
            "batch of frames that were inverted together is edited frame by frame.",
            search_aliases=[
                *("animate face", "animate portrait", "keyframes", "expression animation", "video", "frames", "morph"),
                *("smile animation", "live portrait", "liveportrait"),
            ],
            has_intermediate_output=True,
            inputs=[
                *inputs_from_inversion(),
                io.String.Input(
                    "keyframes",
                    multiline=True,
                    default="0: neutral\n8: happiness=1\n16: happiness=1, eyeBlink=1\n20: happiness=1\n28: neutral",
                    tooltip="One line for each keyframe, as frame: name=intensity, name=intensity. Frames count from 0; what a "
                    "line does not name is at 0 there, and 'neutral' is the face as it is. Names are those of Apply "
                    "Expression and Face Shapes.",
                ),
                io.Combo.Input(
                    "easing",
                    options=list(EASINGS),
                    default="smooth",
                    tooltip="Between two keyframes. smooth: slow at both ends. linear: at an even pace. hold: all at once when "
                    "the next one comes.",
                ),
                io.Int.Input(
                    "frames",
                    default=FROM_KEYFRAMES,
                    min=FROM_KEYFRAMES,
                    max=MAX_FRAMES,
                    tooltip="How many frames to make of one photo; 0 ends with the last keyframe. A batch keeps its own number.",
                ),
                io.Boolean.Input(
                    "neutral_first",
                    default=False,
                    optional=True,
                    tooltip="On takes the expression that the photo shows off first, in every frame, so that 'neutral' is a "
                    "neutral face.",
                ),
                draft_input(),
                AxesSocket.Input(
                    "axes", optional=True, tooltip="Expression axes of your own; without a link, the built-in ones."
                ),
            ],
            outputs=[
                *outputs_of_edit(),
                io.Image.Output(
                    "sheet", tooltip="The faces of the first 64 frames as one labelled picture, eight in a row."
                ),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        keyframes: str,
        easing: str,
        frames: int,
        neutral_first: bool = False,
        draft: bool = False,
        axes: ExpressionAxes | None = None,
    ) -> io.NodeOutput:
        axes = axes or load_axes(host.BUILTIN)
        wanted = [
            replace(one, intensities=spelled_as_known(one.intensities, axes)[0]) for one in parse_keyframes(keyframes)
        ]
        parts, told = [], []
        for number, (picture, face) in enumerate(_sources(inversion, wanted, frames)):
            intensities, edit = intensities_at(wanted, number, easing=easing), None
            if face is not None:
                edit = apply_expressions(inversion.inversion[face], axes, intensities, neutral_first=neutral_first)
                told.append(", ".join(f"{name} {value:.2g}" for name, value in intensities.items()) or REFERENCE)
            parts.append(Frame(picture, face, edit))
        made = edited(image, inversion, parts, draft=draft)
        return output_of(cls, made, host.outgoing(image_of_photo(_sheet(photos_of(made.shown), told))))


def _sheet(faces: Sequence[Photo], told: Sequence[str]) -> Photo:
    """The faces in rows, with what was asked of each above it, or in several rows with their frames' numbers."""
    shown = range(len(faces))
    rows = [[faces[at] for at in shown[start : start + SHEET_COLUMNS]] for start in shown[::SHEET_COLUMNS]]
    numbers = [f"frame {start}" for start in shown[::SHEET_COLUMNS]]
    alone = len(rows) == 1
    return contact_sheet(
        rows,
        title="Expressions",
        column_labels=told[: len(rows[0])] if alone else (),
        row_labels=() if alone else numbers,
        tile_px=SHEET_TILE_PX,
    )


def _sources(inversion: HeldInversion, keyframes: Sequence[Keyframe], frames: int) -> list[tuple[int, int | None]]:
    """Picture and face of every frame: one photo again and again, or the pictures of a batch in order.

    Raises: ShapeError for more frames than may be.
    """
    places = inversion.places
    if places.count > 1:
        face_in = {picture: face for face, picture in enumerate(places.rows)}
        return [(picture, face_in.get(picture)) for picture in range(places.count)]
    count = frames or keyframes[-1].frame + 1
    if count > MAX_FRAMES:
        raise ShapeError(
            f"{counted(count, 'frame was', 'frames were')} asked for; up to {MAX_FRAMES} are made at once, end earlier"
        )
    return [(0, 0)] * count
