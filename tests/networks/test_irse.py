"""The encoder of pSp, e4e and ReStyle: the numbers of its authors' code, and what it owes to pictures of any size."""

from __future__ import annotations

import pytest
import torch
from foreign_encoders import encoder_shapes, filled

from emogan_core.checkpoints.reading.canonical import CanonicalCheckpoint
from emogan_core.checkpoints.reading.encoders import with_encoder
from emogan_core.checkpoints.reading.tables import state_dict_with
from emogan_core.errors import CheckpointError
from emogan_core.networks import GeneratorSpec
from emogan_core.networks.irse import IrseEncoder, IrseLayout, Stage, layout_of

STAGES = ((16, 3), (32, 4), (48, 14), (64, 3))  # the authors' blocks, at an eighth of their widths or less
SPEC = GeneratorSpec(resolution=32, w_dim=24, z_dim=24, channels=(8, 8, 8, 8), mapping_layers=1)


def encoder_of(names: dict[str, torch.Tensor], average: torch.Tensor, *, kind: str) -> IrseEncoder:
    """What the reader makes of a file's encoder."""
    parts = {"decoder.input.input": average, **{f"encoder.{name}": tensor for name, tensor in names.items()}}
    decoder = state_dict_with({"state_dict": parts, "opts": {"encoder_type": kind}}, "input.input")
    assert decoder is not None
    read = with_encoder(CanonicalCheckpoint(SPEC, {"mapping.w_avg": average}), decoder)
    assert read.notices == ()
    tensors = {
        name.removeprefix("encoder."): tensor for name, tensor in read.tensors.items() if name.startswith("encoder.")
    }
    encoder = IrseEncoder(layout_of({name: tuple(tensor.shape) for name, tensor in tensors.items()}), num_ws=8)
    encoder.load_state_dict(tensors)
    return encoder.eval().requires_grad_(False)


def golden_input() -> tuple[torch.Tensor, torch.Tensor, torch.Generator]:
    """Two pictures, an average code, and the generator of random numbers that goes on from there."""
    rng = torch.Generator().manual_seed(6)
    return torch.rand(2, 3, 64, 64, generator=rng) * 2 - 1, torch.randn(24, generator=rng), rng


PYRAMIDS = {
    "GradualStyleEncoder": (
        (1.015523, -2.422014, 2.84441),
        (-0.083934, 0.100307, 0.095646, -0.05688, 0.914669, -0.031702, 0.088343, 0.2672),
        (1.523925, 0.58511, -1.504325, -0.07978, -0.031566, 0.141715, -2.114968, -0.720687),
    ),
    "Encoder4Editing": (
        (1.0385, -2.484804, 3.316051),
        (-0.083934, -0.395944, -0.400605, -0.553131, 0.418418, -0.527953, -0.407908, -0.229051),
        (1.820808, 0.443625, -1.657731, -0.432937, -0.057295, -0.038719, -2.228517, -0.745545),
    ),
}


@pytest.mark.parametrize("kind", PYRAMIDS)
def test_golden_pyramids(kind: str) -> None:
    """forward() of omertov/encoder4editing at 99ea505, models/encoders/psp_encoders.py, plus the average, float32.

    Its class was built as `Cls(50, "ir_se", opts)` and its parts exchanged for the same parts of tiny widths
    (bottleneck_IR_SE, GradualStyleBlock, Conv2d), filled by `filled(encoder_shapes(...), seed=5)`, then eval().
    """
    images, average, _ = golden_input()
    shapes = encoder_shapes(w_dim=24, heads=(2, 2, 2, 3, 3, 3, 3, 4), stages=STAGES, stem=16, reduction=16)
    ws = encoder_of(filled(shapes, seed=5), average, kind=kind)(images)
    expect_golden(ws, *PYRAMIDS[kind])


LOOKS = {
    "BackboneEncoder": (
        (0.981921, -2.361027, 1.845965),
        (0.978544, -0.397519, 0.311825, 0.551471, 0.513981, 0.197739, 0.633519, 1.036833),
        (0.581858, 0.562566, -1.489826, 0.191833, 0.662895, 0.386814, -1.670231, -1.313591),
    ),
    "ProgressiveBackboneEncoder": (
        (1.095406, -2.360085, 1.708987),
        (0.980879, 0.173445, 0.879654, 1.119796, 1.083096, 0.766574, 1.204069, 1.606157),
        (0.375887, 1.252903, -1.112996, 0.783039, 0.851066, 0.216892, -1.957701, -1.946825),
    ),
}


@pytest.mark.parametrize("kind", LOOKS)
def test_golden_five_looks(kind: str) -> None:
    """utils/inference_utils.run_on_batch of yuval-alaluf/restyle-encoder at 5e80276 with its pSp and e4e classes.

    Their encoders were made tiny as above with six channels, their decoder was `draw` below, n_iters_per_batch=5,
    latent_avg eight times the average; the first look sees the average's picture as scripts/inference_iterative.py does.
    """
    images, average, rng = golden_input()
    colours = torch.randn(8, 24, 3, generator=rng) * 0.05
    pattern = torch.linspace(-1, 1, 128)[:, None] * torch.linspace(0.5, 1, 128)

    def draw(ws: torch.Tensor) -> torch.Tensor:
        return torch.tanh(torch.einsum("nrw,rwc->nc", ws, colours))[:, :, None, None] * pattern

    shapes = encoder_shapes(w_dim=24, heads=(2,) * 8, stages=STAGES, stem=16, inputs=6, pyramid=False, reduction=16)
    names = filled(shapes, seed=5)
    small = {name: tensor * 0.2 if ".linear." in name else tensor for name, tensor in names.items()}
    expect_golden(encoder_of(small, average, kind=kind)(images, draw=draw), *LOOKS[kind])


def expect_golden(
    ws: torch.Tensor, statistics: tuple[float, ...], rows: tuple[float, ...], code: tuple[float, ...]
) -> None:
    """Spread, least and most of [2, 8, 24], the fourth number of each row, and the start of one row."""
    assert ws.shape == (2, 8, 24)
    expected = torch.stack([ws.std(), ws.min(), ws.max()])
    torch.testing.assert_close(expected, torch.tensor(statistics), atol=2e-5, rtol=0)
    torch.testing.assert_close(ws[1, :, 3], torch.tensor(rows), atol=2e-5, rtol=0)
    torch.testing.assert_close(ws[0, 5, :8], torch.tensor(code), atol=2e-5, rtol=0)


@pytest.fixture(scope="module")
def small() -> IrseEncoder:
    """An encoder for pictures of 32 px."""
    return encoder_of(filled(encoder_shapes(w_dim=24), seed=1), torch.ones(24), kind="Encoder4Editing")


def test_shape_layout_is_read_from_the_tensors(small: IrseEncoder) -> None:
    assert small.layout == IrseLayout(
        inputs=3,
        stem=8,
        stages=(Stage(8, 1, 2), Stage(12, 1, 3), Stage(16, 2, 4), Stage(24, 1, 6)),
        laterals=2,
        heads=(1, 1, 1, 2, 2, 2, 2, 3),
        w_dim=24,
    )
    assert small.layout.side == 32


def test_shape_one_head_serves_all_rows(rng: torch.Generator) -> None:
    names = filled(encoder_shapes(w_dim=24, heads=(), pyramid=False), seed=2)
    encoder = encoder_of(names, torch.ones(24), kind="WEncoder")
    assert encoder.layout.side == 256
    ws = encoder(torch.rand(2, 3, 64, 64, generator=rng))
    assert ws.shape == (2, 8, 24)
    torch.testing.assert_close(ws, ws[:, :1].expand_as(ws), atol=0, rtol=0)


def test_invariance_larger_pictures_are_averaged(small: IrseEncoder, rng: torch.Generator) -> None:
    images = torch.rand(2, 3, 32, 32, generator=rng) * 2 - 1
    torch.testing.assert_close(small(images.repeat_interleave(4, 2).repeat_interleave(4, 3)), small(images))
    assert small(images[:, :, ::2, ::2]).shape == (2, 8, 24)


def test_invariance_batch_equals_one_by_one(small: IrseEncoder, rng: torch.Generator) -> None:
    images = torch.rand(3, 3, 32, 32, generator=rng) * 2 - 1
    before = images.clone()
    torch.testing.assert_close(small(images)[1:2], small(images[1:2]), atol=1e-5, rtol=0)
    torch.testing.assert_close(images, before, atol=0, rtol=0)


def test_gradient_reaches_the_picture(small: IrseEncoder, rng: torch.Generator) -> None:
    images = torch.rand(1, 3, 32, 32, generator=rng, requires_grad=True)
    small(images).square().sum().backward()
    assert images.grad is not None
    assert float(images.grad.abs().min(dim=1).values.max()) > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": 19}, "19 channels"),
        ({"stages": (Stage(8, 1, 2),) * 2}, "2 widths"),
        ({"stages": (Stage(8, 100, 2),) * 3}, "residual blocks"),
        ({"stages": (Stage(8, 1, 0),) * 4}, "without gates"),
        ({"heads": ()}, "0 heads"),
        ({"heads": (1,) * 65}, "65 heads"),
        ({"heads": (1, 4)}, "does not go together"),
        ({"heads": (0, 0)}, "does not go together"),
        ({"heads": (13, 13)}, "131072 px"),
    ],
)
def test_error_impossible_layouts(change: dict[str, object], words: str) -> None:
    fields = {"inputs": 3, "stem": 8, "stages": (Stage(8, 1, 2),) * 4, "laterals": 2, "heads": (1, 2, 3), "w_dim": 8}
    with pytest.raises(CheckpointError, match=words):
        IrseLayout(**{**fields, **change})  # type: ignore[arg-type]
