"""TensorFlow's pickles and StyleGAN1's other files: our tensors under their names come back; other kinds are named."""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from expecting import expect_same
from tensorflow_pickles import Network, networks_of, stand_in, write_tensorflow
from tiny import FIRST, LARGE, TINY, vivid

from emogan_core.checkpoints import load_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.networks import GeneratorSpec, build_generator, tensors_of
from emogan_core.networks.discriminator import Discriminator

KINDS = {
    "skip": TINY,
    "skip, limited": replace(TINY, conv_clamp=3.0),
    "skip, classes embedded": replace(TINY, c_dim=5),
    "skip, classes beside z": replace(TINY, c_dim=5, conditioning="concat", z_dim=12),
    "resnet": replace(TINY, architecture="stylegan2-resnet", mapping_layers=4),
    "orig": replace(TINY, architecture="stylegan2-orig", channels=(24, 16, 8, 4)),
    "stylegan1": FIRST,
    "stylegan1, classes": replace(FIRST, c_dim=3, conditioning="concat"),
    "stylegan1, large": LARGE,
}


@pytest.mark.parametrize("kind", KINDS)
def test_shape_our_tensors_come_back(tmp_path: Path, kind: str) -> None:
    net = vivid(KINDS[kind])
    found = read_foreign(write_tensorflow(tmp_path / "tiny.pkl", net))
    expect_same(found, net)
    assert found.spec.crop == ""
    assert len(found.notices) == 1
    assert "discriminator is left out" in found.notices[0]


DISCRIMINATORS: dict[
    str, tuple[dict[str, object], int, GeneratorSpec]
] = {  # how it is built, version of the file, generator
    "resnet": ({}, 4, TINY),
    "skip": ({"architecture": "skip"}, 4, TINY),
    "orig": ({"architecture": "orig"}, 4, TINY),
    "all compared, limited": ({}, 5, replace(TINY, discriminator_group=None, discriminator_clamp=3.0)),
    "classes": ({"classes": (5, 16, 0)}, 5, replace(TINY, c_dim=5, discriminator_group=None)),
    "classes, deeper": ({"classes": (5, 12, 2)}, 5, replace(TINY, c_dim=5, discriminator_group=None)),
}


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_shape_discriminators_come_back(tmp_path: Path, kind: str) -> None:
    options, version, spec = DISCRIMINATORS[kind]
    net = vivid(spec, discriminator=Discriminator(32, TINY.channels, **options))  # type: ignore[arg-type]
    found = read_foreign(write_tensorflow(tmp_path / "tiny.pkl", net, version=version))
    assert found.notices == ()
    expect_same(found, net)


def test_shape_discriminators_that_grew(tmp_path: Path) -> None:
    spec = replace(TINY, architecture="stylegan2-orig")
    net = vivid(spec, discriminator=Discriminator(32, TINY.channels, architecture="orig"))
    found = read_foreign(write_tensorflow(tmp_path / "tiny.pkl", net, grown=True))
    assert found.notices == ()
    expect_same(found, net)


def test_invariance_a_logit_per_class_is_a_class_mapping(tmp_path: Path) -> None:
    """StyleGAN2's first program picks one of the logits by the class; ours gets there by a mapping of classes."""
    net = vivid(TINY, discriminator=Discriminator(32, TINY.channels))

    def several(networks: tuple[Network, Network, Network]) -> None:
        kept = [pair for pair in networks[1].variables if "Output" not in pair[0]]
        rng = np.random.default_rng(5)
        weight, bias = rng.normal(size=(16, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
        networks[1].variables = [*kept, ("Output/weight", weight), ("Output/bias", bias)]

    found = load_generator(write_tensorflow(tmp_path / "a.pkl", net, change=several))
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    features = found.discriminator.features(images)[-1]
    logits = found.discriminator.b4(features, images)
    for index in range(3):
        c = torch.zeros(4, 3)
        c[:, index] = 1
        torch.testing.assert_close(found.discriminator(images, c), logits[:, index : index + 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("spec", [TINY, FIRST])
def test_invariance_another_learning_rate_is_the_same_mapping(tmp_path: Path, spec: GeneratorSpec) -> None:
    net = vivid(spec)

    def faster(networks: tuple[Network, Network, Network]) -> None:
        settings(mapping_lrmul=0.1)(networks)
        part = networks[2].components["mapping"]
        part.variables = [(name, value * np.float32(0.1)) for name, value in part.variables]  # type: ignore[attr-defined]

    expect_same(read_foreign(write_tensorflow(tmp_path / "a.pkl", net, change=faster)), net)


GOLDEN = {
    "skip, limited": ((-0.26975, 0.32785, -0.33669), (-0.13482, 0.17798, -0.09524), 0.28975),
    "skip, classes embedded": ((-0.10631, -0.17519, 0.23675), (-0.08108, -0.1665, 0.00916), 0.14780),
    "resnet": ((0.19226, 0.13796, 0.0351), (0.23453, 0.09934, 0.17482), 0.09107),
    "orig": ((-0.04006, 0.1594, 0.04756), (-0.06572, 0.20334, 0.07774), 0.07626),
    "stylegan1, classes": ((-0.14505, 0.20281, 0.16429), (-0.1177, 0.04905, -0.43027), 0.25012),
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_golden_pictures_of_the_reference(tmp_path: Path, kind: str) -> None:
    """Expected: what stylegan2-ada-pytorch (d72cc7d) draws from this very file, read by its own legacy.py
    (convert_tf_generator, after fmap_base and fmap_max were added to the settings), G(z, c, truncation_psi=0.7,
    noise_mode='const') on the CPU. For StyleGAN1, which it refuses: genforce (197feee), StyleGANGenerator with the same
    tensors under its names, trunc_psi=0.7 on all layers. Largest difference seen 2e-6 of a range of 1.8.
    """
    spec = KINDS[kind]
    found = load_generator(write_tensorflow(tmp_path / "a.pkl", vivid(spec)))
    z = torch.randn(2, spec.z_dim, generator=torch.Generator().manual_seed(4))
    c = torch.eye(spec.c_dim)[[1, 3 % spec.c_dim]] if spec.c_dim else None
    images, (one, other, deviation) = found.synthesis(found.mapping(z, psi=0.7, c=c)), GOLDEN[kind]
    torch.testing.assert_close(images[1, :, 5, 9], torch.tensor(one), atol=2e-5, rtol=0)
    torch.testing.assert_close(images[0, :, 31, 0], torch.tensor(other), atol=2e-5, rtol=0)
    assert images.std() == pytest.approx(deviation, abs=2e-5)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_shape_every_protocol(tmp_path: Path, protocol: int) -> None:
    net = vivid(FIRST)
    expect_same(read_foreign(write_tensorflow(tmp_path / "a.pkl", net, protocol=protocol, version=3)), net)


def test_shape_orig_that_grew(tmp_path: Path) -> None:
    """Configurations B to D keep a ToRGB layer for every resolution they had."""
    net = vivid(replace(TINY, architecture="stylegan2-orig"))
    expect_same(read_foreign(write_tensorflow(tmp_path / "a.pkl", net, grown=True)), net)


def test_shape_texts_of_python_2_and_columns_first(tmp_path: Path) -> None:
    """Python 2 pickles bytes as texts; a transposed array keeps its order on disk."""
    net = vivid(FIRST)
    networks = networks_of(net)
    for part in networks[2].components.values():
        turned = [(name, np.asfortranarray(value) if value.ndim > 1 else value) for name, value in part.variables]  # type: ignore[attr-defined]
        part.variables = turned  # type: ignore[attr-defined]
    with stand_in():
        data = pickle.dumps(networks[2], protocol=2)
    encoded = data.count(b"c_codecs\nencode\n")
    path = tmp_path / "a.pkl"
    path.write_bytes(as_python_2(data))
    assert encoded > 0
    assert path.read_bytes().count(b"c_codecs\nencode\n") == 0
    expect_same(read_foreign(path), net)


def as_python_2(data: bytes) -> bytes:
    """The same pickle with its encoded texts as BINSTRING, which Python 2 wrote; memo entries stay where they were."""
    steps = [(code, argument, position) for code, argument, position in pickletools.genops(data)]
    ends = [position for _, _, position in steps[1:]] + [len(data)]
    out, index = bytearray(), 0
    encode: set[int] = set()
    while index < len(steps):
        code, argument, position = steps[index]
        called = code.name == "GLOBAL" and argument == "_codecs encode"
        memo = int(steps[index + 1][1]) if called else -1  # type: ignore[call-overload]
        if called:
            encode.add(memo)
        again = code.name in ("BINGET", "LONG_BINGET") and argument in encode
        if called or again:
            start = index + (2 if called else 1)
            text_at = next(at for at in range(start, start + 2) if steps[at][0].name == "BINUNICODE")
            text = str(steps[text_at][1]).encode("latin1")
            stop = next(at for at in range(text_at, len(steps)) if steps[at][0].name == "REDUCE")
            out += b"T" + len(text).to_bytes(4, "little") + text
            index = stop + 1
            continue
        out += data[position : ends[index]]
        index += 1
    return bytes(out)


def settings(**options: object) -> Callable[[tuple[Network, Network, Network]], None]:
    def change(networks: tuple[Network, Network, Network]) -> None:
        for network in (networks[2], *networks[2].components.values()):
            network.static_kwargs.update(options)  # type: ignore[attr-defined]

    return change


def variable(part: str, name: str, value: object) -> Callable[[tuple[Network, Network, Network]], None]:
    """A change of one variable of Gs; None takes it away."""

    def change(networks: tuple[Network, Network, Network]) -> None:
        network = networks[2].components[part] if part else networks[2]
        kept = [pair for pair in network.variables if pair[0] != name]  # type: ignore[attr-defined]
        network.variables = kept + ([(name, value)] if value is not None else [])  # type: ignore[attr-defined]

    return change


def without_noise(networks: tuple[Network, Network, Network]) -> None:
    synthesis = networks[2].components["synthesis"]
    kept = [pair for pair in synthesis.variables if "oise" not in pair[0]]  # type: ignore[attr-defined]
    synthesis.variables = kept  # type: ignore[attr-defined]


def discriminator(**options: object) -> Callable[[tuple[Network, Network, Network]], None]:
    return lambda networks: networks[1].static_kwargs.update(options)


def many_classes(networks: tuple[Network, Network, Network]) -> None:
    kept = [pair for pair in networks[1].variables if "Output" not in pair[0]]
    networks[1].variables = [*kept, ("Output/weight", np.zeros((1, 1_000_000), np.float32))]


@pytest.mark.parametrize(
    ("spec", "change", "expected"),
    [
        (TINY, without_noise, "7 layers have no noise"),
        (FIRST, without_noise, "8 layers have no noise"),
        (TINY, variable("", "dlatent_avg", None), "lacks the average latent"),
        (FIRST, variable("synthesis", "noise3", None), "lacks 1 noise map;"),
        (FIRST, variable("", "lod", np.float32(1)), "towards 32 px and stood at 16 px"),
        (TINY, settings(glow=3), "settings not known here, which are left aside: 'glow'"),
        (TINY, many_classes, "without it: it has a logit for each of 1000000 classes"),
        (TINY, discriminator(use_spectral_norm=True), "without it: it has use_spectral_norm"),
        (TINY, discriminator(mbstd_group_size="x"), "without it: it compares"),
        (TINY, discriminator(nonlinearity="relu"), "without it: its setting nonlinearity"),
    ],
)
def test_shape_what_a_file_lacks_is_told(
    tmp_path: Path, spec: GeneratorSpec, change: Callable[..., None], expected: str
) -> None:
    net = vivid(spec, discriminator=Discriminator(32, TINY.channels) if spec is TINY else None)
    checkpoint = read_foreign(write_tensorflow(tmp_path / "a.pkl", net, change=change))
    about = [notice for notice in checkpoint.notices if spec is TINY or "discriminator" not in notice]
    assert expected in " ".join(about)
    assert len(about) == 1
    build_generator(checkpoint.spec, checkpoint.tensors)


def test_shape_growing_networks_draw_their_present_side(tmp_path: Path) -> None:
    net = vivid(LARGE)
    write_tensorflow(tmp_path / "a.pkl", net, change=variable("", "lod", np.float32(2)))
    found = load_generator(tmp_path / "a.pkl")
    assert found.spec.resolution == 32
    small = build_generator(
        found.spec, {name: t for name, t in tensors_of(found).items() if name != "statistics.w_std"}
    )
    torch.testing.assert_close(small.synthesis.b32.torgb.bias, torch.full((3,), 0.5))
    torch.testing.assert_close(small.synthesis.b16.conv1.weight, net.synthesis.b16.conv1.weight)


def function(part: str, name: str) -> Callable[[tuple[Network, Network, Network]], None]:
    def change(networks: tuple[Network, Network, Network]) -> None:
        network = networks[2].components[part] if part else networks[2]
        network.build_func_name = name  # type: ignore[attr-defined]

    return change


def lone(networks: tuple[Network, Network, Network]) -> None:
    networks[2].components.clear()


def recursion(networks: tuple[Network, Network, Network]) -> None:
    networks[2].components["synthesis"] = networks[2]


def version(number: object) -> Callable[[tuple[Network, Network, Network]], None]:
    return lambda networks: setattr(networks[2], "version", number)


def bad_pairs(networks: tuple[Network, Network, Network]) -> None:
    networks[2].variables = ["dlatent_avg", 3]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("spec", "change", "expected"),
    [
        (TINY, version(1), "version 1; needed one of (2, 3, 4, 5)"),
        (TINY, version(6), "version 6"),
        (TINY, version("4"), "version no number"),
        (TINY, lone, "no mapping and synthesis parts"),
        (TINY, recursion, "needed one of G_synthesis"),
        (TINY, function("", "G_paper"), "Progressive GAN, which has no W space"),
        (TINY, function("synthesis", "G_synthesis_squares"), "'G_synthesis_squares'"),
        (TINY, bad_pairs, "no pairs of name and numbers"),
        (TINY, variable("synthesis", "4x4/Conv/weight", None), "has 0 resolutions"),
        (TINY, variable("synthesis", "8x8/Conv1/bias", None), "'synthesis.b8.conv1.bias' is missing"),
        (
            TINY,
            variable("synthesis", "8x8/Conv1/glow", np.zeros(3, np.float32)),
            "cannot use 'synthesis.b8.conv1.glow'",
        ),
        (TINY, variable("synthesis", "noise99", np.zeros((1, 1, 4, 4), np.float32)), "cannot use"),
        (TINY, variable("synthesis", "4x4/Const/const", np.zeros((1, 16, 4, 2), np.float32)), "not square"),
        (TINY, variable("synthesis", "8x8/Conv1/bias", np.full(16, np.nan, np.float32)), "NaN or infinity"),
        (TINY, variable("synthesis", "8x8/Conv1/bias", np.zeros(3, np.float32)), "needed [16]"),
        (TINY, variable("synthesis", "8x8/Conv1/bias", "text"), "holds no numbers"),
        (TINY, variable("mapping", "Dense0/weight", np.zeros((16, 8), np.float32)), "different widths"),
        (TINY, settings(resolution=64), "say resolution 64, its tensors 32"),
        (TINY, settings(mapping_layers=8), "say mapping_layers 8, its tensors 2"),
        (TINY, settings(label_size=3), "say label_size 3, its tensors 0"),
        (TINY, settings(architecture="resnet"), "say architecture 'resnet', its tensors skip"),
        (TINY, settings(fmap_base=16384), "say widths by fmap_base"),
        (TINY, settings(resample_kernel=[1, 2, 1]), "resample_kernel is [1, 2, 1], which is not drawn here"),
        (TINY, settings(mapping_lrmul=-0.1), "mapping_lrmul is -0.1"),
        (TINY, settings(mapping_lrmul="fast"), "mapping_lrmul is 'fast'"),
        (TINY, settings(conv_clamp=-1), "no positive number"),
        (FIRST, settings(use_pixel_norm=True), "use_pixel_norm is True"),
        (FIRST, settings(blur_filter=None), "blur_filter is None"),
        (FIRST, settings(nonlinearity="relu"), "nonlinearity is 'relu'"),
        (FIRST, variable("", "lod", np.float32(0.5)), "middle of growing (lod 0.5 of 32 px)"),
        (FIRST, variable("", "lod", np.float32(3)), "middle of growing"),
        (replace(TINY, c_dim=5), variable("mapping", "LabelEmbed/bias", np.zeros(4, np.float32)), "needed [16]"),
        (replace(TINY, c_dim=5), variable("mapping", "LabelEmbed/bias", None), "embeds classes"),
    ],
)
def test_error_kinds_not_supported(
    tmp_path: Path, spec: GeneratorSpec, change: Callable[..., None], expected: str
) -> None:
    path = write_tensorflow(tmp_path / "other.pkl", vivid(spec), change=change)
    with pytest.raises(CheckpointError, match=r"^other\.pkl") as caught:
        load_generator(path)
    assert expected in str(caught.value)
    assert "is damaged (" not in str(caught.value)


@pytest.mark.parametrize("module", ["tfutil", "network"])
def test_error_progressive_networks_are_named(tmp_path: Path, module: str) -> None:
    with stand_in(module):
        (tmp_path / "pg.pkl").write_bytes(pickle.dumps(networks_of(vivid(FIRST)), protocol=2))
    with pytest.raises(CheckpointError, match=r"pg\.pkl: it is a Progressive GAN, which has no W space"):
        load_generator(tmp_path / "pg.pkl")


def test_error_other_numbers_of_networks(tmp_path: Path) -> None:
    networks = networks_of(vivid(FIRST))
    for content in (networks[:2], [networks[0], 1, networks[2]]):
        with stand_in():
            (tmp_path / "two.pkl").write_bytes(pickle.dumps(content))
        with pytest.raises(CheckpointError, match=r"needed the networks \(G, D, Gs\)"):
            load_generator(tmp_path / "two.pkl")
