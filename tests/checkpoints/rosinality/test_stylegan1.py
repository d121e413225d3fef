"""rosinality's StyleGAN1 against its own order of things, written out here."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from stylegan1_names import LAYERS, TAPS, W_DIM, WIDTHS, rosinality_stylegan1
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import build_generator


def gain(weight: Tensor) -> float:
    return math.sqrt(2 / weight[0].numel())


def drawn(net: dict[str, Tensor], w: Tensor, blocks: int) -> Tensor:
    """Convolution, bias, blur, leaky ReLU, instance normalisation with 1e-5, style; no noise."""
    x = net["generator.progression.0.conv1.input"].expand(len(w), -1, -1, -1)
    for index in range(blocks):
        here = f"generator.progression.{index}"
        if f"{here}.conv1.0.weight" in net:
            weight = net[f"{here}.conv1.0.weight"]
            padded = F.pad(weight * math.sqrt(2 / (9 * weight.shape[0])), (1, 1, 1, 1))
            summed = padded[..., 1:, 1:] + padded[..., :-1, 1:] + padded[..., 1:, :-1] + padded[..., :-1, :-1]
            x = F.conv_transpose2d(x, summed / 4, net[f"{here}.conv1.0.bias"], stride=2, padding=1)
        elif index:
            weight = net[f"{here}.conv1.1.conv.weight_orig"]
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.conv2d(x, weight * gain(weight), net[f"{here}.conv1.1.conv.bias"], padding=1)
        if index:
            x = F.conv2d(x, TAPS.repeat(x.shape[1], 1, 1, 1), padding=1, groups=x.shape[1])
        for layer in (1, 2):
            if layer == 2:
                weight = net[f"{here}.conv2.conv.weight_orig"]
                x = F.conv2d(x, weight * gain(weight), net[f"{here}.conv2.conv.bias"], padding=1)
            style = f"{here}.adain{layer}.style.linear"
            affine = net[f"{style}.weight_orig"]
            scale, shift = F.linear(w, affine * gain(affine), net[f"{style}.bias"])[:, :, None, None].chunk(2, dim=1)
            x = F.instance_norm(F.leaky_relu(x, 0.2), eps=1e-5) * scale + shift
    weight = net[f"generator.to_rgb.{blocks - 1}.conv.weight_orig"]
    return F.conv2d(x, weight * gain(weight), net[f"generator.to_rgb.{blocks - 1}.conv.bias"])


@pytest.mark.parametrize("top", ["g_running", "bare"])
def test_golden_it_draws_what_that_program_draws(tmp_path: Path, top: str) -> None:
    """The real StyledGenerator (07fa60b, 512 wide, noise of zeros) and ours differed by 2e-6 of the range at 32 px and
    7e-6 at 256 px; here the same formulas are small.
    """
    net = rosinality_stylegan1()
    torch.save({"g_running": net} if top == "g_running" else net, tmp_path / "a.model")
    found = load_generator(tmp_path / "a.model")
    assert (found.spec.architecture, found.spec.resolution) == ("stylegan1", 32)
    z = torch.randn(2, W_DIM, generator=torch.Generator().manual_seed(1))
    w = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
    for layer in range(LAYERS):
        weight = net[f"style.{2 * layer + 1}.linear.weight_orig"]
        w = F.leaky_relu(F.linear(w, weight * gain(weight), net[f"style.{2 * layer + 1}.linear.bias"]), 0.2)
    torch.testing.assert_close(found.mapping.to_w(z), w, atol=1e-5, rtol=0)
    theirs, ours = drawn(net, w, 4), found.synthesis(found.mapping(z))
    assert (ours - theirs).abs().max() < 1e-5 * (theirs.max() - theirs.min())


def test_shape_what_the_file_lacks_is_told(tmp_path: Path) -> None:
    torch.save({"g_running": rosinality_stylegan1()}, tmp_path / "a.model")
    found = read_foreign(tmp_path / "a.model")
    expected = " ".join(found.notices)
    for words in ("trained up to 32 px", "has no noise", "lacks the average latent"):
        assert words in expected
    build_generator(found.spec, found.tensors)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"generator.progression.0.conv1.input": None}, "has no 'generator.progression.0.conv1.input'"),
        ({"generator.progression.1.adain1.style.linear.bias": None}, "is missing"),
        ({f"generator.progression.{k}.conv2.conv.bias": torch.ones(1) for k in range(5, 20)}, "has 20 resolutions"),
        ({"generator.progression.1.conv1.1.conv.weight_orig": torch.zeros(16, 16, 1, 1)}, r"needed \[16, 16, 3, 3\]"),
        ({"generator.progression.2.adain1.style.linear.bias": torch.zeros(22)}, "needed"),
        ({"style.3.linear.weight_orig": torch.zeros(24, 12)}, "different widths"),
        ({f"generator.progression.{k}.conv2.conv.bias": torch.zeros(w) for k, w in enumerate(WIDTHS)}, "never trained"),
    ],
)
def test_error_other_variants(tmp_path: Path, change: dict[str, Tensor | None], expected: str) -> None:
    net = {name: value for name, value in {**rosinality_stylegan1(), **change}.items() if value is not None}
    torch.save({"g_running": net}, tmp_path / "a.model")
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_generator(tmp_path / "a.model")
    assert str(caught.value).startswith("a.model")
    assert "is damaged (" not in str(caught.value)
