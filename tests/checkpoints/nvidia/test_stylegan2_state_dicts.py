"""State dicts with NVIDIA's names: what can be known from tensors alone, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from nvidia_pickles import FILTER
from tiny import TINY, make_generator

from emogan_core.checkpoints.nvidia import stylegan2_state_dicts
from emogan_core.checkpoints.reading.canonical import CanonicalCheckpoint
from emogan_core.checkpoints.reading.contents import Contents
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, build_generator, tensors_of


def names_of(generator: Generator) -> dict[str, torch.Tensor]:
    """What `G.state_dict()` would hold, filters included."""
    parts = ("mapping.", "synthesis.")
    made = {name: tensor for name, tensor in tensors_of(generator).items() if name.startswith(parts)}
    return made | {"synthesis.b8.resample_filter": FILTER, "synthesis.b8.conv0.resample_filter": FILTER}


def read(entries: dict[str, torch.Tensor], **beside: object) -> CanonicalCheckpoint:
    """A generator out of a file's table, with what lies beside its state dict."""
    found = stylegan2_state_dicts.detect(Contents({"G_ema": entries, **beside}))
    assert found is not None
    return stylegan2_state_dicts.read(found)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"architecture": "stylegan2-resnet", "c_dim": 4},
        {"architecture": "stylegan2-orig", "mapping_layers": 8},
        {"c_dim": 1, "z_dim": 24, "channels": (24, 16, 8, 8)},
        {"resolution": 8, "channels": (16, 8), "architecture": "stylegan2-resnet"},
    ],
)
def test_shape_everything_but_the_clamp_is_in_the_tensors(change: dict[str, Any]) -> None:
    net = make_generator(replace(TINY, **change), companions=False)
    found = read(names_of(net))
    assert replace(found.spec, crop="tight", name="tiny", licence="unknown") == net.spec
    assert build_generator(found.spec, found.tensors).fingerprint == net.fingerprint
    assert len(found.notices) == 1
    assert "conv_clamp" in found.notices[0]


def test_shape_styleres_generator_without_its_own_layers() -> None:
    net = make_generator(replace(TINY, conv_clamp=256.0), companions=False)
    extra = {"synthesis.b8.modify_feature_gates.down1.weight": torch.zeros(4, 4, 3, 3)}
    found = read(names_of(net) | extra)
    assert build_generator(found.spec, found.tensors).fingerprint == net.fingerprint
    assert [notice for notice in found.notices if "StyleRes" in notice]


def test_shape_missing_noise_and_average_are_made() -> None:
    names = {name: tensor for name, tensor in names_of(make_generator(companions=False)).items() if "noise" not in name}
    del names["mapping.w_avg"]
    found = read(names)
    assert not found.tensors["synthesis.b32.conv1.noise_strength"].any()
    assert any("average latent" in notice for notice in found.notices)
    given = read(names, latent_avg=torch.ones(16))
    assert (given.tensors["mapping.w_avg"] == 1).all()
    build_generator(given.spec, given.tensors)


def test_invariance_an_average_over_classes_repeats() -> None:
    net = make_generator(replace(TINY, c_dim=6), companions=False)
    names = {name: tensor for name, tensor in names_of(net).items() if name != "mapping.w_avg"}
    one, two = (read(names).tensors["mapping.w_avg"] for _ in range(2))
    assert torch.equal(one, two)
    z, c = torch.randn(6000, 16, generator=torch.Generator().manual_seed(5)), torch.eye(6).repeat(1000, 1)
    torch.testing.assert_close(one, net.mapping.to_w(z, c=c).mean(0), atol=0.06, rtol=0)


def wrong() -> dict[str, tuple[dict[str, Any], str]]:
    names = names_of(make_generator(companions=False))
    return {
        "oblong": ({"synthesis.b4.const": torch.zeros(16, 8, 4)}, "starts from 8 x 4 .* StyleGAN-Human"),
        "filter": ({"synthesis.b8.resample_filter": torch.ones(4, 4) / 16}, r"is not \[1, 3, 3, 1\]"),
        "filter of one tap": ({"synthesis.b8.resample_filter": torch.ones(())}, r"is not \[1, 3, 3, 1\]"),
        "nan": ({"mapping.w_avg": torch.full((16,), torch.nan)}, "NaN"),
        "number": ({"mapping.w_avg": 3}, "is a int"),
        "integers": ({"mapping.w_avg": torch.zeros(16).int()}, "int32"),
        "grey": ({"synthesis.b32.torgb.weight": torch.zeros(1, 8, 1, 1)}, "1 channels"),
        "eg3d": ({"backbone.synthesis.b4.const": torch.zeros(16, 4, 4)}, "EG3D"),
        "xl": ({"mapping.embed_proj.weight": torch.zeros(4, 4)}, "StyleGAN-XL"),
        "flat kernel": ({"synthesis.b8.conv1.weight": torch.zeros(16)}, "needed 4 axes"),
        "no classes of z": (
            {"mapping.embed.weight": torch.zeros(16, 3), "mapping.embed.bias": torch.zeros(16)},
            "without z",
        ),
        "no mapping": ({"mapping.fc0.weight": None} | {name: None for name in names if "fc" in name}, "is missing"),
    }


@pytest.mark.parametrize("case", sorted(wrong()))
def test_error_says_what_is_wrong_and_where(case: str) -> None:
    change, words = wrong()[case]
    with pytest.raises(CheckpointError, match=words) as caught:
        read(names_of(make_generator(companions=False)) | change)
    assert "\n" not in str(caught.value)
