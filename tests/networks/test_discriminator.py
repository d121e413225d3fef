"""The discriminator's limits and groups against numbers of the published reference."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import TINY, make_generator

from emogan_core.errors import CheckpointError
from emogan_core.networks import build_generator, tensors_of
from emogan_core.networks.discriminator import Discriminator
from emogan_core.networks.layers import initialise
from emogan_core.networks.spec import spec_from_json


def seeded(*, clamp: float | None, group: int | None, parts: int) -> Discriminator:
    judge = Discriminator(32, (32, 32, 16, 8), clamp=clamp, group=group, parts=parts)
    rng = torch.Generator().manual_seed(8)
    initialise(judge, rng)
    with torch.no_grad():
        for name, parameter in judge.named_parameters():
            if name.endswith("bias"):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
    return judge.requires_grad_(False)


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
    judged = seeded(clamp=clamp, group=group, parts=parts)(images).flatten()
    torch.testing.assert_close(judged, torch.tensor(logits), atol=2e-5, rtol=0)


def test_shape_limits_and_parts_come_back_from_spec_and_tensors() -> None:
    net = make_generator()
    judge = {
        f"discriminator.{name}": tensor for name, tensor in seeded(clamp=None, group=4, parts=4).state_dict().items()
    }
    spec = replace(TINY, judge_clamp=0.7, judge_group=None)
    tensors = {
        name: tensor for name, tensor in tensors_of(net).items() if not name.startswith("discriminator.")
    } | judge
    again = build_generator(spec_from_json(spec.to_json()), tensors)
    assert again.discriminator is not None
    assert (again.discriminator.b4.group, again.discriminator.b4.parts, again.discriminator.b4.clamp) == (None, 4, 0.7)
    assert again.fingerprint == net.fingerprint  # the judge is no part of what the generator computes


@pytest.mark.parametrize("change", [{"judge_clamp": 0.0}, {"judge_clamp": float("inf")}, {"judge_group": 0}])
def test_error_impossible_limits(change: dict[str, float]) -> None:
    with pytest.raises(CheckpointError, match="needed positive numbers or none"):
        replace(TINY, **change)  # type: ignore[arg-type]


def test_error_parts_that_divide_nothing() -> None:
    tensors = tensors_of(make_generator())
    tensors["discriminator.b4.conv.weight"] = torch.zeros(16, 19, 3, 3)
    with pytest.raises(CheckpointError, match="compares 3 parts of 16 channels"):
        build_generator(TINY, tensors)


def test_invariance_groups_divide_the_batch() -> None:
    judge = seeded(clamp=None, group=4, parts=1)
    images = torch.randn((6, 3, 32, 32), generator=torch.Generator().manual_seed(5))
    assert judge(images).shape == (6, 1)  # six pictures in groups of four: compared in pairs
