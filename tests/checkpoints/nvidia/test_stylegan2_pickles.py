"""NVIDIA's PyTorch pickles: our tensors in their object graph come back whole, and other kinds are refused by name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from expecting import expect_same
from nvidia_pickles import Module, write_networks
from tiny import TINY, make_generator
from torch import nn

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator
from emogan_core.networks.discriminator import Discriminator
from emogan_core.networks.layers import initialise


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_shape_our_tensors_come_back(tiny: Generator, tmp_path: Path, protocol: int) -> None:
    path = write_networks(tmp_path / "tiny.pkl", tiny, protocol=protocol)
    again = load_generator(path)
    expect_same(again, tiny, tolerance=0)
    assert again.discriminator is not None
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_shape_depth_widths_and_clamp(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = replace(TINY, channels=(24, 16, 8, 8), mapping_layers=5, z_dim=12, conv_clamp=256.0, name="odd")
    path = write_networks(tmp_path / "odd.pkl", make_generator(spec, companions=False))
    with caplog.at_level(logging.WARNING, logger="emogan"):
        again = load_generator(path)
    assert replace(again.spec, crop="tight", licence="unknown") == spec
    assert again.discriminator is None
    assert not caplog.records


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "stylegan2-resnet"},
        {"architecture": "stylegan2-resnet", "conv_clamp": 256.0, "c_dim": 3},
        {"architecture": "stylegan2-orig", "mapping_layers": 8},
        {"architecture": "stylegan2-orig", "c_dim": 1},
        {"c_dim": 10, "conv_clamp": 0.7, "z_dim": 24},
        {"discriminator_clamp": 256.0},
        {"discriminator_clamp": 0.7, "discriminator_group": None},
        {"discriminator_group": 32},
    ],
)
def test_shape_architectures_classes_and_discriminators(
    change: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = make_generator(replace(TINY, **change))
    path = write_networks(tmp_path / "tiny.pkl", net)
    with caplog.at_level(logging.WARNING, logger="emogan"):
        again = load_generator(path)
    assert not caplog.records
    assert again.fingerprint == net.fingerprint
    expect_same(again, net, tolerance=0)


@pytest.mark.parametrize(
    "settings", [{"architecture": "skip"}, {"architecture": "orig", "clamp": 0.7}, {"classes": (3, 16, 8)}]
)
def test_shape_discriminators_of_every_kind(settings: dict[str, Any], tmp_path: Path) -> None:
    net = make_generator(replace(TINY, discriminator_clamp=settings.get("clamp")))
    net.discriminator = Discriminator(TINY.resolution, TINY.channels, **settings)
    initialise(net.discriminator, torch.Generator().manual_seed(4))
    checkpoint = read_foreign(write_networks(tmp_path / "tiny.pkl", net))
    assert checkpoint.notices == ()
    expect_same(checkpoint, net, tolerance=0)


def test_shape_the_host_may_be_in_inference_mode(tiny: Generator, tmp_path: Path) -> None:
    path = write_networks(tmp_path / "tiny.pkl", tiny)
    with torch.inference_mode():
        again = load_generator(path)
    assert not any(parameter.is_inference() for parameter in again.parameters())


def altered(name: str, key: str, value: object) -> Callable[[dict[str, object]], object]:
    """A change of one attribute of one module of G_ema or D."""

    def change(networks: dict[str, object]) -> None:
        root, _, rest = name.partition(".")
        setattr(networks[root].get_submodule(rest), key, value)  # type: ignore[attr-defined]

    return change


def without_noise(networks: dict[str, object]) -> None:
    for module in networks["G_ema"].modules():  # type: ignore[attr-defined]
        if getattr(module, "use_noise", False):
            module.use_noise = False
            del module.noise_const, module.noise_strength


def without_average(networks: dict[str, object]) -> None:
    del networks["G_ema"].mapping.w_avg  # type: ignore[attr-defined]


def weighty() -> Module:
    module = Module()
    module.weight = nn.Parameter(torch.zeros(2))
    return module


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without_noise, "7 layers have no noise"),
        (without_average, "lacks the average latent"),
        (lambda networks: networks.pop("G_ema"), "holds no averaged generator"),
        (altered("D.b16", "architecture", "skip"), "without it: its architecture is 'resnet' and 'skip'"),
        (altered("D.b16", "architecture", ["skip"]), "without it: its architecture is 'resnet' and not a word"),
        (lambda networks: networks["D"].add_module("extra", weighty()), "without it: the tensors do not fit"),
        (altered("D.b16.conv0", "conv_clamp", 4), "without it: its layers have different activation limits"),
        (altered("D.b4.mbstd", "group_size", 0), "compares pictures in groups of"),
        (altered("D.b4.mbstd", "group_size", "4"), "compares pictures in groups of"),
        (
            lambda networks: networks["D"].add_module("b64", Module()),
            "without it: it looks at pictures of another size",
        ),
    ],
)
def test_shape_what_a_file_lacks_is_told(
    tiny: Generator, tmp_path: Path, change: Callable[..., object], expected: str
) -> None:
    checkpoint = read_foreign(write_networks(tmp_path / "tiny.pkl", tiny, change=change))
    assert len(checkpoint.notices) == 1
    assert expected in checkpoint.notices[0]


def test_shape_notices_are_logged(tiny: Generator, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_networks(tmp_path / "tiny.pkl", tiny, change=without_noise)
    with caplog.at_level(logging.WARNING, logger="emogan"):
        load_generator(path)
    assert "tiny.pkl: 7 layers have no noise" in caplog.text


def broken_filter(networks: dict[str, object]) -> None:
    networks["G_ema"].synthesis.b8.resample_filter.fill_(1 / 16)  # type: ignore[attr-defined]


def oblong(networks: dict[str, object]) -> None:
    networks["G_ema"].synthesis.b4.const = nn.Parameter(torch.zeros(16, 4, 2))  # type: ignore[attr-defined]


def grey(networks: dict[str, object]) -> None:
    torgb = networks["G_ema"].synthesis.b32.torgb  # type: ignore[attr-defined]
    torgb.weight, torgb.bias = nn.Parameter(torch.zeros(1, 8, 1, 1)), nn.Parameter(torch.zeros(1))


def classes(*, embedded: int, joined: int) -> Callable[[dict[str, object]], object]:
    """Five classes in a mapping that never heard of them."""

    def change(networks: dict[str, object]) -> None:
        mapping = networks["G_ema"].mapping  # type: ignore[attr-defined]
        embed = Module()
        embed.weight, embed.bias = nn.Parameter(torch.zeros(embedded, 5)), nn.Parameter(torch.zeros(embedded))
        mapping.add_module("embed", embed)
        mapping.fc0.weight = nn.Parameter(torch.zeros(16, joined))

    return change


def relative(*names: str) -> Callable[[dict[str, object]], object]:
    """A generator with modules of a relative of StyleGAN2."""

    def change(networks: dict[str, object]) -> None:
        place = networks["G_ema"]
        for name in names:
            if name not in place._modules:  # type: ignore[attr-defined]
                place.add_module(name, weighty())  # type: ignore[attr-defined]
            place = place._modules[name]  # type: ignore[attr-defined]

    return change


def infinite(networks: dict[str, object]) -> None:
    networks["G_ema"].synthesis.b4.const.fill_(torch.inf)  # type: ignore[attr-defined]


def too_large(networks: dict[str, object]) -> None:
    """Finite in float64, not in float32."""
    const = torch.full((16, 4, 4), 1e300, dtype=torch.float64)
    networks["G_ema"].synthesis.b4.const = nn.Parameter(const)  # type: ignore[attr-defined]


def many_sides(networks: dict[str, object]) -> None:
    """Maps of every side up to 2048 would take 23 GB."""
    for side in range(1, 200):
        block = Module()
        block.add_module("conv0", weighty())
        block.conv0.use_noise, block.conv0.resolution = False, side
        networks["G_ema"].synthesis._modules.setdefault(f"b{side}", block)  # type: ignore[attr-defined]


def narrow(networks: dict[str, object]) -> None:
    networks["G_ema"].synthesis.b8.conv1.bias = nn.Parameter(torch.zeros(3))  # type: ignore[attr-defined]


def knotted(networks: dict[str, object]) -> None:
    block = networks["G_ema"].synthesis.b4  # type: ignore[attr-defined]
    block._modules["conv1"]._modules |= {"a": block, "b": block}


def crowded(networks: dict[str, object]) -> None:
    networks["G_ema"]._buffers |= {f"b{index}": None for index in range(300)}  # type: ignore[attr-defined]


def shared(networks: dict[str, object]) -> None:
    """One table of 16 MiB in half precision under 3000 modules: 100 GB if each were converted."""
    table = {"w": torch.zeros(8 << 20, dtype=torch.float16)}
    root = networks["G_ema"].mapping  # type: ignore[attr-defined]
    for outer in range(15):
        root.add_module(f"m{outer}", Module())
        for inner in range(200):
            root._modules[f"m{outer}"].add_module(f"m{inner}", Module())
            root._modules[f"m{outer}"]._modules[f"m{inner}"]._buffers = table


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (crowded, "more than 256 entries"),
        (shared, "shares its numbers with other names"),
        (lambda networks: networks["G_ema"]._modules.pop("mapping"), "no mapping and synthesis"),
        (
            lambda networks: setattr(networks["G_ema"].mapping.fc0, "weight", nn.Parameter(torch.zeros(8, 16))),
            "different widths",
        ),
        (altered("G_ema", "c_dim", 10), "its generator says that c_dim is 10, its tensors say 0"),
        (altered("G_ema.mapping", "z_dim", 512), "its mapping says that z_dim is 512, its tensors say 16"),
        (altered("G_ema", "img_resolution", "32"), "img_resolution is no number"),
        (grey, "1 channels instead of three"),
        (altered("G_ema.synthesis.b8", "architecture", "resnet"), "says that its architecture is 'resnet'"),
        (altered("G_ema.synthesis.b8", "architecture", "tree"), "says that its architecture is 'tree'"),
        (altered("G_ema.synthesis.b8", "architecture", ["skip"]), "says that its architecture is not a word"),
        (classes(embedded=16, joined=16), "without z (z_dim 0)"),
        (classes(embedded=8, joined=24), "embeds classes in 8 numbers; needed as many as w has, 16"),
        (classes(embedded=16, joined=32), "c_dim is 0, its tensors say 5"),
        (relative("backbone", "synthesis", "b4"), "EG3D"),
        (relative("mapping", "embed_proj"), "StyleGAN-XL"),
        (relative("mapping", "clip"), "StyleGAN-T"),
        (relative("synthesis", "init"), "FastGAN"),
        (altered("G_ema", "class_name", "TriPlaneGenerator"), "which is EG3D's"),
        (altered("G_ema", "class_name", "Discriminator"), "a discriminator without its generator"),
        (altered("G_ema.synthesis", "layer_names", ["L0_36_512"]), "StyleGAN3"),
        (altered("G_ema.synthesis.b8.conv1", "conv_clamp", 7.0), "different activation limits"),
        (altered("G_ema.synthesis.b8.conv1", "conv_clamp", "7"), "no positive number"),
        (altered("G_ema.synthesis.b8.conv1", "activation", "relu"), "needed 'lrelu'"),
        (altered("G_ema.mapping.fc0", "bias_gain", 1.0), "learning rate multiplier"),
        (altered("G_ema", "class_name", "Encoder"), "which is not known here; needed a 'Generator'"),
        (lambda networks: networks.clear(), "holds no generator"),
        (broken_filter, "is not [1, 3, 3, 1]"),
        (oblong, "4 x 2 instead of 4 x 4: generators of pictures that are not square, such as StyleGAN-Human"),
        (infinite, "NaN or infinity"),
        (too_large, "NaN or infinity"),
        (many_sides, "does not tell its resolution"),
        (narrow, "do not fit"),
        (knotted, "modules"),
    ],
)
def test_error_kinds_not_supported(
    tiny: Generator, tmp_path: Path, change: Callable[..., object], expected: str
) -> None:
    path = write_networks(tmp_path / "other.pkl", tiny, change=change)
    with pytest.raises(CheckpointError, match=r"^other\.pkl") as caught:
        load_generator(path)
    assert expected in str(caught.value)
