"""The discriminator's limits and groups against numbers of the published reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import TINY, make_generator

from emogan_core.errors import CheckpointError, ShapeError
from emogan_core.networks import build_generator, tensors_of
from emogan_core.networks.build import expect_discriminator
from emogan_core.networks.discriminator import Discriminator
from emogan_core.networks.layers import initialise
from emogan_core.networks.spec import spec_from_json


def seeded(**settings: Any) -> Discriminator:
    discriminator = Discriminator(32, (32, 32, 16, 8), **settings)
    rng = torch.Generator().manual_seed(8)
    initialise(discriminator, rng)
    with torch.no_grad():
        for name, parameter in discriminator.named_parameters():
            if name.endswith("bias"):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
    return discriminator.requires_grad_(False)


@pytest.mark.parametrize(
    ("clamp", "group", "parts", "logits"),
    [
        (256.0, 4, 1, [-0.43829, -0.34372, -0.2754, -0.28455]),
        (0.7, 4, 1, [-0.15958, -0.15993, -0.16778, -0.13079]),
        (0.7, None, 1, [-0.15974, -0.15994, -0.16784, -0.13078, -0.16238, -0.2019]),
        (0.7, 2, 4, [0.18365, 0.21106, 0.1937, 0.23021]),
        (0.7, 4, 0, [-0.13455, -0.15705, -0.15904]),
        (None, 4, 1, [-0.43821, -0.34324]),
        (None, 4, 1, [-0.43794]),
    ],
)
def test_golden_matches_the_reference(clamp: float | None, group: int | None, parts: int, logits: list[float]) -> None:
    """Expected: stylegan2-ada-pytorch (d72cc7d), networks.Discriminator(c_dim=0, 32, 3, channel_base=256,
    channel_max=32, conv_clamp=clamp, mbstd_group_size=group, mbstd_num_channels=parts) with these very weights, on as
    many pictures as there are logits; largest difference seen 2e-7.
    """
    images = torch.randn((len(logits), 3, 32, 32), generator=torch.Generator().manual_seed(5))
    found = seeded(clamp=clamp, group=group, parts=parts)(images).flatten()
    torch.testing.assert_close(found, torch.tensor(logits), atol=2e-5, rtol=0)


@pytest.mark.parametrize(
    ("settings", "logits"),
    [
        ({"architecture": "skip"}, [-0.66454, -0.5069, -0.76944, -0.4702]),
        ({"architecture": "skip", "clamp": 0.7}, [-0.27325, -0.24841, -0.38693, -0.10885]),
        ({"architecture": "orig"}, [-0.12651, -0.1633, -0.13605, -0.12352]),
        ({"architecture": "orig", "clamp": 0.7}, [-0.0291, -0.04432, -0.03203, -0.04623]),
        ({"classes": (10, 32, 8)}, [0.00745, -0.11313, -0.24684, -0.12028]),
        ({"classes": (3, 16, 2), "clamp": 256.0}, [-0.0162, 0.17498, -0.26206, -0.03473]),
        (
            {"classes": (1, 32, 8), "clamp": 0.7, "architecture": "skip"},
            [-0.00562, -0.02421, -0.02635, -0.00972],
        ),
    ],
)
def test_golden_other_architectures_and_classes(settings: dict[str, Any], logits: list[float]) -> None:
    """As above, with architecture and conv_clamp; `classes` are c_dim, cmap_dim and mapping_kwargs num_layers, and the
    four pictures are of classes 0, 1, 2, 3 modulo their number; largest difference seen 2e-7.
    """
    images = torch.randn((4, 3, 32, 32), generator=torch.Generator().manual_seed(5))
    count = settings.get("classes", (0, 1, 0))[0]
    c = torch.eye(count)[[index % count for index in range(4)]] if count else None
    discriminator = seeded(**settings)
    torch.testing.assert_close(discriminator(images, c).flatten(), torch.tensor(logits), atol=2e-5, rtol=0)
    assert [tuple(level.shape) for level in discriminator.features(images)] == [
        (4, 16, 16, 16),
        (4, 32, 8, 8),
        (4, 32, 4, 4),
    ]


def test_error_class_missing_or_without_need() -> None:
    images = torch.zeros(1, 3, 32, 32)
    with pytest.raises(ShapeError, match="no class came, but this discriminator is conditioned on 3 classes"):
        seeded(classes=(3, 16, 2))(images)
    with pytest.raises(ShapeError, match="a class came"):
        seeded()(images, torch.zeros(1, 3))


@pytest.mark.parametrize(
    "settings", [{"architecture": "skip"}, {"architecture": "orig"}, {"classes": (3, 16, 2)}, {"classes": (1, 4, 0)}]
)
def test_shape_settings_come_back_from_tensors(settings: dict[str, Any]) -> None:
    net, discriminator = make_generator(), seeded(**settings)
    tensors = {name: tensor for name, tensor in tensors_of(net).items() if not name.startswith("discriminator.")}
    again = build_generator(
        net.spec, tensors | {f"discriminator.{name}": tensor for name, tensor in discriminator.state_dict().items()}
    ).discriminator
    assert again is not None
    assert (again.architecture, again.c_dim) == (discriminator.architecture, discriminator.c_dim)
    expect_discriminator(
        net.spec, {"discriminator." + name: tensor for name, tensor in discriminator.state_dict().items()}
    )


def test_error_a_discriminator_that_does_not_fit() -> None:
    names = {"discriminator." + name: tensor for name, tensor in seeded().state_dict().items()}
    with pytest.raises(CheckpointError, match=r"unexpected discriminator\.b4\.extra"):
        expect_discriminator(TINY, names | {"discriminator.b4.extra": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="unexpected discriminator"):
        expect_discriminator(replace(TINY, resolution=64, channels=(4,) * 5), names)


def test_shape_limits_and_parts_come_back_from_spec_and_tensors() -> None:
    net = make_generator()
    discriminator = {
        f"discriminator.{name}": tensor for name, tensor in seeded(clamp=None, group=4, parts=4).state_dict().items()
    }
    spec = replace(TINY, discriminator_clamp=0.7, discriminator_group=None)
    tensors = {
        name: tensor for name, tensor in tensors_of(net).items() if not name.startswith("discriminator.")
    } | discriminator
    again = build_generator(spec_from_json(spec.to_json()), tensors)
    assert again.discriminator is not None
    assert (again.discriminator.b4.group, again.discriminator.b4.parts, again.discriminator.b4.clamp) == (None, 4, 0.7)
    assert again.fingerprint == net.fingerprint  # the discriminator is no part of what the generator computes


@pytest.mark.parametrize(
    "change", [{"discriminator_clamp": 0.0}, {"discriminator_clamp": float("inf")}, {"discriminator_group": 0}]
)
def test_error_impossible_limits(change: dict[str, float]) -> None:
    with pytest.raises(CheckpointError, match="needed positive numbers or none"):
        replace(TINY, **change)  # type: ignore[arg-type]


def test_error_parts_that_divide_nothing() -> None:
    tensors = tensors_of(make_generator())
    tensors["discriminator.b4.conv.weight"] = torch.zeros(16, 19, 3, 3)
    with pytest.raises(CheckpointError, match="compares 3 parts of 16 channels"):
        build_generator(TINY, tensors)


def test_invariance_groups_divide_the_batch() -> None:
    discriminator = seeded(clamp=None, group=4, parts=1)
    images = torch.randn((6, 3, 32, 32), generator=torch.Generator().manual_seed(5))
    assert discriminator(images).shape == (6, 1)  # six pictures in groups of four: compared in pairs
