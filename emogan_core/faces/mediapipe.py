"""A face in the words of MediaPipe's face landmarker, for programs that take those."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from ..face_model import FaceFit, load_face_model
from ..face_model.contours import BROWS, EYES, INNER_LIPS, NOSE, OUTER_LIPS, OVAL

FACE_PX = 192  # the side of the square in which MediaPipe's points have their depth
ROOM = 1.5  # that side, in extents of the face
FIELD_OF_VIEW_DEG = 63.0  # vertical, of the camera that MediaPipe assumes
WITHOUT_IRISES = 468
IRISES = (tuple(range(469, 473)), tuple(range(474, 478)))
ONE_SHAPE = ("browInnerUp", "cheekPuff")  # there; one for each side here
OURS_ALONE = ("cheekRaiser",)

Array = NDArray[np.float32]


def as_mediapipe(fit: FaceFit, *, score: float, size: tuple[int, int]) -> dict[str, object]:
    """One face as MediaPipe's face landmarker tells of it.

    Convention: `size` (height, width) of the photo; in the result "landmarks_xy" [478, 2] and "bbox_xyxy" [4] are in its px;
    "landmarks_3d" [478, 3] in a square of 192 px, z larger farther away; "blendshapes" are the 52 by name, 0 to 1;
    "transformation_matrix" [4, 4] takes a face in cm (x to the person's left, y up, z to the viewer) before a camera of 63
    degrees; "presence" is a logit, and "score" 0 to 1.
    """
    low, high = fit.landmarks.min(0), fit.landmarks.max(0)
    likely = min(max(score, 1e-6), 1 - 1e-6)
    return {
        "bbox_xyxy": np.concatenate([low, high]).astype(np.float32),
        "blendshapes": _blendshapes(fit),
        "landmarks_xy": fit.landmarks.astype(np.float32),
        "landmarks_3d": _in_depth(fit, (low + high) / 2, ROOM * float((high - low).max())),
        "presence": math.log(likely / (1 - likely)),
        "score": score,
        "transformation_matrix": _placed(fit, size),
    }


@cache
def mediapipe_connections() -> Mapping[str, frozenset[tuple[int, int]]]:
    """Which of MediaPipe's points are joined by lines, by the name of what they outline.

    Convention: closed outlines are rings; "left" and "right" are the person's own. "tesselation" joins all points of the
    skin, by triangles of our own.
    """
    right, left = 0, 1
    parts = {
        "face_oval": _ring(OVAL),
        "lips": _ring(OUTER_LIPS) | _ring(INNER_LIPS),
        "left_eye": _ring(EYES[left]),
        "right_eye": _ring(EYES[right]),
        "left_eyebrow": frozenset[tuple[int, int]]().union(*map(_line, BROWS[left])),
        "right_eyebrow": frozenset[tuple[int, int]]().union(*map(_line, BROWS[right])),
    }
    contours = frozenset[tuple[int, int]]().union(*parts.values())
    irises, nose = _ring(IRISES[0]) | _ring(IRISES[1]), _line(NOSE)
    return {
        **parts,
        "irises": irises,
        "nose": nose,
        "contours": contours,
        "all": contours | irises | nose,
        "tesselation": _tesselation(),
    }


def _line(points: Sequence[int]) -> frozenset[tuple[int, int]]:
    return frozenset(itertools.pairwise(points))


def _ring(points: Sequence[int]) -> frozenset[tuple[int, int]]:
    return _line((*points, points[0]))


def _tesselation() -> frozenset[tuple[int, int]]:
    model = load_face_model()
    places = (model.neutral[model.landmark_vertex] + model.landmark_offset)[:, :2]
    corners = Delaunay(places).simplices
    sides: Iterator[tuple[int, int]] = ((int(t[i]), int(t[i - 1])) for t in corners for i in range(3))
    return frozenset((min(side), max(side)) for side in sides)


def _blendshapes(fit: FaceFit) -> dict[str, float]:
    found = dict(zip(load_face_model().names, map(float, fit.coefficients), strict=True))
    joined = {name: (found.pop(f"{name}Left") + found.pop(f"{name}Right")) / 2 for name in ONE_SHAPE}
    kept = {name: value for name, value in found.items() if not name.startswith(OURS_ALONE)}
    return {"_neutral": 0.0, **dict(sorted((kept | joined).items()))}


def _in_depth(fit: FaceFit, middle: NDArray[np.float64], side: float) -> Array:
    """The points in a square of FACE_PX around the face, with the mesh's depth; an iris has that of its eye's corners."""
    model = load_face_model()
    depth = -fit.vertices(model)[model.landmark_vertex, 2]  # [468], px
    depth -= depth.mean()
    irises = [np.full(5, depth[[ring[0], ring[8]]].mean()) for ring in EYES]
    deep = np.concatenate([depth, *irises])
    across = (fit.landmarks - middle) / side + 0.5
    return (FACE_PX * np.column_stack([across, deep / side])).astype(np.float32)


def _placed(fit: FaceFit, size: tuple[int, int]) -> Array:
    """Where the head is before MediaPipe's camera, from the weak perspective pose."""
    height, width = size
    focal_px = height / (2 * math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2))
    x, y = fit.pose.translation
    scale = fit.pose.scale
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = fit.pose.rotation
    matrix[:3, 3] = ((x - width / 2) / scale, (height / 2 - y) / scale, -focal_px / scale)
    return matrix
