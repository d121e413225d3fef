"""genforce's and Hammer's StyleGAN2: every architecture and way of conditioning comes back, other settings are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import genforce_judge, genforce_names, hammer_judge, hammer_names
from tiny import TINY, make_generator

from emogan_core.checkpoints.genforce import read_genforce
from emogan_core.checkpoints.torch_files import read_torch_file
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, build_generator, tensors_of

ARCHITECTURES = {"stylegan2": "skip", "stylegan2-resnet": "resnet", "stylegan2-orig": "origin"}


def shaken(**change: Any) -> Generator:
    """A generator whose every tensor differs from its start."""
    fresh = make_generator(replace(TINY, **({"w_dim": 24, "z_dim": 24, "channels": (16, 12, 8, 4)} | change)))
    rng = torch.Generator().manual_seed(3)
    parts = ("mapping.", "synthesis.")
    core = {name: tensor for name, tensor in tensors_of(fresh).items() if name.startswith(parts)}
    return build_generator(
        fresh.spec, {name: tensor + 0.1 * torch.randn(tensor.shape, generator=rng) for name, tensor in core.items()}
    )


def expect_same(found: Any, net: Generator) -> None:
    assert replace(found.spec, crop="tight", name="tiny", licence="unknown") == net.spec
    again = build_generator(found.spec, found.tensors)
    theirs = tensors_of(again)
    for name, tensor in tensors_of(net).items():
        if name != "statistics.w_std":
            torch.testing.assert_close(theirs[name], tensor, atol=3e-7, rtol=0)


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
    expect_same(read_genforce(genforce_names(net), place="net.pth"), net)


def settings_of(net: Generator) -> dict[str, object]:
    spec = net.spec
    told: dict[str, object] = {
        "model_type": "StyleGAN2Generator",
        "resolution": spec.resolution,
        "architecture": ARCHITECTURES[spec.architecture],
        "conv_clamp": spec.conv_clamp,
        "normalize_z": not (spec.c_dim and spec.conditioning == "concat"),
        "filter_kernel": [1, 3, 3, 1],
    }
    if spec.c_dim and spec.conditioning == "concat":
        told |= {"normalize_embedding": False, "normalize_embedding_latent": True, "embedding_use_wscale": False}
    return told


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
    found = read_torch_file(path)
    expect_same(found, net)
    assert found.notices == ()


def test_shape_hammer_without_settings_says_so() -> None:
    net = shaken()
    found = read_genforce(hammer_names(net), place="hammer.pth")
    expect_same(found, net)
    assert "model_kwargs_init" in found.notices[0]


def test_shape_a_judge_of_another_width_is_left_out() -> None:
    judge = genforce_judge(make_generator())
    del judge["skip_layer0.weight"]
    assert "discriminator" in read_genforce(genforce_names(shaken()), place="x.pth", judge=judge).notices[0]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"final_tanh": True}, "final_tanh = True; needed False"),
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
def test_error_hammer_settings_not_drawn_here(settings: dict[str, object], told: str) -> None:
    names = hammer_names(shaken(c_dim=5))
    with pytest.raises(CheckpointError) as caught:
        read_genforce(names, place="hammer.pth (generator_smooth)", settings=settings)
    assert told in str(caught.value)
    assert str(caught.value).startswith("hammer.pth (generator_smooth)")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"synthesis.layer1.filter": torch.ones(4, 4)}, "another filter"),
        ({"mapping.embedding.weight": torch.zeros(8, 5)}, "embeds classes in 8 numbers"),
        ({"w_avg": torch.zeros(3)}, "needed \\[24\\]"),
        ({"synthesis.extra.weight": torch.zeros(3)}, "cannot use 'synthesis.extra.weight'"),
    ],
)
def test_error_hammer_tensors(change: dict[str, torch.Tensor], told: str) -> None:
    names = hammer_names(shaken(c_dim=5)) | change
    if "mapping.embedding.weight" in change:
        names["mapping.embedding.bias"] = torch.zeros(8)
    with pytest.raises(CheckpointError, match=told):
        read_genforce(names, place="hammer.pth", settings={})


def test_shape_hammer_judge_with_its_limits(tmp_path: Path) -> None:
    net = make_generator(replace(TINY, discriminator_clamp=0.7, discriminator_group=8))
    path = tmp_path / "hammer.pth"
    networks = {"generator_smooth": hammer_names(net), "discriminator": hammer_judge(net)}
    told = {"generator_smooth": settings_of(net), "discriminator": {"conv_clamp": 0.7, "mbstd_groups": 8}}
    torch.save({"models": networks, "model_kwargs_init": told}, path)
    found = read_torch_file(path)
    assert found.notices == ()
    expect_same(found, replace_encoder(net))
    odd: dict[str, dict[str, object]] = {
        "groups of an odd size": {"mbstd_groups": 0},
        "lr_mul is 2": {"lr_mul": 2},
        "no positive number": {"conv_clamp": "x"},
    }
    for words, settings in odd.items():
        left = read_genforce(
            networks["generator_smooth"],
            place="h.pth",
            settings={},
            judge=networks["discriminator"],
            judge_settings=settings,
        )
        assert words in left.notices[0]
        assert not any(name.startswith("discriminator.") for name in left.tensors)


def replace_encoder(net: Generator) -> Generator:
    """The same generator as a file without an encoder gives it."""
    names = {name: tensor for name, tensor in tensors_of(net).items() if not name.startswith("encoder.")}
    return build_generator(net.spec, names)


def test_error_settings_without_end_are_not_shown() -> None:
    """A tuple that holds itself twice, sixty floors deep, has a text of 10^18 characters."""
    deep: tuple[object, ...] = ()
    for _ in range(60):
        deep = (deep, deep)
    with pytest.raises(CheckpointError, match="final_tanh = a tuple"):
        read_genforce(hammer_names(shaken()), place="h.pth", settings={"final_tanh": deep})


def test_error_residual_networks_that_lost_their_convolutions() -> None:
    """genforce gives its shortcuts the names of its up-sampling convolutions, which are overwritten so."""
    names = {name: tensor for name, tensor in genforce_names(shaken()).items() if "layer1." not in name}
    names["synthesis.layer1.weight"] = torch.zeros(12, 16, 1, 1)
    with pytest.raises(CheckpointError, match="without its up-sampling convolutions"):
        read_genforce(names, place="resnet.pth")
