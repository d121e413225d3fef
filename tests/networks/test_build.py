"""Networks from tensors: strict both ways, nothing allocated for a lie."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tiny import TINY, make_generator

from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, GeneratorSpec, build_generator, tensors_of
from emogan_core.networks.spec import spec_from_json


def test_shape_round_trip_keeps_everything(tiny: Generator, rng: torch.Generator) -> None:
    again = build_generator(tiny.spec, tensors_of(tiny))
    assert again.fingerprint == tiny.fingerprint
    assert again.encoder is not None
    assert again.discriminator is not None
    ws = tiny.mapping(torch.randn(2, 16, generator=rng))
    torch.testing.assert_close(again.synthesis(ws), tiny.synthesis(ws), atol=0, rtol=0)
    torch.testing.assert_close(again.w_std, tiny.w_std)


def test_shape_companions_are_optional() -> None:
    alone = make_generator(companions=False)
    assert alone.encoder is None
    assert alone.discriminator is None
    assert alone.fingerprint == make_generator().fingerprint  # companions do not change the space


def test_error_names_missing_unexpected_and_misshapen(tiny: Generator) -> None:
    tensors = tensors_of(tiny)
    tensors["synthesis.b8.conv9.weight"] = tensors.pop("synthesis.b8.conv0.weight")
    tensors["mapping.w_avg"] = torch.zeros(17)
    with pytest.raises(
        CheckpointError, match=r"missing synthesis.b8.conv0.weight, unexpected synthesis.b8.conv9.weight"
    ):
        build_generator(tiny.spec, tensors)
    with pytest.raises(CheckpointError, match=r"mapping.w_avg is \[17\] instead of \[16\]"):
        build_generator(tiny.spec, tensors)


def test_error_huge_claim_is_refused_before_allocation(tiny: Generator) -> None:
    """2048 px at 2048 channels would need gigabytes; the shapes disagree first."""
    spec = GeneratorSpec(resolution=2048, w_dim=2048, z_dim=2048, channels=(2048,) * 10, mapping_layers=64)
    with pytest.raises(CheckpointError, match="do not fit"):
        build_generator(spec, tensors_of(tiny))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("discriminator.b16.conv1.weight", (0, 0, 3, 3)),
        ("discriminator.b4.conv.weight", (0, 0, 3, 3)),
        ("discriminator.mapping.embed.weight", (0, 3)),
        ("discriminator.mapping.embed.weight", (4, 3)),
        ("encoder.b16.weight", (0, 0, 3, 3)),
    ],
)
def test_error_companions_of_no_size(tiny: Generator, name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(CheckpointError):
        build_generator(tiny.spec, tensors_of(tiny) | {name: torch.zeros(shape)})


@pytest.mark.parametrize(
    "change",
    [
        {"resolution": 48},
        {"resolution": 1 << 20},
        {"channels": (8, 8)},
        {"w_dim": 0},
        {"mapping_layers": 0},
        {"architecture": "stylegan9"},
    ],
)
def test_error_impossible_specs(change: dict[str, object]) -> None:
    fields = {"resolution": 32, "w_dim": 16, "z_dim": 16, "channels": (8, 8, 8, 8), "mapping_layers": 2}
    with pytest.raises(CheckpointError):
        GeneratorSpec(**{**fields, **change})  # type: ignore[arg-type]


def test_invariance_spec_round_trips_through_json() -> None:
    assert spec_from_json(TINY.to_json()) == TINY
    for text in ("", "[]", "{}", '{"resolution": "x"}', "[" * 100_000):
        with pytest.raises(CheckpointError):
            spec_from_json(text)


def test_invariance_former_names_of_settings_are_read() -> None:
    declared = json.loads(TINY.to_json()) | {"judge_clamp": 0.7, "judge_group": None}
    assert spec_from_json(json.dumps(declared)) == replace(TINY, discriminator_clamp=0.7, discriminator_group=None)


def test_invariance_fingerprint_follows_weights_not_names(tiny: Generator) -> None:
    renamed = GeneratorSpec(**{**{f: getattr(tiny.spec, f) for f in tiny.spec.__dataclass_fields__}, "name": "other"})
    assert build_generator(renamed, tensors_of(tiny)).fingerprint == tiny.fingerprint
    tensors = tensors_of(tiny)
    tensors["synthesis.b4.const"] = tensors["synthesis.b4.const"] + 1e-3
    assert build_generator(tiny.spec, tensors).fingerprint != tiny.fingerprint


def test_invariance_statistics_are_those_of_samples(tiny: Generator) -> None:
    w = tiny.mapping.to_w(torch.randn(20_000, 16, generator=torch.Generator().manual_seed(5)))
    torch.testing.assert_close(tiny.w_std, w.std(0), rtol=0.05, atol=0)


def test_invariance_works_after_loading_under_inference_mode(tiny: Generator) -> None:
    with torch.inference_mode():
        generator = build_generator(tiny.spec, tensors_of(tiny))
    assert not any(tensor.is_inference() for tensor in generator.state_dict().values())
