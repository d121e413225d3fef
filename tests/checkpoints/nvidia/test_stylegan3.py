"""NVIDIA's StyleGAN3 pickles: our tensors in their object graph come back whole, damaged ones are refused in a sentence."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from alias_free import PUBLISHED, TINY_R, TINY_T, make_alias_free
from alias_free_pickles import alias_free_state, layer_names, write_alias_free
from expecting import expect_same
from nvidia_pickles import module_of
from torch import nn

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.spec import AliasFree

LAYOUT = TINY_T.alias_free or AliasFree()
Change = Callable[..., object]


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_alias_free()


@pytest.mark.parametrize(
    "spec",
    [
        TINY_R,
        replace(TINY_T, c_dim=3, mapping_layers=3, z_dim=8, conv_clamp=None),
        replace(TINY_T, alias_free=replace(LAYOUT, lrelu_upsampling=4, filter_size=4, output_scale=1.0)),
        replace(TINY_T, alias_free=replace(LAYOUT, first_cutoff=2.5, first_stopband=5.5, last_stopband_rel=1.5)),
        replace(TINY_T, alias_free=replace(LAYOUT, num_critical=3, margin_size=7), channels=(12, 12, 12, 8, 8, 8)),
        replace(TINY_R, resolution=64),
    ],
    ids=["R", "classes", "rates", "bands", "margins", "64 px"],
)
def test_shape_every_layout_comes_back(spec: GeneratorSpec, tmp_path: Path) -> None:
    made = make_alias_free(spec)
    expect_same(load_generator(write_alias_free(tmp_path / "tiny.pkl", made)), made, tolerance=0)


def bare(networks: dict[str, object]) -> None:
    """What forks may leave away: everything that tensors tell."""
    root = networks["G_ema"]
    del root._init_kwargs, root.synthesis.layer_names, root.synthesis.num_layers  # type: ignore[attr-defined]
    for name, layer in root.synthesis._modules.items():  # type: ignore[attr-defined]
        if name != "input":
            del layer.padding, layer.up_factor, layer.down_factor


def nested(networks: dict[str, object]) -> None:
    root = networks["G_ema"]
    root._init_kwargs = {"synthesis_kwargs": root._init_kwargs}  # type: ignore[attr-defined]


def in_training(networks: dict[str, object]) -> None:
    networks["G"] = networks.pop("G_ema")


def without_average(networks: dict[str, object]) -> None:
    del networks["G_ema"].mapping.w_avg  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "expected"),
    [(bare, ""), (nested, ""), (in_training, "no averaged generator"), (without_average, "lacks the average latent")],
)
def test_shape_what_a_file_lacks_is_told(net: Generator, tmp_path: Path, change: Change, expected: str) -> None:
    checkpoint = read_foreign(write_alias_free(tmp_path / "tiny.pkl", net, change=change))
    assert checkpoint.spec.alias_free == net.spec.alias_free
    assert len(checkpoint.notices) == bool(expected)
    assert expected in "".join(checkpoint.notices)


def altered(name: str, key: str, value: object) -> Change:
    """A change of one attribute of one module of G_ema."""

    def change(networks: dict[str, object]) -> None:
        setattr(networks["G_ema"].get_submodule(name), key, value)  # type: ignore[attr-defined]

    return change


def argument(key: str, value: object) -> Change:
    return lambda networks: networks["G_ema"]._init_kwargs.update({key: value})


def reshaped(name: str, key: str, *shape: int) -> Change:
    return altered(name, key, nn.Parameter(torch.zeros(shape)))


def dropped(name: str, key: str) -> Change:
    return lambda networks: delattr(networks["G_ema"].get_submodule(name), key)


def renamed(old: str, new: str) -> Change:
    def change(networks: dict[str, object]) -> None:
        synthesis = networks["G_ema"].synthesis  # type: ignore[attr-defined]
        synthesis._modules[new] = synthesis._modules.pop(old)
        synthesis.layer_names = [new if name == old else name for name in synthesis.layer_names]

    return change


L0, L2, LAST = "synthesis.L0_24_12", "synthesis.L2_40_12", "synthesis.L6_32_3"


def test_shape_names_are_those_the_damages_mean(net: Generator) -> None:
    names = [f"synthesis.{name}" for name in layer_names(net)]
    assert (names[0], names[2], names[6]) == (L0, L2, LAST)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda networks: networks["G_ema"].synthesis._modules.pop("L3_40_12"), "not numbered"),
        (renamed("L3_40_12", "L03_40_12"), "cannot follow from its layout"),
        (renamed("L3_40_12", "L9_40_12"), "not numbered"),
        (renamed("L3_40_12", "L3_40_13"), "cannot follow from its layout"),
        (renamed("L3_40_12", "L3_99999_12"), "cannot follow from its layout"),
        (altered("synthesis", "layer_names", ["L0_24_12"]), "lists other layers"),
        (altered("synthesis", "img_resolution", 64), "which needs L3_72_12"),
        (altered("synthesis", "img_resolution", [32, 64]), "not square"),
        (altered("synthesis", "img_resolution", 1 << 40), "power of two"),
        (altered("synthesis", "num_critical", 0), "cannot draw"),
        (altered("synthesis", "num_critical", 6), "cannot draw"),
        (altered("synthesis", "num_critical", -1), "cannot be laid out"),
        (altered("synthesis", "num_critical", "2"), "num_critical is no number"),
        (altered("synthesis", "num_critical", 2.5), "num_critical is no number"),
        (altered("synthesis", "margin_size", 10**9), "cannot be laid out"),
        (altered("synthesis", "margin_size", 5), "cannot follow from its layout"),
        (altered("synthesis", "output_scale", float("nan")), "output_scale is no number"),
        (altered("synthesis", "output_scale", -1.0), "output scale of -1.0"),
        (altered("synthesis.input", "bandwidth", 1e9), "cannot be laid out"),
        (altered("synthesis.input", "bandwidth", "wide"), "first_cutoff is no number"),
        (altered("synthesis.input", "sampling_rate", 64.0), "sampling_rate of its waves"),
        (argument("first_stopband", 1e300), "cannot be laid out"),
        (argument("first_stopband", 0.5), "cannot be laid out"),
        (argument("first_stopband", 20.0), "cannot follow from its layout"),
        (argument("last_stopband_rel", None), "last_stopband_rel is no number"),
        (altered(L2, "padding", [4, 5, 9, 9]), "not square"),
        (altered(L2, "up_factor", 8), "up_factor of its layer L2"),
        (altered(L2, "out_sampling_rate", 64), "out_sampling_rate of its layer L2"),
        (altered(L0, "tmp_sampling_rate", 1 << 60), "cannot be laid out"),
        (altered(L2, "conv_clamp", 1.0), "different activation limits"),
        (altered(L2, "conv_clamp", -1.0), "no positive number"),
        (altered("mapping.fc0", "activation", "relu"), "needed 'lrelu'"),
        (altered("", "c_dim", 4), "c_dim is 4"),
        (dropped(L0, "weight"), "'synthesis.L0.weight' is missing"),
        (dropped(L2, "up_filter"), "missing synthesis.L2.up_filter"),
        (dropped(L2, "magnitude_ema"), "missing synthesis.L2.magnitude_ema"),
        (dropped("synthesis.input", "freqs"), "missing synthesis.input.freqs"),
        (lambda networks: networks["G_ema"].synthesis._modules.pop("input"), "missing synthesis.input"),
        (reshaped(L0, "weight", 12, 12, 5, 5), "cannot be laid out"),
        (reshaped(L0, "weight", 0, 12, 3, 3), "has the shape"),
        (reshaped(L2, "weight", 12, 12, 1, 1), "synthesis.L2.weight is"),
        (reshaped(LAST, "weight", 4, 8, 1, 1), "4 channels"),
        (reshaped("synthesis.input", "freqs", 12, 3), "synthesis.input.freqs is"),
        (reshaped("synthesis.input", "transform", 2, 3, 3), "synthesis.input.transform is"),
        (reshaped(L2, "down_filter", 12, 12), "instead of [12, 12]"),
        (reshaped(L2, "down_filter", 4000), "synthesis.L2.down_filter is"),
        (reshaped(L0, "up_filter", 4000), "cannot be laid out"),
        (lambda networks: networks["G_ema"].mapping._modules.clear(), "mapping has no layers"),
        (
            lambda networks: networks["G_ema"].mapping.add_module(
                "embed_proj", module_of({"weight": torch.zeros(2, 2)}, class_name="FullyConnectedLayer")
            ),
            "StyleGAN-XL",
        ),
        (lambda networks: networks["G_ema"].synthesis.input.freqs.data.fill_(torch.inf), "NaN or infinity"),
    ],
)
def test_error_damaged_networks(net: Generator, tmp_path: Path, change: Change, expected: str) -> None:
    path = write_alias_free(tmp_path / "other.pkl", net, change=change)
    with pytest.raises(CheckpointError, match=r"^other\.pkl") as caught:
        load_generator(path)
    assert expected in str(caught.value)
    assert "is damaged (" not in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_error_damage_of_any_kind(net: Generator, tmp_path: Path, seed: int) -> None:
    """Flipped bytes and cut ends: a generator or one sentence, whatever was hit."""
    rng = random.Random(seed)
    whole = write_alias_free(tmp_path / "whole.pkl", net).read_bytes()
    path = tmp_path / "other.pkl"
    expected = []
    for number in range(12):
        data = bytearray(whole)
        if number % 4:
            for _ in range(rng.choice((1, 4, 64))):
                data[rng.randrange(len(data))] = rng.randrange(256)
        else:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            load_generator(path)
        except CheckpointError as error:
            expected.append(str(error))
    assert len(expected) >= 3
    assert all(sentence.startswith("other.pkl") for sentence in expected), expected


@pytest.mark.parametrize(
    "spec",
    [PUBLISHED, replace(PUBLISHED, alias_free=AliasFree(num_layers=8, use_radial_filters=True, num_critical=3))],
    ids=["T", "R"],
)
@pytest.mark.parametrize("prefix", ["", "decoder."])
def test_shape_weights_alias_free_state(spec: GeneratorSpec, tmp_path: Path, prefix: str) -> None:
    """A bare state dict, and an encoder's file with the decoder's transforms of its last batch."""
    made = make_alias_free(spec)
    entries = alias_free_state(made, prefix=prefix)
    if prefix:
        entries["decoder.synthesis.input.transform"] = torch.eye(3).expand(4, 3, 3).contiguous()
    path = tmp_path / "bare.pt"
    torch.save({"state_dict": entries, "latent_avg": made.w_avg} if prefix else entries, path)
    checkpoint = read_foreign(path)
    assert checkpoint.spec.alias_free == spec.alias_free
    assert "taken as published" in checkpoint.notices[0]
    assert len(checkpoint.notices) == 1 + bool(prefix)
    again = load_generator(path)
    ws = made.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(3)))
    torch.testing.assert_close(
        again.synthesis(ws, transform=torch.eye(3)), made.synthesis(ws, transform=torch.eye(3)), atol=0, rtol=0
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("synthesis.L2_28_12.weight", None, "'synthesis.L2.weight' is missing"),
        ("synthesis.L2_28_12.weight", torch.zeros(13, 12, 3, 3), "cannot follow from its layout"),
        ("synthesis.L0_28_12.up_filter", torch.zeros(7), "has 7 taps"),
        ("synthesis.L0_28_12.up_filter", torch.zeros(4, 6), "up_filter' has the shape"),
        ("synthesis.L8_32_3.bias", torch.full((3,), torch.nan), "NaN"),
        ("synthesis.input.transform", torch.zeros(9), "synthesis.input.transform is"),
        ("synthesis.extra.weight", torch.zeros(3), "unexpected synthesis.extra.weight"),
        ("synthesis.L9_9_9.weight", torch.zeros(3, 3, 1, 1), "resolution of 9"),
        ("mapping.fc1.weight", "word", "needed a tensor"),
    ],
)
def test_error_damaged_weights_without_settings(tmp_path: Path, name: str, value: object, expected: str) -> None:
    entries = alias_free_state(make_alias_free(PUBLISHED))
    assert name in entries or "extra" in name or "L9" in name, sorted(entries)
    entries[name] = value
    if value is None:
        del entries[name]
    path = tmp_path / "bare.pt"
    torch.save(entries, path)
    with pytest.raises(CheckpointError, match=r"^bare\.pt") as caught:
        load_generator(path)
    assert expected in str(caught.value)
