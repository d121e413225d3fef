"""Fitting: made-up faces are found again, mirrored ones mirrored, and vertices lie on the landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from placed_faces import fit_at, found_at, mean_landmarks, upright_pose
from scipy.spatial.transform import Rotation

from emogan_core.errors import FaceError, ShapeError
from emogan_core.face_model import Pose, fit_face, fit_faces, load_face_model
from emogan_core.face_model.names import mirror_order

MODEL = load_face_model()
POSE = upright_pose(scale=30.0, middle=(400.0, 300.0))


def test_golden_the_mean_face_reads_as_neutral() -> None:
    fit = fit_face(MODEL, mean_landmarks(MODEL, POSE))
    still = [not name.startswith("eyeLook") for name in MODEL.names]  # its made-up irises look somewhere
    assert fit.coefficients[still].max() < 0.05
    assert np.abs(fit.identity).max() < 0.3
    assert fit.error_cm < 0.02
    assert fit.pose.scale == pytest.approx(30.0, rel=0.02)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("mouthSmileLeft", 0.5),
        ("browInnerUpRight", 0.5),
        ("jawOpen", 0.5),
        ("noseSneerLeft", 0.5),
        ("eyeBlinkLeft", 0.5),
    ],
)
def test_golden_a_single_movement_is_read_as_itself(name: str, least: float) -> None:
    fit = fit_face(MODEL, found_at(MODEL, POSE, **{name: 1.0}))
    assert fit.coefficients[MODEL.index(name)] > least
    assert int(fit.coefficients.argmax()) == MODEL.index(name)


@pytest.mark.slow
def test_golden_the_exponential_prior_holds_slight_movements_at_nothing() -> None:
    points, at = found_at(MODEL, POSE, mouthFrownLeft=0.15), MODEL.index("mouthFrownLeft")
    without = replace(MODEL, coefficient_rate=np.zeros_like(MODEL.coefficient_rate))
    assert fit_face(MODEL, points).coefficients[at] == 0
    assert fit_face(without, points).coefficients[at] > 0.03


@pytest.mark.parametrize("yaw", [-30, 20])
def test_invariance_a_turned_head_reads_alike(yaw: float) -> None:
    turned = Pose(30.0, Rotation.from_euler("y", yaw, degrees=True).as_matrix(), np.array([400.0, 300.0]))
    fit = fit_face(MODEL, found_at(MODEL, turned, mouthSmileLeft=0.8, mouthSmileRight=0.8))
    assert fit.pose.yaw_deg == pytest.approx(yaw, abs=3)
    assert fit.coefficients[MODEL.index("mouthSmileLeft")] > 0.35


def test_invariance_vertices_lie_on_the_landmarks() -> None:
    rng = np.random.default_rng(4)
    points = fit_at(MODEL, POSE, mouthSmileLeft=0.6).landmarks
    points[:468] += 4 * np.sin(points[:468] / 60 + rng.normal(size=2))  # as people differ: smoothly
    fit = fit_face(MODEL, points)
    at = fit.vertices(MODEL)[MODEL.landmark_vertex, :2]
    offset = POSE.project_change(MODEL.landmark_offset)[:, :2]
    assert np.linalg.norm(points[:468] - at - offset, axis=1).mean() < 0.04 * 30.0


def test_invariance_a_mirrored_face_has_mirrored_coefficients() -> None:
    seen = found_at(MODEL, POSE, mouthSmileLeft=0.9, browDownRight=0.7)
    order = mirror_order(MODEL.names)
    other = found_at(MODEL, POSE, mouthSmileRight=0.9, browDownLeft=0.7)
    one, two = fit_face(MODEL, seen), fit_face(MODEL, other)
    np.testing.assert_allclose(one.coefficients[order], two.coefficients, atol=0.12)


def test_invariance_pictures_of_one_person_share_the_identity() -> None:
    calm, smiling = fit_faces(
        MODEL, [mean_landmarks(MODEL, POSE), found_at(MODEL, POSE, mouthSmileLeft=1.0, mouthSmileRight=1.0)]
    )
    np.testing.assert_array_equal(calm.identity, smiling.identity)
    at = MODEL.index("mouthSmileLeft")
    assert smiling.coefficients[at] - calm.coefficients[at] > 0.5


def test_invariance_pixels_scale_and_shift() -> None:
    points = found_at(MODEL, POSE, jawOpen=0.5)
    one, two = fit_face(MODEL, points), fit_face(MODEL, points * 2.5 + (17, -9))
    np.testing.assert_allclose(one.coefficients, two.coefficients, atol=1e-6)
    np.testing.assert_allclose(two.vertices(MODEL)[:, :2], one.vertices(MODEL)[:, :2] * 2.5 + (17, -9), atol=1e-3)


@pytest.mark.parametrize("roll", [30, 90, 135, 180])
def test_invariance_a_photo_held_sideways_reads_alike(roll: float) -> None:
    """Of one picture and of several, whose landmarks differ from the model's as people do: along its landmark modes."""
    own = MODEL.landmark_modes[0].astype(np.float64) - 1.5 * MODEL.landmark_modes[1]
    points = found_at(MODEL, POSE, mouthSmileLeft=0.6, browInnerUpRight=0.4)
    points[:468] += POSE.scale * own * (1.0, -1.0)
    angle = np.radians(roll)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # rows are photo x, y; clockwise
    turned = (points - POSE.translation) @ turn + POSE.translation
    upright, rolled = fit_face(MODEL, points), fit_face(MODEL, turned)
    assert rolled.pose.roll_deg % 360 == pytest.approx((upright.pose.roll_deg + roll) % 360, abs=0.5)
    np.testing.assert_allclose(rolled.coefficients, upright.coefficients, atol=0.01)
    np.testing.assert_allclose(rolled.identity, upright.identity, atol=0.02)
    both = fit_faces(MODEL, [points, turned])
    np.testing.assert_allclose(both[0].coefficients, both[1].coefficients, atol=0.01)


@pytest.mark.parametrize("shape", [(468, 2), (478,), (5, 2)])
def test_error_another_number_of_landmarks(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"478"):
        fit_face(MODEL, np.zeros(shape))


def test_error_landmarks_that_are_no_face() -> None:
    points = mean_landmarks(MODEL, POSE)
    points[7] = np.nan
    with pytest.raises(FaceError, match="NaN"):
        fit_face(MODEL, points)
    with pytest.raises(FaceError, match="one line"):
        fit_face(MODEL, np.zeros((478, 2)))
    with pytest.raises(ShapeError, match="no landmarks"):
        fit_faces(MODEL, [])
