"""Finding faces in a photo and cutting them out the way a generator expects them."""

from .align import FRAMES, Face, frame_quad, recognised_quad
from .clip import SMOOTHING, ClipFaces, fit_clip, same_face
from .crop import Crop, crop_of, cut, whole_crop, window_around
from .cutting import CutFaces, cut_faces
from .dense import dense_landmarks
from .drawn import drawn_face, place_drawn
from .find import MOSTLY_CLEAR, choose_among, choose_face, clear_share, face_under, find_faces, obstacle_of, seen_again
from .fit import fit_to_photo
from .frame import drawn_frame, frame_of
from .given import face_from
from .mediapipe import as_mediapipe, mediapipe_connections

__all__ = [
    "FRAMES",
    "MOSTLY_CLEAR",
    "SMOOTHING",
    "ClipFaces",
    "Crop",
    "CutFaces",
    "Face",
    "as_mediapipe",
    "choose_among",
    "choose_face",
    "clear_share",
    "crop_of",
    "cut",
    "cut_faces",
    "dense_landmarks",
    "drawn_face",
    "drawn_frame",
    "face_from",
    "face_under",
    "find_faces",
    "fit_clip",
    "fit_to_photo",
    "frame_of",
    "frame_quad",
    "mediapipe_connections",
    "obstacle_of",
    "place_drawn",
    "recognised_quad",
    "same_face",
    "seen_again",
    "whole_crop",
    "window_around",
]
