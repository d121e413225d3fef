"""The host's FACE_LANDMARKS, as its own node gives them and as it does not."""

from __future__ import annotations

import numpy as np
import pytest


def face(side: float, count: int = 478) -> dict[str, object]:
    """A face as the host's node gives it, `side` px wide."""
    points = np.random.default_rng(0).uniform(0, side, (count, 2)).astype(np.float32)
    return {"landmarks_xy": points, "score": 0.9, "bbox_xyxy": np.zeros(4), "blendshapes": {}}


def payload(*frames: list[dict[str, object]], size: tuple[int, int] = (90, 120)) -> dict[str, object]:
    return {"frames": list(frames), "image_size": size, "connection_sets": {}}


def test_golden_the_largest_face_comes_first(part) -> None:
    came = payload([face(20), face(60)], [], [face(30, 468)])
    found = part("nodes.landmarks").landmarks_of(came, count=3, size=(90, 120))
    assert [len(faces) for faces in found] == [2, 0, 1]
    assert np.ptp(found[0][0]) > 50
    assert found[2][0].shape == (468, 2)
    assert found[0][0].dtype == np.float64


def test_invariance_faces_that_find_faces_numbered_keep_their_numbers(part) -> None:
    numbered = [face(20) | {part("nodes.landmarks").NUMBERED: 0}, face(60) | {part("nodes.landmarks").NUMBERED: 1}]
    (found,) = part("nodes.landmarks").landmarks_of(payload(numbered), count=1, size=(90, 120))
    assert np.ptp(found[0]) < np.ptp(found[1])


@pytest.mark.parametrize(
    ("came", "sentence"),
    [
        (None, "came without frames"),
        ({"frames": 3}, "came without frames"),
        (payload([face(20)]), "landmarks of 1 picture came for an image of 2"),
        (payload([face(20)], [], size=(120, 90)), "pictures of 90 x 120 px came for 120 x 90 px"),
        (payload([{"score": 1.0}], []), "came without landmarks_xy"),
        (payload([{"landmarks_xy": [["a", "b"]]}], []), "that are no numbers"),
    ],
)
def test_error_other_payloads(part, came: object, sentence: str) -> None:
    with pytest.raises(part("emogan_core.errors").ShapeError, match=sentence):
        part("nodes.landmarks").landmarks_of(came, count=2, size=(90, 120))
