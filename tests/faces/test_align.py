"""The frame: against the formula worked by hand, against the published crops, and under motions of the photo."""

import csv
from pathlib import Path

import numpy as np
import pytest

from emogan_core.errors import FaceError, ShapeError
from emogan_core.faces import Face, frame_quad

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
UPRIGHT = np.array([[40.0, 50.0], [80.0, 50.0], [60.0, 70.0], [45.0, 95.0], [75.0, 95.0]])


def turned(points, degrees, grown=1.0, shift=(0.0, 0.0)):
    """Points [n, 2] turned clockwise about the origin (y is down), grown and shifted."""
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return grown * points @ rotation.T + np.asarray(shift)


def test_golden_frames_of_an_upright_face():
    # |r - l| = 40, |d| = 45: the larger of 2.0 * 40 and 1.8 * 45 is 81; eyes at (60, 50), d = (0, 45)
    tight = 0.62 * 81
    centre = (60, 50 + 0.35 * 45)
    np.testing.assert_allclose(
        frame_quad(UPRIGHT, "tight"),
        [
            [centre[0] - tight, centre[1] - tight],
            [centre[0] + tight, centre[1] - tight],
            [centre[0] + tight, centre[1] + tight],
            [centre[0] - tight, centre[1] + tight],
        ],
    )
    np.testing.assert_allclose(frame_quad(UPRIGHT, "ffhq")[[0, 2]], [[60 - 81, 54.5 - 81], [60 + 81, 54.5 + 81]])


@pytest.mark.parametrize(("name", "side"), [("press", 128), ("studio", 256)])
def test_golden_tight_frame_of_the_published_crops(name, side):
    table = SHARED / f"{name}_faces.csv"
    if not table.is_file():
        pytest.skip("the face data is not beside this checkout")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))[:200]
    expected = [[0, 0], [side, 0], [side, side], [0, side]]
    for row in rows:
        points = np.array(
            [
                [float(row[f"{name}_{axis}"]) for axis in "xy"]
                for name in ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
            ]
        )
        np.testing.assert_allclose(frame_quad(points, "tight"), expected, atol=0.03)  # two decimals in the table


@pytest.mark.parametrize("frame", ["tight", "ffhq"])
@pytest.mark.parametrize("degrees", [0, 17, 90, 180, -130])
def test_invariance_frame_follows_the_photo(frame, degrees):
    motion = {"degrees": degrees, "grown": 2.5, "shift": (300, -40)}
    moved = frame_quad(turned(UPRIGHT, **motion), frame)
    np.testing.assert_allclose(moved, turned(frame_quad(UPRIGHT, frame), **motion), atol=1e-9)


def test_invariance_nose_does_not_move_the_frame():
    other = UPRIGHT + np.array([[0, 0], [0, 0], [9, -4], [0, 0], [0, 0]])
    np.testing.assert_array_equal(frame_quad(other, "tight"), frame_quad(UPRIGHT, "tight"))


def test_golden_roll_and_size():
    face = Face(box=(0, 0, 1, 1), landmarks=turned(UPRIGHT, 25), score=1.0, yaw_deg=0.0)
    assert face.roll_deg == pytest.approx(25)
    assert face.size_px == pytest.approx(2 * 0.62 * 81)


def test_error_frame_unknown_or_shape_wrong():
    with pytest.raises(ShapeError, match="'wide' is not known; use one of tight, ffhq"):
        frame_quad(UPRIGHT, "wide")
    with pytest.raises(ShapeError, match=r"\(68, 2\); give \[5, 2\]"):
        frame_quad(np.zeros((68, 2)), "tight")


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_error_landmarks_on_one_point(value):
    with pytest.raises(FaceError, match="lie on one point"):
        frame_quad(np.full((5, 2), value), "tight")
