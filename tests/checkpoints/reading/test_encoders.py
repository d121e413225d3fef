"""Encoders in files of pSp, e4e and ReStyle: they answer after loading and converting; others leave the generator alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import rosinality_names
from foreign_encoders import encoder_shapes, filled
from tiny import TINY, make_generator

from emogan_core.checkpoints import load_generator, write_generator
from emogan_core.checkpoints.readers import read_foreign
from emogan_core.errors import CheckpointError
from emogan_core.inversion import OptimiseConfig, invert_images
from emogan_core.networks import Generator, build_generator, tensors_of
from emogan_core.networks.irse import IrseEncoder

Names = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_generator(replace(TINY, w_dim=24, z_dim=24), companions=False)


@pytest.fixture(scope="module")
def names() -> Names:
    return filled(encoder_shapes(w_dim=24), seed=1)


@pytest.fixture(scope="module")
def images(net: Generator) -> torch.Tensor:
    z = torch.randn(2, 24, generator=torch.Generator().manual_seed(4))
    return net.synthesis(net.mapping(z, psi=0.8)).clamp(-1, 1)


def saved(path: Path, net: Generator, names: Names, *, rows: int = 8, **options: object) -> Path:
    """A file as these programs write it: both networks in one state dict, the options, the average for each row."""
    parts = {f"decoder.{name}": tensor for name, tensor in rosinality_names(net).items()}
    parts |= {f"encoder.{name}": tensor for name, tensor in names.items()}
    content = {"state_dict": parts, "latent_avg": net.w_avg.repeat(rows, 1), "opts": {"device": "cuda:0", **options}}
    torch.save(content, path)
    return path


def loaded(tmp_path: Path, net: Generator, names: Names, **options: object) -> Generator:
    return load_generator(saved(tmp_path / "face.pt", net, names, **options))


def test_shape_every_method_uses_the_encoder(
    tmp_path: Path, net: Generator, names: Names, images: torch.Tensor
) -> None:
    generator = loaded(tmp_path, net, names, encoder_type="Encoder4Editing", start_from_latent_avg=True)
    assert isinstance(generator.encoder, IrseEncoder)
    assert not any(parameter.requires_grad for parameter in generator.parameters())
    with torch.inference_mode():
        inversion = invert_images(generator, images, method="encode")
    torch.testing.assert_close(inversion.latent.ws, generator.encode(images), atol=0, rtol=0)
    config = OptimiseConfig(hybrid_steps=1, lr=1e-6)
    start = invert_images(generator, images, method="hybrid", config=config).latent.ws
    torch.testing.assert_close(start, inversion.latent.ws, atol=1e-3, rtol=0)


def test_shape_rows_stand_on_the_first_or_alone(
    tmp_path: Path, net: Generator, names: Names, images: torch.Tensor
) -> None:
    alone, offsets = (
        loaded(tmp_path, net, names, encoder_type=kind).encode(images) - net.w_avg
        for kind in ("GradualStyleEncoder", "Encoder4Editing")
    )
    torch.testing.assert_close(offsets[:, 0], alone[:, 0])
    torch.testing.assert_close(offsets[:, 1:], alone[:, 1:] + alone[:, :1], atol=1e-5, rtol=0)


def test_shape_the_average_is_added_as_the_options_say(
    tmp_path: Path, net: Generator, names: Names, images: torch.Tensor
) -> None:
    kind = {"encoder_type": "GradualStyleEncoder"}
    usual, centred, bare = (
        loaded(tmp_path, net, names, **kind, **options).encode(images)
        for options in ({}, {"start_from_latent_avg": True}, {"start_from_latent_avg": False})
    )
    torch.testing.assert_close(usual, centred, atol=0, rtol=0)
    torch.testing.assert_close(bare + net.w_avg, centred, atol=1e-5, rtol=0)


@pytest.mark.parametrize("options", [{"encoder_type": "WEncoder"}, {}])
def test_shape_one_code_for_all_rows(
    tmp_path: Path, net: Generator, images: torch.Tensor, options: dict[str, object]
) -> None:
    """Such an encoder shows in its tensors, so that a file without options will do; its average has one row."""
    single = filled(encoder_shapes(w_dim=24, heads=(), pyramid=False), seed=1)
    ws = loaded(tmp_path, net, single, rows=1, **options).encode(images)
    assert ws.shape == (2, 8, 24)
    torch.testing.assert_close(ws, ws[:, :1].expand_as(ws), atol=0, rtol=0)


def test_shape_an_encoder_that_looks_at_its_own_picture(tmp_path: Path, net: Generator, images: torch.Tensor) -> None:
    shapes = encoder_shapes(w_dim=24, heads=(1,) * 8, inputs=6, pyramid=False)
    generator = loaded(tmp_path, net, filled(shapes, seed=1), encoder_type="ProgressiveBackboneEncoder")
    assert isinstance(generator.encoder, IrseEncoder)
    ws = generator.w_avg.expand(2, 8, -1)
    for _ in range(5):
        seen = torch.cat([images, generator.synthesis(ws)], dim=1)
        ws = ws + generator.encoder.offsets(seen)
    torch.testing.assert_close(generator.encode(images), ws)


def test_shape_beside_a_decoder_of_nvidias_names(
    tmp_path: Path, net: Generator, names: Names, images: torch.Tensor
) -> None:
    """As files that were trained on NVIDIA's own module have it."""
    core = {name: tensor for name, tensor in tensors_of(net).items() if not name.startswith("statistics.")}
    parts = {f"decoder.{name}": tensor for name, tensor in core.items()}
    parts |= {f"encoder.{name}": tensor for name, tensor in names.items()}
    torch.save({"state_dict": parts, "latent_avg": net.w_avg, "opts": E4E}, tmp_path / "other.pt")
    ws = load_generator(tmp_path / "other.pt").encode(images)
    torch.testing.assert_close(ws, loaded(tmp_path, net, names, **E4E).encode(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize("half", [False, True])
def test_invariance_converting_keeps_the_encoder(
    tmp_path: Path, net: Generator, names: Names, images: torch.Tensor, half: bool
) -> None:
    generator = loaded(tmp_path, net, names, encoder_type="Encoder4Editing")
    write_generator(tmp_path / "ours.safetensors", generator, half=half)
    again = load_generator(tmp_path / "ours.safetensors")
    assert set(tensors_of(again)) == set(tensors_of(generator))
    apart = float((again.encode(images) - generator.encode(images)).abs().max())
    assert apart < 0.02 if half else apart == 0
    assert all(tensor.dtype == torch.float32 for tensor in tensors_of(again).values())


def test_invariance_a_gigabyte_is_not_copied(tmp_path: Path, net: Generator, names: Names) -> None:
    path = saved(tmp_path / "face.pt", net, names, encoder_type="Encoder4Editing")
    read = read_foreign(path)
    built = build_generator(read.spec, read.tensors)
    for name, tensor in tensors_of(built).items():
        if name.startswith("encoder."):
            assert tensor.data_ptr() == read.tensors[name].data_ptr(), name


def test_invariance_fingerprint_is_the_generators(tmp_path: Path, net: Generator, names: Names) -> None:
    """Codes and axes of a generator fit it with and without an encoder."""
    assert loaded(tmp_path, net, names, encoder_type="Encoder4Editing").fingerprint == net.fingerprint


def changed(names: Names, **tensors: torch.Tensor | None) -> Names:
    """The same with some exchanged or, for None, taken away; dots are written as two underscores."""
    new = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in {**names, **new}.items() if tensor is not None}


E4E: dict[str, object] = {"encoder_type": "Encoder4Editing"}
UNFIT: dict[str, tuple[Callable[[Names], Names], dict[str, object], str]] = {
    "no options": (lambda names: names, {}, r"does not say in opts which encoder_type"),
    "options of other types": (lambda names: names, {"encoder_type": ["Encoder4Editing"]}, "does not say in opts"),
    "options made of tensors": (
        lambda names: names,
        {"encoder_type": torch.ones(3), "start_from_latent_avg": torch.ones(3)},
        "does not say in opts",
    ),
    "another kind": (lambda names: names, {"encoder_type": "ResNetBackboneEncoder"}, "is a 'ResNetBackboneEncoder'"),
    "one code declared, rows found": (lambda names: names, {"encoder_type": "WEncoder"}, "answers with 8 rows"),
    "a missing head": (lambda names: changed(names, styles__7__linear__weight=None), E4E, "answers with 7 rows"),
    "heads of a larger generator": (
        lambda _: filled(encoder_shapes(w_dim=24, heads=(1, 1, 1, 2, 2, 2, 2, 3, 3, 3)), seed=1),
        E4E,
        "answers with 10 rows of 24, its decoder takes 8 of 24",
    ),
    "codes of another width": (lambda _: filled(encoder_shapes(w_dim=16), seed=1), E4E, "rows of 16"),
    "a head that halves too often": (
        lambda _: filled(encoder_shapes(w_dim=24, heads=(1, 1, 1, 2, 2, 2, 2, 9)), seed=1),
        E4E,
        "does not go together",
    ),
    "pictures of half a million pixels a side": (
        lambda _: filled(encoder_shapes(w_dim=24, heads=(15,) * 8), seed=1),
        E4E,
        "for pictures of 524288 px",
    ),
    "maps of 19 labels": (lambda _: filled(encoder_shapes(w_dim=24, inputs=19), seed=1), E4E, "19 channels"),
    "no gates": (lambda names: changed(names, body__0__res_layer__5__fc1__weight=None), E4E, "fc1.weight' is missing"),
    "a wrong shape": (
        lambda names: changed(names, body__2__res_layer__3__weight=torch.zeros(16, 15, 3, 3)),
        E4E,
        r"res_layer.3.weight' is \[16, 15, 3, 3\], needed \[16, 16, 3, 3\]",
    ),
    "a missing tensor": (lambda names: changed(names, input_layer__2__weight=None), E4E, "input_layer.2.weight"),
    "an unknown tensor": (lambda names: changed(names, extra=torch.ones(2)), E4E, "cannot use 'extra'"),
    "text": (lambda names: {**names, "latlayer1.bias": "text"}, E4E, "latlayer1.bias' is a str"),  # type: ignore[dict-item]
    "NaN": (
        lambda names: changed(names, styles__3__convs__0__bias=torch.full((24,), float("nan"))),
        E4E,
        "styles.3.convs.0.bias' holds NaN",
    ),
    "a negative variance": (
        lambda names: changed(names, input_layer__1__running_var=torch.full((8,), -0.1)),
        E4E,
        "input_layer.1' has negative variances",
    ),
    "nothing but a name": (
        lambda _: {"input_layer.0.weight": torch.zeros(4)},
        E4E,
        "needed floating point with 4 axes",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_error_an_unfit_encoder_is_left_out_by_name(
    case: str, tmp_path: Path, net: Generator, names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    make, options, words = UNFIT[case]
    path = saved(tmp_path / "face.pt", net, make(names), **options)
    with caplog.at_level(logging.WARNING, logger="emogan"):
        generator = load_generator(path)
    assert generator.encoder is None
    assert generator.fingerprint == net.fingerprint
    notices = [message for message in caplog.messages if "encoder is left out" in message]
    assert len(notices) == 1
    assert "\n" not in notices[0]
    assert re.search(words, notices[0]), notices[0]
    with pytest.raises(CheckpointError, match="has no encoder"):
        generator.encode(torch.zeros(1, 3, 32, 32))


def test_error_a_hypernetwork_is_left_out_by_name(tmp_path: Path, net: Generator) -> None:
    parts = {f"decoder.{name}": tensor for name, tensor in rosinality_names(net).items()}
    path = tmp_path / "hyper.pt"
    torch.save({"state_dict": {**parts, "hypernet.conv1.weight": torch.zeros(2, 6, 3, 3)}, "opts": E4E}, path)
    read = read_foreign(path)
    assert any("HyperStyle" in notice for notice in read.notices)
    assert not any(name.startswith("encoder.") for name in read.tensors)


def test_error_files_of_ours_are_held_to_their_generator(tmp_path: Path, net: Generator, names: Names) -> None:
    tensors = tensors_of(loaded(tmp_path, net, names, **E4E))
    shorter = {name: tensor for name, tensor in tensors.items() if not name.startswith("encoder.heads.7.")}
    with pytest.raises(CheckpointError, match="answers with 7 rows of 24, the generator takes 8 of 24"):
        build_generator(net.spec, shorter)
    with pytest.raises(CheckpointError, match=r"missing encoder\.average"):
        build_generator(net.spec, {name: tensor for name, tensor in tensors.items() if name != "encoder.average"})
    with pytest.raises(CheckpointError, match=r"unexpected encoder\.body\.9\.scale"):
        build_generator(net.spec, {**tensors, "encoder.body.9.scale": torch.ones(8)})
    with pytest.raises(CheckpointError, match=r"encoder\.lead is \[2\] instead of \[\]"):
        build_generator(net.spec, {**tensors, "encoder.lead": torch.ones(2)})
    with pytest.raises(CheckpointError, match="0 channels"):
        build_generator(net.spec, {**tensors, "encoder.stem.weight": torch.zeros(())})
