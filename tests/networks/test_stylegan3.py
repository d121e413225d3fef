"""StyleGAN3 against numbers of the published reference, its layout, and its invariances."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from alias_free import TINY_R, TINY_T, make_alias_free
from tiny import normal

from emogan_core.errors import CheckpointError, ShapeError
from emogan_core.networks import Generator, GeneratorSpec, build_generator, tensors_of
from emogan_core.networks.spec import AliasFree, spec_from_json
from emogan_core.networks.stylegan3 import frequency_bands

TURNED = torch.tensor([[0.8, 0.5, 0.2], [-0.4, 1.3, -0.1], [0.0, 0.0, 1.0]])
GOLDEN = {
    "tiny-t": {
        "W+": (0.434533, [0.93656, 0.41498, 1.21093]),
        "z": (0.130246, [-0.16321, 0.11123, 0.08845]),
        "transform": (0.442813, [0.17278, -0.26189, 0.02433]),
    },
    "tiny-r": {
        "W+": (0.241069, [0.03409, -0.07982, -0.06558]),
        "z": (0.036078, [-0.05238, 0.00918, -0.04489]),
        "transform": (0.18003, [-0.16054, 0.50842, -0.00897]),
    },
}


@pytest.fixture(scope="module", params=[TINY_T, TINY_R], ids=lambda spec: spec.name)
def golden(request: pytest.FixtureRequest) -> Generator:
    return make_alias_free(request.param)


def test_golden_pictures_match_the_reference(golden: Generator) -> None:
    """Expected: stylegan3 (c233a91), networks_stylegan3.Generator on the CPU with these very weights loaded,
    channel_base=256, channel_max=12, num_layers=6, margin_size=4, mapping num_layers=2, and for R conv_kernel=1 and
    use_radial_filters=True: of two pictures the standard deviation, and one pixel of the second (W+), of the first
    (z at truncation_psi=0.7; W+ with another synthesis.input.transform). Largest difference seen 2.2e-6.
    """
    expected = GOLDEN[golden.spec.name]
    ws = normal(2, 8, 16, seed=4)
    seen = {
        "W+": (golden.synthesis(ws), (1, 5, 9)),
        "z": (golden.synthesis(golden.mapping(normal(2, 16, seed=3), psi=0.7)), (0, 16, 16)),
        "transform": (golden.synthesis(ws, transform=TURNED), (0, 16, 16)),
    }
    for name, (images, (number, y, x)) in seen.items():
        assert images.shape == (2, 3, 32, 32)
        assert images.std() == pytest.approx(expected[name][0], abs=1e-5), name
        torch.testing.assert_close(images[number, :, y, x], torch.tensor(expected[name][1]), atol=2e-5, rtol=0)


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (
            GeneratorSpec(
                resolution=1024,
                w_dim=512,
                z_dim=512,
                channels=(512,) * 14,
                mapping_layers=2,
                architecture="stylegan3",
                alias_free=AliasFree(),
            ),
            [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024, 1024],
        ),
        (TINY_T, [24, 24, 40, 40, 40, 32, 32]),
    ],
)
def test_golden_sides_are_those_of_published_names(spec: GeneratorSpec, names: list[int]) -> None:
    """Expected: the names of layers, L{i}_{side}_{channels}, in stylegan3's networks at 1024 and at 32 px."""
    assert [band.side for band in frequency_bands(spec)] == names


def test_shape_specs_round_trip(golden: Generator) -> None:
    assert spec_from_json(golden.spec.to_json()) == golden.spec
    assert golden.spec.num_ws == 8
    assert golden.spec.resolutions == ()
    again = build_generator(golden.spec, tensors_of(golden))
    assert again.fingerprint == golden.fingerprint
    other = build_generator(replace(golden.spec, name="other", crop="tight"), tensors_of(golden))
    assert other.fingerprint == golden.fingerprint


def test_invariance_layouts_are_felt_by_the_fingerprint() -> None:
    left, right = make_alias_free(TINY_T), make_alias_free(TINY_R)
    assert left.fingerprint != right.fingerprint
    louder = replace(TINY_T, alias_free=replace(TINY_T.alias_free or AliasFree(), output_scale=0.5))
    assert build_generator(louder, tensors_of(left)).fingerprint != left.fingerprint


def test_invariance_batch_rows_do_not_meet(golden: Generator) -> None:
    ws = normal(3, 8, 16, seed=9)
    ws[0] *= 30
    torch.testing.assert_close(golden.synthesis(ws)[1:2], golden.synthesis(ws[1:2]), atol=1e-5, rtol=0)


def test_invariance_each_row_of_ws_is_felt(golden: Generator) -> None:
    ws = normal(1, 8, 16, seed=2)
    base = golden.synthesis(ws)
    for row in range(8):
        changed = ws.clone()
        changed[:, row] += 0.5
        assert (golden.synthesis(changed) - base).abs().max() > 1e-4, row


def test_invariance_codes_stay_unchanged_and_pictures_repeat(golden: Generator) -> None:
    ws = normal(2, 8, 16, seed=2)
    kept = ws.clone()
    first = golden.synthesis(ws)
    torch.testing.assert_close(golden.synthesis(ws), first, atol=0, rtol=0)
    torch.testing.assert_close(ws, kept, atol=0, rtol=0)


def test_invariance_a_shift_moves_the_picture(golden: Generator) -> None:
    """Configurations T and R follow a shift exactly but for the border; a quarter of the picture is eight pixels."""
    ws = normal(1, 8, 16, seed=2)
    stored = golden.synthesis.get_submodule("input").transform
    shift = torch.eye(3)
    shift[0, 2] = 0.25
    moved = golden.synthesis(ws, transform=stored @ shift)
    unmoved = golden.synthesis(ws)
    middle, error = unmoved[..., 8:-8, 12:24], (moved[..., 8:-8, 4:16] - unmoved[..., 8:-8, 12:24])
    assert error.std() < 0.1 * middle.std()


def test_invariance_each_picture_may_have_its_transform(golden: Generator) -> None:
    ws = normal(2, 8, 16, seed=2)
    both = golden.synthesis(ws, transform=torch.stack([torch.eye(3), TURNED]))
    torch.testing.assert_close(both[:1], golden.synthesis(ws[:1], transform=torch.eye(3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(both[1:], golden.synthesis(ws[1:], transform=TURNED), atol=1e-5, rtol=0)


def test_gradient_reaches_codes_and_weights(golden: Generator) -> None:
    ws = normal(1, 8, 16, seed=2).requires_grad_(True)
    weight = golden.synthesis.get_submodule("L2").weight.requires_grad_(True)
    try:
        images = golden.synthesis(ws)
        torch.testing.assert_close(images, golden.synthesis(ws.detach()), atol=1e-5, rtol=0)
        images.square().mean().backward()
        assert ws.grad is not None
        assert weight.grad is not None
        assert (ws.grad.abs().amax(dim=2) > 0).all()
        assert weight.grad.abs().max() > 0
    finally:
        weight.requires_grad_(False).grad = None


def test_gradient_agrees_with_differences(golden: Generator) -> None:
    ws = normal(1, 8, 16, seed=2)
    step, weights = normal(1, 8, 16, seed=5), normal(1, 3, 32, 32, seed=6)
    network = make_alias_free(golden.spec).double().synthesis
    ws, step, weights = ws.double().requires_grad_(True), step.double(), weights.double()
    (network(ws) * weights).sum().backward()
    assert ws.grad is not None
    with torch.no_grad():
        change = ((network(ws + 1e-8 * step) - network(ws - 1e-8 * step)) * weights).sum() / 2e-8
    assert float((ws.grad * step).sum()) == pytest.approx(float(change), rel=1e-5)


@pytest.mark.parametrize(
    "changed",
    [
        {"num_critical": 0},
        {"num_critical": 6},
        {"first_cutoff": 16.0, "first_stopband": 17.0},
        {"first_cutoff": 0.01, "first_stopband": 0.5},
    ],
)
def test_error_layouts_that_cannot_draw(changed: dict[str, float]) -> None:
    spec = replace(TINY_T, alias_free=replace(TINY_T.alias_free or AliasFree(), **changed))  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="cannot draw 32 px"):
        build_generator(spec, {})


@pytest.mark.parametrize(
    "changed", [{"num_layers": 60}, {"first_cutoff": math.nan}, {"filter_size": 99}, {"conv_kernel": 5}]
)
def test_error_layouts_out_of_bounds(changed: dict[str, float]) -> None:
    with pytest.raises(CheckpointError, match="cannot be laid out"):
        replace(TINY_T.alias_free or AliasFree(), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed", [{"lrelu_upsampling": 2.0}, {"num_critical": 2.5}, {"margin_size": "4"}, {"use_radial_filters": 1}]
)
def test_error_layouts_of_other_types(changed: dict[str, object]) -> None:
    """As a damaged file of ours declares them; numbers of another type would fail only deep inside a drawing."""
    declared = json.loads(TINY_T.to_json())
    declared["alias_free"] |= changed
    with pytest.raises(CheckpointError, match=f"the {next(iter(changed))} of a StyleGAN3 came as"):
        spec_from_json(json.dumps(declared))


def test_error_transforms_of_another_shape(golden: Generator) -> None:
    with pytest.raises(ShapeError, match="needed"):
        golden.synthesis(normal(2, 8, 16, seed=2), transform=torch.eye(2))
