"""Landmarks, expression shapes and pose of a face in a photo: by MediaPipe where it is given, otherwise by the project's own nets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emogan_core.errors import FaceError
from emogan_core.face_model import load_face_model
from emogan_core.faces import choose_face, fit_to_photo
from emogan_core.images import Photo

Array = NDArray[np.float64]
# fmt: off
SHAPES = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
    "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
)
# fmt: on
"""MediaPipe's blendshapes in its order, without the first, `_neutral`."""
INSTALL = "install it with: pip install mediapipe"


@dataclass(frozen=True, slots=True)
class Estimate:
    """The largest face of a photo.

    Convention: landmarks [478, 3], x and y in photo px and z in the same unit; shapes 0 to 1 by name, all of SHAPES; yaw
    is positive when the nose points to the picture's right, pitch when it points down, roll when the head leans to the
    picture's left.
    """

    landmarks: Array
    shapes: dict[str, float]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


Estimator = Callable[[Photo], Estimate | None]
"""From a photo to its largest face, None where none is found."""


@contextmanager
def estimator(model: Path | None) -> Iterator[tuple[Estimator, str]]:
    """MediaPipe's face landmarker with its model file, `face_landmarker.task`, or our own nets; and what to call them.

    Raises: ImportError where MediaPipe is asked for and not installed.
    """
    if model is None:
        yield by_own_nets, "emogan"
        return
    try:
        from mediapipe.tasks.python import BaseOptions, vision
    except ImportError as error:
        raise ImportError(f"MediaPipe cannot be used ({error}); {INSTALL}, or leave --landmarker out") from error
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
        num_faces=5,
    )
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        yield partial(by_mediapipe, landmarker), "mediapipe"


def by_mediapipe(landmarker: Any, photo: Photo) -> Estimate | None:
    """What MediaPipe's face landmarker says."""
    import mediapipe

    pixels = np.ascontiguousarray(photo.eight_bit.pixels)
    height, width = pixels.shape[:2]
    found = landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels))
    faces = [np.array([[p.x * width, p.y * height, p.z * width] for p in face]) for face in found.face_landmarks]
    if not faces:
        return None
    largest = max(range(len(faces)), key=lambda i: float(np.prod(np.ptp(faces[i][:, :2], axis=0))))
    shapes = {shape.category_name: float(shape.score) for shape in found.face_blendshapes[largest]}
    turned = np.array(found.facial_transformation_matrixes[largest])[:3, :3]
    angles = _angles(turned / np.linalg.norm(turned, axis=0))
    return Estimate(faces[largest], {name: shapes[name] for name in SHAPES}, *angles)


def by_own_nets(photo: Photo) -> Estimate | None:
    """The project's dense landmarks, without depth, and the face model's coefficients in place of blendshapes."""
    model = load_face_model()
    try:
        fit = fit_to_photo(photo, choose_face(photo))
    except FaceError:
        return None
    values = dict(zip(model.names, fit.coefficients.tolist(), strict=True))
    both = lambda name: (values[f"{name}Left"] + values[f"{name}Right"]) / 2
    shapes = {name: values[name] if name in values else both(name) for name in SHAPES}
    points = np.column_stack([fit.landmarks, np.zeros(len(fit.landmarks))])
    return Estimate(points, shapes, fit.pose.yaw_deg, -fit.pose.pitch_deg, -fit.pose.roll_deg)


def _angles(rotation: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of MediaPipe's rotation [3, 3]."""
    across = math.hypot(rotation[2, 1], rotation[2, 2])
    radians = (
        math.atan2(-rotation[2, 0], across),
        math.atan2(rotation[2, 1], rotation[2, 2]),
        math.atan2(rotation[1, 0], rotation[0, 0]),
    )
    yaw, pitch, roll = (math.degrees(angle) for angle in radians)
    return yaw, pitch, roll
