"""The node that reads a face, and what others need of faces in a second picture."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core import Reading, reading_lines, reading_of, reading_sheet
from . import host
from .finding import face_inputs, find_all, landmarks_input
from .pictures import image_of_photo, photos_of
from .sentences import in_one_sentence
from .sockets import CATEGORY, ExpressionSocket

LEAST = 0.01


class ReadExpression(io.ComfyNode):
    """The core's reading_of, for every picture of a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_ReadExpression",
            display_name="Read Expression (EmotionGAN)",
            category=CATEGORY,
            description="Says which expression a face shows: how probable each named one is, the shapes of the face model, "
            "and how the head is turned. It tells what a face looks like, not what anyone feels.",
            search_aliases=[
                *("emotion recognition", "detect emotion", "blendshapes from photo", "expression from photo"),
                *("portrait", "head pose", "landmarks"),
            ],
            is_output_node=True,
            inputs=[
                io.Image.Input(
                    "image", tooltip="Photos with a face seen from the front; of a batch, each picture is read."
                ),
                *face_inputs(of="each photo"),
                landmarks_input(),
            ],
            outputs=[
                io.String.Output(
                    "report", tooltip="Numbers as text: probabilities, shapes, the head's turn in degrees."
                ),
                io.Image.Output("picture", tooltip="Each face with its landmarks, beside bars of what it reads as."),
                ExpressionSocket.Output(
                    "expression",
                    tooltip="The shapes that the first face shows, 0 to 1, for Save Expression or to be added to another face.",
                ),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, image: Tensor, face: int, face_landmarks: object = None) -> io.NodeOutput:
        photos = photos_of(image)
        found = find_all(photos, face, landmarks=face_landmarks, stop=False)
        readings = [reading_of(fit) for fit in found.fits]
        sheets = [
            image_of_photo(reading_sheet(photos[row], fit, reading))
            for row, fit, reading in zip(found.rows, found.fits, readings, strict=True)
        ]
        told = [
            "\n".join([*([f"image {row + 1}"] if len(photos) > 1 else []), *reading_lines(reading), _head(reading)])
            for row, reading in zip(found.rows, readings, strict=True)
        ]
        picture = host.outgoing(torch.cat(sheets))
        shapes = {name: round(value, 3) for name, value in readings[0].coefficients.items() if value >= LEAST}
        report = "\n\n".join([*told, *found.notes])
        return io.NodeOutput(report, picture, shapes, ui=ui.PreviewImage(picture, cls=cls))


def _head(reading: Reading) -> str:
    return f"head: yaw {round(reading.yaw_deg):+d}, pitch {round(reading.pitch_deg):+d}, roll {round(reading.roll_deg):+d} degrees"
