"""Driving: what changed since the neutral frame is added, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from placed_faces import fit_at, upright_pose

from emogan_core.errors import ExpressionError, ShapeError
from emogan_core.expressions import drive_expression, load_axes, most_neutral
from emogan_core.face_model import load_face_model
from emogan_core.inversion import Inversion
from emogan_core.latents import Latent

MODEL = load_face_model()
AXES = load_axes("builtin")


def face(count: int = 1, **levels: float) -> Inversion:
    none = torch.zeros(count, 3, 1, 1)
    fit = fit_at(MODEL, upright_pose(), **levels)
    return Inversion(Latent(torch.zeros(count, 1, 1), "someone"), none, none, None, {}, faces=(fit,) * count)


def driving(**tracks: list[float]) -> np.ndarray:
    """[n, k]: coefficients over time by name."""
    count = len(next(iter(tracks.values())))
    made = np.zeros((count, len(MODEL.names)))
    for name, values in tracks.items():
        made[:, MODEL.index(name)] = values
    return made


def level(edit, name: str) -> float:
    return float(edit.coefficients[0, MODEL.index(name)])


def test_golden_changes_since_the_neutral_frame_are_added() -> None:
    clip = driving(jawOpen=[0.3, 0.1, 0.6], mouthSmileLeft=[0.2, 0.2, 0.2])
    edits = drive_expression(face(jawOpen=0.1), clip, AXES)
    assert [round(level(edit, "jawOpen"), 6) for edit in edits] == [0.3, 0.1, 0.6]  # frame 1 is the most neutral
    assert [level(edit, "mouthSmileLeft") for edit in edits] == [0, 0, 0]  # the other face's own
    halved = drive_expression(face(jawOpen=0.1), clip, AXES, strength=0.5, neutral=0)
    assert [round(level(edit, "jawOpen"), 6) for edit in halved] == [0.1, 0.0, 0.25]


def test_golden_a_named_expression_brings_its_shading() -> None:
    happy = AXES["happiness"].coefficients.double().numpy()
    clip = np.stack([0 * happy, 0.5 * happy]).clip(0, 1)
    still, smile = drive_expression(face(), clip, AXES)
    assert not still.shading.any()
    wanted = 0.5 * AXES["happiness"].shading.double().numpy()
    assert np.abs(smile.shading[0] - wanted).max() < 0.2 * np.abs(wanted).max()
    (_, brows) = drive_expression(face(), clip, AXES, regions=("brow",))
    assert not brows.shading.any()


def test_invariance_gaze_and_other_regions_stay() -> None:
    clip = driving(eyeLookUpLeft=[0, 0.8], jawOpen=[0, 0.5], eyeBlinkLeft=[0, 0.7])
    edit = drive_expression(face(), clip, AXES, regions=("eye",))[1]
    assert (level(edit, "eyeLookUpLeft"), level(edit, "jawOpen"), level(edit, "eyeBlinkLeft")) == (0, 0, 0.7)


def test_invariance_strength_0_and_the_neutral_frame_change_nothing() -> None:
    clip, one = driving(jawOpen=[0.0, 0.5]), face(jawOpen=0.2)
    for edit in (*drive_expression(one, clip, AXES, strength=0), drive_expression(one, clip, AXES)[0]):
        assert np.array_equal(edit.coefficients[0], one.faces[0].coefficients)
        assert not edit.shading.any()
        assert torch.equal(edit.latent.ws, one.latent.ws)


def test_golden_lips_that_part_from_a_pucker_stretch_on_both_sides() -> None:
    edit = drive_expression(face(), driving(mouthPucker=[0.4, 0.0]), AXES, neutral=0)[1]
    assert (level(edit, "mouthStretchLeft"), level(edit, "mouthStretchRight")) == (0.4, 0.4)
    assert level(edit, "mouthPucker") == 0


def test_shape_photo_and_clip() -> None:
    clip = driving(jawOpen=[0.0, 0.1, 0.2])
    assert len(drive_expression(face(), clip, AXES)) == 3
    assert len(drive_expression(face(2), clip, AXES)) == 2
    assert len(drive_expression(face(5), clip, AXES)) == 3
    chosen = drive_expression(face(2), clip, AXES, frames=[0, 2])
    assert [level(edit, "jawOpen") for edit in chosen] == [0, 0.2]


def test_golden_most_neutral_ignores_gaze() -> None:
    assert most_neutral(driving(eyeLookUpLeft=[0.0, 0.9, 0.9], jawOpen=[0.4, 0.1, 0.09])) == 1


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"neutral": 3}, ShapeError),
        ({"neutral": -1}, ShapeError),
        ({"regions": ("ears",)}, ExpressionError),
        ({"strength": 4.0}, ExpressionError),
        ({"strength": float("nan")}, ExpressionError),
        ({"frames": [7]}, ShapeError),
    ],
)
def test_error_wishes_that_make_no_sense(wanted: dict, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"give|choose|named"):
        drive_expression(face(), driving(jawOpen=[0.0, 0.5]), AXES, **wanted)


def test_error_driving_of_another_model_and_a_face_without_fit() -> None:
    with pytest.raises(ShapeError, match="needed"):
        drive_expression(face(), np.zeros((3, 4)), AXES)
    with pytest.raises(ShapeError, match="invert the photo itself"):
        drive_expression(replace(face(), faces=None), driving(jawOpen=[0.0]), AXES)
