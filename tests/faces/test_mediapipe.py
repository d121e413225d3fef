"""Our faces in the words of MediaPipe's face landmarker."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_faces import SIDE, tiny_face

from emogan_core.faces import as_mediapipe, mediapipe_connections

COUNTS = {  # of MediaPipe's own FACEMESH sets
    **{"face_oval": 36, "lips": 40, "left_eye": 16, "right_eye": 16, "left_eyebrow": 8, "right_eyebrow": 8},
    **{"irises": 8, "contours": 124},
}


def test_shape_a_face_has_all_that_mediapipe_tells() -> None:
    _, fit = tiny_face({"mouthSmile": 0.8, "browInnerUp": 0.4, "cheekRaiser": 0.5})
    face = as_mediapipe(fit, score=0.99, size=(SIDE, SIDE))
    points, deep, box = face["landmarks_xy"], face["landmarks_3d"], face["bbox_xyxy"]
    assert (points.shape, deep.shape, box.shape) == ((478, 2), (478, 3), (4,))
    assert {one.dtype for one in (points, deep, box)} == {np.dtype(np.float32)}
    assert np.allclose(box, [*points.min(0), *points.max(0)])
    shapes = face["blendshapes"]
    assert len(shapes) == 52
    told = {name: shapes[name] for name in ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "_neutral")}
    assert told == pytest.approx({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "browInnerUp": 0.4, "_neutral": 0.0})
    assert not any(name.startswith("cheekRaiser") for name in shapes)
    assert face["presence"] == pytest.approx(np.log(99))


def test_golden_the_nose_is_nearest_and_the_head_is_where_it_is() -> None:
    _, fit = tiny_face()
    face = as_mediapipe(fit, score=0.5, size=(SIDE, 2 * SIDE))
    deep, matrix = face["landmarks_3d"], face["transformation_matrix"]
    assert int(deep[:, 2].argmin()) in (1, 4)  # the tip of the nose
    assert deep[:, :2].min() >= 0
    assert deep[:, :2].max() <= 192
    assert np.allclose(matrix[:3, :3], np.eye(3))
    assert matrix[0, 3] < 0  # in the left half of the picture
    assert matrix[2, 3] < 0  # before the camera


def test_golden_outlines_are_mediapipes() -> None:
    sets = mediapipe_connections()
    assert {name: len(sets[name]) for name in COUNTS} == COUNTS
    for name in ("face_oval", "lips", "left_eye", "right_eye", "irises"):  # closed: every point has two neighbours
        ends = [point for line in sets[name] for point in line]
        assert {ends.count(point) for point in ends} == {2}, name
    assert (33, 246) in sets["right_eye"]
    assert {point for line in sets["tesselation"] for point in line} == set(range(468))
