"""genforce's and Hammer's StyleGAN2: every architecture and way of conditioning comes back, other settings are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from expecting import expect_same
from foreign import genforce_discriminator, genforce_names, hammer_discriminator, hammer_names
from tiny import TINY, make_generator

from emogan_core.checkpoints.genforce import stylegan2
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.checkpoints.reading.canonical import CanonicalCheckpoint
from emogan_core.checkpoints.reading.contents import Contents
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, build_generator, tensors_of

ARCHITECTURES = {"stylegan2": "skip", "stylegan2-resnet": "resnet", "stylegan2-orig": "origin"}


Tensors = dict[str, torch.Tensor]
Settings = dict[str, object]


def read(
    names: Tensors,
    *,
    settings: Settings | None = None,
    discriminator: Tensors | None = None,
    discriminator_settings: Settings | None = None,
) -> CanonicalCheckpoint:
    """A generator out of a training's tables."""
    top = {
        "models": {"generator_smooth": names, "discriminator": discriminator},
        "model_kwargs_init": {"generator_smooth": settings, "discriminator": discriminator_settings},
    }
    found = stylegan2.detect(Contents(top))
    assert found is not None
    return stylegan2.read(found)


def shaken(**change: Any) -> Generator:
    """A generator whose every tensor differs from its start."""
    fresh = make_generator(replace(TINY, **({"w_dim": 24, "z_dim": 24, "channels": (16, 12, 8, 4)} | change)))
    rng = torch.Generator().manual_seed(3)
    parts = ("mapping.", "synthesis.")
    core = {name: tensor for name, tensor in tensors_of(fresh).items() if name.startswith(parts)}
    return build_generator(
        fresh.spec, {name: tensor + 0.1 * torch.randn(tensor.shape, generator=rng) for name, tensor in core.items()}
    )


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"architecture": "stylegan2-orig", "mapping_layers": 8},
        {"c_dim": 5, "conditioning": "concat", "z_dim": 16},
        {"c_dim": 1, "conditioning": "concat", "architecture": "stylegan2-orig"},
    ],
)
def test_shape_genforce(change: dict[str, Any]) -> None:
    net = shaken(**change)
    expect_same(read(genforce_names(net)), net)


def settings_of(net: Generator) -> dict[str, object]:
    spec = net.spec
    settings: dict[str, object] = {
        "model_type": "StyleGAN2Generator",
        "resolution": spec.resolution,
        "architecture": ARCHITECTURES[spec.architecture],
        "conv_clamp": spec.conv_clamp,
        "normalize_z": not (spec.c_dim and spec.conditioning == "concat"),
        "filter_kernel": [1, 3, 3, 1],
    }
    if spec.c_dim and spec.conditioning == "concat":
        settings |= {"normalize_embedding": False, "normalize_embedding_latent": True, "embedding_use_wscale": False}
    return settings


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"architecture": "stylegan2-resnet", "conv_clamp": 0.7},
        {"architecture": "stylegan2-orig", "conv_clamp": 256.0},
        {"c_dim": 5},
        {"c_dim": 5, "conditioning": "concat", "z_dim": 16},
        {"c_dim": 1, "architecture": "stylegan2-resnet"},
    ],
)
def test_shape_hammer(change: dict[str, Any], tmp_path: Path) -> None:
    net = shaken(**change)
    path = tmp_path / "hammer.pth"
    networks = {"generator_smooth": hammer_names(net), "generator": hammer_names(make_generator())}
    torch.save({"models": networks, "model_kwargs_init": {"generator_smooth": settings_of(net)}}, path)
    found = read_foreign(path)
    expect_same(found, net)
    assert found.notices == ()


def test_shape_hammer_without_settings_says_so() -> None:
    net = shaken()
    found = read(hammer_names(net))
    expect_same(found, net)
    assert "model_kwargs_init" in found.notices[0]


def test_shape_a_discriminator_of_another_width_is_left_out() -> None:
    discriminator = genforce_discriminator(make_generator())
    del discriminator["skip_layer0.weight"]
    assert "discriminator" in read(genforce_names(shaken()), discriminator=discriminator).notices[0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"final_tanh": True}, "final_tanh is True, which is not drawn here; needed False"),
        ({"mapping_lr_mul": 0.1}, "mapping_lr_mul"),
        ({"noise_type": "channel"}, "noise_type"),
        ({"filter_kernel": [1, 2, 1]}, "filter_kernel"),
        ({"normalize_embedding": False}, "normalize_embedding"),
        ({"architecture": "resnet"}, "says that its architecture is 'resnet'"),
        ({"architecture": ["skip"]}, "says that its architecture is not a word"),
        ({"conv_clamp": -1}, "no positive number"),
        ({"conv_clamp": "no"}, "no positive number"),
    ],
)
def test_error_hammer_settings_not_drawn_here(settings: dict[str, object], expected: str) -> None:
    names = hammer_names(shaken(c_dim=5))
    with pytest.raises(CheckpointError) as caught:
        read(names, settings=settings)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"synthesis.layer1.filter": torch.ones(4, 4)}, "is not \\[1, 3, 3, 1\\]"),
        ({"mapping.embedding.weight": torch.zeros(8, 5)}, "embeds classes in 8 numbers"),
        ({"w_avg": torch.zeros(3)}, "needed \\[24\\]"),
        ({"synthesis.extra.weight": torch.zeros(3)}, "cannot use 'synthesis.extra.weight'"),
    ],
)
def test_error_hammer_tensors(change: dict[str, torch.Tensor], expected: str) -> None:
    names = hammer_names(shaken(c_dim=5)) | change
    if "mapping.embedding.weight" in change:
        names["mapping.embedding.bias"] = torch.zeros(8)
    with pytest.raises(CheckpointError, match=expected):
        read(names, settings={})


def test_shape_hammer_discriminator_with_its_limits(tmp_path: Path) -> None:
    net = make_generator(replace(TINY, discriminator_clamp=0.7, discriminator_group=8))
    path = tmp_path / "hammer.pth"
    networks = {"generator_smooth": hammer_names(net), "discriminator": hammer_discriminator(net)}
    settings = {"generator_smooth": settings_of(net), "discriminator": {"conv_clamp": 0.7, "mbstd_groups": 8}}
    torch.save({"models": networks, "model_kwargs_init": settings}, path)
    found = read_foreign(path)
    assert found.notices == ()
    expect_same(found, net)
    odd: dict[str, dict[str, object]] = {
        "groups of 0": {"mbstd_groups": 0},
        "lr_mul is 2": {"lr_mul": 2},
        "no positive number": {"conv_clamp": "x"},
    }
    for words, settings in odd.items():
        left = read(
            networks["generator_smooth"],
            settings={},
            discriminator=networks["discriminator"],
            discriminator_settings=settings,
        )
        assert words in left.notices[0]
        assert not any(name.startswith("discriminator.") for name in left.tensors)


def test_error_settings_without_end_are_not_shown() -> None:
    """A tuple that holds itself twice, sixty floors deep, has a text of 10^18 characters."""
    deep: tuple[object, ...] = ()
    for _ in range(60):
        deep = (deep, deep)
    with pytest.raises(CheckpointError, match=r"final_tanh is \[\.\.\., \.\.\.\]"):
        read(hammer_names(shaken()), settings={"final_tanh": deep})


def test_error_residual_networks_that_lost_their_convolutions() -> None:
    """genforce gives its shortcuts the names of its up-sampling convolutions, which are overwritten so."""
    names = {name: tensor for name, tensor in genforce_names(shaken()).items() if "layer1." not in name}
    names["synthesis.layer1.weight"] = torch.zeros(12, 16, 1, 1)
    with pytest.raises(CheckpointError, match="without its up-sampling convolutions"):
        read(names)
