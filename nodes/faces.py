"""The node that shows which face has which number, and gives them to the host's own nodes for faces."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core import Face, FaceError, FaceFit, Photo, find_faces, fit_to_photo, numbered_faces, obstacle_of
from . import host
from .landmarks import landmarks_from
from .pictures import image_of_photo, photos_of
from .sentences import in_one_sentence
from .sockets import CATEGORY, LandmarksSocket


class FindFaces(io.ComfyNode):
    """The core's find_faces and numbered_faces, for every picture of a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_FindFaces",
            display_name="Find Faces (EmotionGAN)",
            category=CATEGORY,
            description="Shows every face of a photo with its number, by which Invert Face and others choose one. Gives the faces "
            "to ComfyUI's own nodes for landmarks and boxes as well; no model file is needed.",
            search_aliases=[
                *("face detection", "detect faces", "face number", "which face", "face index", "face landmarks"),
                *("face box", "bounding box", "mediapipe", "portrait"),
            ],
            is_output_node=True,
            inputs=[io.Image.Input("image", tooltip="Photos; in a batch, faces are looked for in each.")],
            outputs=[
                io.Image.Output(
                    "picture", tooltip="The photos with a frame and a number on each face; grey ones cannot be edited."
                ),
                LandmarksSocket.Output(
                    "face_landmarks",
                    tooltip="All faces for face_landmarks of Invert Face and others, which then look for none again, and for "
                    "ComfyUI's Visualize Face Landmarks and Draw Face Mask.",
                ),
                io.BoundingBox.Output(
                    "bboxes", tooltip="A box around each face, for ComfyUI's Draw BBoxes and Crop by BBoxes."
                ),
                io.String.Output("report", tooltip="How many faces there are, with size and turn of each."),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, image: Tensor) -> io.NodeOutput:
        photos = photos_of(image)
        shown, frames, told = [], [], []
        for row, photo in enumerate(photos):
            host.stop_if_cancelled()
            faces = find_faces(photo)
            shown.append(image_of_photo(numbered_faces(photo, faces)))
            frames.append(_fitted(photo, faces))
            told += [*([f"image {row + 1}"] if len(photos) > 1 else []), *_lines(faces)]
        size = (int(image.shape[1]), int(image.shape[2]))
        landmarks, boxes = landmarks_from(frames, size=size)
        picture = host.outgoing(torch.cat(shown))
        return io.NodeOutput(picture, landmarks, boxes, "\n".join(told), ui=ui.PreviewImage(picture, cls=cls))


def _fitted(photo: Photo, faces: Sequence[Face]) -> list[tuple[Face, FaceFit]]:
    """Faces with the face model fitted to each; one that cannot be is the last, as those after it would change their numbers."""
    found: list[tuple[Face, FaceFit]] = []
    for face in faces:
        try:
            found.append((face, fit_to_photo(photo, face)))
        except FaceError:
            break
    return found


def _lines(faces: Sequence[Face]) -> list[str]:
    """A line for each face, or that there is none."""
    if not faces:
        return ["no face was found"]
    lines = []
    for number, face in enumerate(faces):
        obstacle = obstacle_of(face)
        cannot = "" if obstacle is None else f"; cannot be edited, {obstacle}"
        lines.append(f"face {number}: {face.size_px:.0f} px wide, turned {round(face.yaw_deg):+d} degrees{cannot}")
    return lines
