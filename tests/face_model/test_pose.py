"""Pose: what was projected is found again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emogan_core.errors import FaceError
from emogan_core.face_model import Pose, fit_pose

POINTS = np.random.default_rng(0).normal(0, 5, (60, 3))


@pytest.mark.parametrize("angles", [(0, 0, 0), (25, -10, 5), (-30, 15, -40)])
def test_golden_a_projected_head_is_found_again(angles: tuple[float, float, float]) -> None:
    pose = Pose(21.5, Rotation.from_euler("yxz", angles, degrees=True).as_matrix(), np.array([310.0, 205.0]))
    found = fit_pose(POINTS, pose.project(POINTS)[:, :2], np.ones(60))
    assert found.scale == pytest.approx(21.5)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(found.translation, pose.translation, atol=1e-7)
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_shape_angles_say_where_the_nose_points() -> None:
    right = Pose(1.0, Rotation.from_euler("y", 20, degrees=True).as_matrix(), np.zeros(2))
    nose = right.project(np.array([[0.0, 0.0, 1.0]]))[0]
    assert nose[0] > 0
    assert right.yaw_deg == pytest.approx(20.0)
    up = Pose(1.0, Rotation.from_euler("x", -10, degrees=True).as_matrix(), np.zeros(2))
    assert up.project(np.array([[0.0, 0.0, 1.0]]))[0, 1] < 0
    assert up.pitch_deg == pytest.approx(10.0)
    clockwise = Pose(1.0, Rotation.from_euler("z", -15, degrees=True).as_matrix(), np.zeros(2))
    assert clockwise.project(np.array([[1.0, 0.0, 0.0]]))[0, 1] > 0
    assert clockwise.roll_deg == pytest.approx(15.0)


def test_error_points_on_one_line() -> None:
    places = np.stack([np.linspace(0, 100, 60), np.zeros(60)], axis=1)
    with pytest.raises(FaceError, match="one line"):
        fit_pose(np.column_stack([places[:, 0], np.zeros((60, 2))]), places, np.ones(60))
