"""The node that lets a clip drive a face."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import (
    LIMIT,
    SMOOTHING,
    ClipFaces,
    ExpressionAxes,
    FaceError,
    ShapeError,
    counted,
    drive_expression,
    load_axes,
    most_neutral,
)
from . import host
from .finding import find_clip, landmarks_input, smoothing_input
from .pictures import photos_of
from .putting_back import (
    Frame,
    draft_input,
    edited,
    inputs_from_inversion,
    output_of,
    outputs_of_edit,
    part_inputs,
    regions_of,
    slider,
)
from .sentences import in_one_sentence
from .sockets import CATEGORY, AxesSocket, HeldInversion, Places

MOST_NEUTRAL = -1
MOST_FRAMES = 1_000_000


class DriveExpression(io.ComfyNode):
    """The core's drive_expression and put_back, frame by frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_DriveExpression",
            display_name="Drive Expression (EmotionGAN)",
            category=CATEGORY,
            description="Lets the face of a clip drive a photo or another clip: what its expression does, frame by frame, is "
            "added to the face, in the photo's own pixels. Expression only: head, gaze and person stay those of the photo.",
            search_aliases=[
                *("live portrait", "liveportrait", "face reenactment", "drive face", "driving video", "motion link"),
                *("animate photo", "animate portrait", "expression transfer", "video", "mocap", "puppet"),
            ],
            has_intermediate_output=True,
            inputs=[
                *inputs_from_inversion(),
                io.Image.Input(
                    "driving",
                    tooltip="Frames of the clip that drives, in order, from Load Video and Get Video Components, say. A photo "
                    "becomes as many frames; of a clip, frame goes with frame, and the shorter one ends it.",
                ),
                *part_inputs("drives", eyes="the lids"),
                slider(
                    "strength",
                    most=LIMIT,
                    default=1.0,
                    tooltip="How much of the other face's expression: 0 changes nothing, 1 is as it was there, above 1 more.",
                ),
                io.Int.Input(
                    "neutral_frame",
                    default=MOST_NEUTRAL,
                    min=MOST_NEUTRAL,
                    max=MOST_FRAMES,
                    tooltip="The driving frame, from 0, that counts as no expression: what changed since then is added. -1 "
                    "takes the most neutral one.",
                ),
                io.Int.Input(
                    "driving_face",
                    default=0,
                    min=0,
                    max=63,
                    optional=True,
                    advanced=True,
                    tooltip="Which face of the driving clip, where it is first seen: 0 is the largest, 1 the next. Then it is "
                    "followed.",
                ),
                smoothing_input(),
                draft_input(),
                AxesSocket.Input(
                    "axes",
                    optional=True,
                    tooltip="What is known of expressions, for their shading; without a link, the built-in axes.",
                ),
                landmarks_input(),
            ],
            outputs=[
                *outputs_of_edit(),
                io.String.Output(
                    "report", tooltip="Which frame counted as neutral, and which frames show no usable face."
                ),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        image: Tensor,
        inversion: HeldInversion,
        driving: Tensor,
        brows: bool,
        eyes: bool,
        mouth: bool,
        strength: float,
        neutral_frame: int,
        driving_face: int = 0,
        smoothing: float = SMOOTHING,
        draft: bool = False,
        axes: ExpressionAxes | None = None,
        face_landmarks: object = None,
    ) -> io.NodeOutput:
        clip = _driving(driving, driving_face, face_landmarks, smoothing)
        wanted = clip.coefficients()
        neutral = most_neutral(wanted) if neutral_frame == MOST_NEUTRAL else neutral_frame
        frames = _frames(inversion.places, clip.count)
        edits = iter(
            drive_expression(
                inversion.inversion,
                wanted,
                axes or load_axes(host.BUILTIN),
                regions=regions_of(brows=brows, eyes=eyes, mouth=mouth),
                neutral=neutral,
                strength=strength,
                frames=[number for number, (_, face) in enumerate(frames) if face is not None],
            )
        )
        parts = [Frame(picture, face, None if face is None else next(edits)) for picture, face in frames]
        told = _told(inversion.places, clip, neutral, len(frames))
        made = edited(image, inversion, parts, draft=draft)
        return output_of(cls, made, "\n".join([*told, *made.told]), told=told, rest="more in report")


def _driving(driving: Tensor, face: int, landmarks: object, smoothing: float) -> ClipFaces:
    """The face that drives.

    Raises: FaceError when no frame shows it.
    """
    try:
        return find_clip(photos_of(driving), face, landmarks=landmarks, smoothing=smoothing)
    except FaceError as error:
        raise FaceError(f"the driving clip: {error}") from error


def _frames(places: Places, driving: int) -> list[tuple[int, int | None]]:
    """Picture and face of every frame to be made.

    Raises: ShapeError when no frame of the driven clip that is left shows a face.
    """
    if places.count == 1:
        return [(0, 0)] * driving
    face_in = {picture: face for face, picture in enumerate(places.rows)}
    frames = [(picture, face_in.get(picture)) for picture in range(min(places.count, driving))]
    if not any(face is not None for _, face in frames):
        raise ShapeError(
            f"none of the frames that both clips have ({len(frames)} in all) shows a face in the image; give a longer driving clip, or drop "
            "the frames before the face appears"
        )
    return frames


def _told(places: Places, clip: ClipFaces, neutral: int, made: int) -> list[str]:
    lines = [f"{counted(made, 'frame')}; driving frame {neutral} counts as neutral"]
    if places.count not in (1, clip.count):
        lines.append(
            f"{counted(clip.count, 'driving frame')} came for a clip of {places.count}; the shorter one ended it"
        )
    if places.count > 1:
        unseen = [number for number in range(made) if number not in places.rows]
        lines += [f"image {number + 1} of {places.count} passed through, it shows no usable face" for number in unseen]
    return lines + [f"driven as the frames around it: driving {note}" for note in clip.notes]
