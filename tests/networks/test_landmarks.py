"""The landmark net: shapes, the meaning of its heatmaps, and what mirroring does to a prediction."""

import pytest
import torch

from emogan_core.errors import ShapeError
from emogan_core.networks.landmarks import LandmarkNet, LandmarkPrediction, mirrored_average


@pytest.fixture(scope="module")
def net():
    return LandmarkNet().eval()


def test_shape_of_a_prediction(net, rng):
    with torch.no_grad():
        said = net(torch.randn(3, 3, 64, 64, generator=rng))
    assert said.landmarks.shape == (3, 5, 2)
    assert said.yaw_deg.shape == said.pitch_deg.shape == said.logit.shape == (3,)
    assert said.heatmaps.shape == (3, 5, 32, 32)
    torch.testing.assert_close(said.heatmaps.sum((2, 3)), torch.ones(3, 5))
    assert ((said.landmarks > 0) & (said.landmarks < 64)).all()


def test_shape_small_enough_to_ship(net):
    assert sum(p.numel() for p in net.parameters()) < 300_000


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 3, 128, 128), (1, 1, 64, 64)])
def test_error_shape(net, shape):
    with pytest.raises(ShapeError, match=r"give \[n, 3, 64, 64\]"):
        net(torch.zeros(shape))


def test_golden_one_bright_cell_is_its_centre(net, monkeypatch, rng):
    def one_cell(features):
        scores = torch.zeros(1, 5, 32, 32)
        scores[0, :, 7, 20] = 1e4
        return scores

    monkeypatch.setattr(net.points, "forward", one_cell)
    with torch.no_grad():
        said = net(torch.randn(1, 3, 64, 64, generator=rng))
    torch.testing.assert_close(said.landmarks, torch.tensor([41.0, 15.0]).expand(1, 5, 2))


def test_invariance_batch_order(net, rng):
    images = torch.randn(4, 3, 64, 64, generator=rng)
    with torch.no_grad():
        together, alone = net(images), net(images[2:3])
    torch.testing.assert_close(together.landmarks[2:3], alone.landmarks, atol=1e-4, rtol=0)
    torch.testing.assert_close(together.logit[2:3], alone.logit, atol=1e-4, rtol=1e-4)


def test_invariance_average_of_a_mirrored_pair_is_symmetric(net, rng):
    images = torch.randn(2, 3, 64, 64, generator=rng)
    with torch.no_grad():
        plain, mirrored = net(images), net(images.flip(3))
    one, other = mirrored_average(plain, mirrored), mirrored_average(mirrored, plain)
    back = other.landmarks[:, [1, 0, 2, 4, 3]] * torch.tensor([-1.0, 1.0]) + torch.tensor([64.0, 0.0])
    torch.testing.assert_close(one.landmarks, back, atol=1e-4, rtol=0)
    torch.testing.assert_close(one.yaw_deg, -other.yaw_deg)
    torch.testing.assert_close(one.logit, other.logit)


def test_golden_average_undoes_the_mirror():
    points = torch.tensor([[[20.0, 25.0], [44.0, 26.0], [30.0, 35.0], [22.0, 45.0], [42.0, 46.0]]])
    seen_mirrored = torch.tensor([[[20.0, 26.0], [44.0, 25.0], [34.0, 35.0], [22.0, 46.0], [42.0, 45.0]]])
    plain = LandmarkPrediction(points, torch.tensor([5.0]), torch.tensor([2.0]), torch.tensor([1.0]), torch.zeros(1))
    other = LandmarkPrediction(
        seen_mirrored, torch.tensor([-7.0]), torch.tensor([4.0]), torch.tensor([2.0]), torch.zeros(1)
    )
    said = mirrored_average(plain, other)
    torch.testing.assert_close(said.landmarks, points)
    assert (said.yaw_deg.item(), said.pitch_deg.item(), said.logit.item()) == (6.0, 3.0, 1.5)
