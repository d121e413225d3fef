"""A mesh of the human face with named expression shapes, and how it is fitted to landmarks."""

from .clip import fit_frames
from .fit import FaceFit, fit_face, fit_faces
from .model import PARTS, FaceModel, load_face_model
from .names import REGIONS, both_sides, sides_of
from .pose import Pose, fit_pose

__all__ = [
    "PARTS",
    "REGIONS",
    "FaceFit",
    "FaceModel",
    "Pose",
    "both_sides",
    "fit_face",
    "fit_faces",
    "fit_frames",
    "fit_pose",
    "load_face_model",
    "sides_of",
]
