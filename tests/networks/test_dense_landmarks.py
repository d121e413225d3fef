"""The dense landmark net: shapes, its blindness to brightness and contrast, and point lists that agree."""

import pytest
import torch

from emogan_core.errors import ShapeError
from emogan_core.networks.dense_landmarks import (
    EYE_POINTS,
    FACE_SIZE,
    FIVE,
    IRIS_POINTS,
    LID_POINTS,
    LIPS_POINTS,
    POINTS,
    DenseLandmarkNet,
)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return DenseLandmarkNet().eval()


@pytest.mark.parametrize(("name", "points"), [("face", POINTS), ("eye", len(EYE_POINTS)), ("lips", len(LIPS_POINTS))])
def test_shape_of_each_look(net, name, points, rng):
    regressor = getattr(net, name)
    images = torch.rand(2, 3, regressor.size, regressor.size, generator=rng)
    assert regressor(images).shape == (2, points, 2)


def test_shape_point_lists_name_points_once():
    for names in (LID_POINTS, IRIS_POINTS, EYE_POINTS, LIPS_POINTS, FIVE):
        assert len(set(names)) == len(names)
        assert all(0 <= name < POINTS for name in names)
    assert set(LID_POINTS) | set(IRIS_POINTS) <= set(EYE_POINTS)
    assert not set(EYE_POINTS) & set(LIPS_POINTS)


def test_shape_fits_into_three_megabytes(net):
    assert sum(tensor.numel() for tensor in net.state_dict().values()) * 2 < 3_000_000


def test_invariance_brightness_and_contrast(net, rng):
    images = torch.rand(1, 3, FACE_SIZE, FACE_SIZE, generator=rng)
    with torch.no_grad():
        torch.testing.assert_close(net.face(0.5 * images - 0.7), net.face(images), atol=0.02, rtol=0)


def test_gradient_reaches_every_weight(net, rng):
    images = torch.rand(1, 3, 64, 64, generator=rng)
    net.eye(images).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.eye.parameters())


def test_invariance_half_precision_reads_the_same(net, rng):
    images = torch.rand(2, 3, FACE_SIZE, FACE_SIZE, generator=rng)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        roughly = net.face(images)
    assert roughly.dtype == torch.float32
    with torch.no_grad():
        torch.testing.assert_close(roughly, net.face(images), atol=0.02, rtol=0)


@pytest.mark.parametrize("shape", [(3, 96, 96), (1, 3, 64, 64), (1, 1, 96, 96)])
def test_error_other_crops(net, shape):
    with pytest.raises(ShapeError, match=r"crops came as .*; give \[n, 3, 96, 96\]"):
        net.face(torch.zeros(shape))
