"""StyleGAN1 against numbers of its published twin, and its invariances."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from tiny import normal

from emogan_core.inversion import OptimiseConfig, invert_images
from emogan_core.networks import Generator, GeneratorSpec, build_generator, tensors_of
from emogan_core.networks.layers import initialise
from emogan_core.networks.stylegan1 import CHEAP_SIDE, adain, adain_in_place, blur, upsampled_conv

GOLDEN = GeneratorSpec(
    resolution=128, w_dim=16, z_dim=16, channels=(16, 16, 16, 8, 8, 4), mapping_layers=2, architecture="stylegan1"
)


def random_stylegan1(spec: GeneratorSpec = GOLDEN) -> Generator:
    """Every tensor differs from its start."""
    generator = Generator(spec, fingerprint="golden")
    rng = torch.Generator().manual_seed(7)
    initialise(generator, rng)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith(("noise_strength", "bias")):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
        generator.mapping.w_avg.normal_(generator=rng)
    return generator.requires_grad_(False)


@pytest.fixture(scope="module")
def golden() -> Generator:
    return random_stylegan1()


def test_golden_synthesis_matches_the_twin(golden: Generator) -> None:
    """Expected: genforce (197feee), models.stylegan_generator.StyleGANGenerator(128, z_space_dim=16, w_space_dim=16,
    mapping_layers=2, mapping_fmaps=16) with these widths and these very weights under its names
    (tests/support/stylegan1_names.py), on the CPU; largest difference seen 3e-5 of a range of 53.
    """
    images = golden.synthesis(normal(2, 12, 16, seed=4))
    assert images.shape == (2, 3, 128, 128)
    torch.testing.assert_close(images[1, :, 5, 9], torch.tensor([-0.96054, -1.89782, 0.70945]), atol=1e-4, rtol=0)
    torch.testing.assert_close(images[0, :, 127, 0], torch.tensor([-6.81545, 7.39111, -2.8119]), atol=1e-4, rtol=0)
    assert images.std() == pytest.approx(2.65198, abs=5e-5)


def test_golden_truncated_sample_matches_the_twin(golden: Generator) -> None:
    """As above, trunc_psi=0.7 and trunc_layers=12, that is all of them."""
    images = golden.synthesis(golden.mapping(normal(2, 16, seed=3), psi=0.7))
    torch.testing.assert_close(images[0, :, 64, 64], torch.tensor([-1.45598, 1.2163, 0.05276]), atol=1e-4, rtol=0)
    assert images.std() == pytest.approx(1.39272, abs=5e-5)


def test_shape_names_and_rows(golden: Generator) -> None:
    assert golden.spec.num_ws == 12
    names = set(tensors_of(golden))
    assert {"synthesis.b4.const", "synthesis.b4.conv0.affine.weight", "synthesis.b128.torgb.weight"} <= names
    assert not {"synthesis.b4.conv0.weight", "synthesis.b64.torgb.weight"} & names


def test_invariance_doubling_is_repeating_and_convolving() -> None:
    weight = normal(4, 3, 3, 3, seed=2)
    for side in (CHEAP_SIDE - 1, CHEAP_SIDE):  # computed in different ways
        x = normal(2, 3, side, side, seed=1)
        long_way = F.conv2d(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3), weight, padding=1)
        torch.testing.assert_close(upsampled_conv(x, weight), long_way, atol=2e-5, rtol=0)


def test_invariance_blur_keeps_a_flat_field_and_loses_at_borders() -> None:
    flat = blur(torch.full((1, 2, 6, 6), 16.0))
    torch.testing.assert_close(flat[..., 1:-1, 1:-1], torch.full((1, 2, 4, 4), 16.0))
    assert flat[0, 0, 0, 0] == 9
    assert flat[0, 0, 0, 3] == 12


def test_invariance_contrast_of_a_layer_is_the_styles(golden: Generator) -> None:
    """Instance normalisation: whatever enters, mean and deviation that leave are shift and scale of the style."""
    layer, w = golden.synthesis.b8.conv1, normal(2, 16, seed=6)
    out = layer(normal(2, 16, 8, 8, seed=5) * 40 + 3, w)
    scale, shift = layer.affine(w).chunk(2, dim=1)
    torch.testing.assert_close(out.mean(dim=(2, 3)), shift, atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(dim=(2, 3), correction=0), (scale + 1).abs(), atol=1e-5, rtol=0)


def test_invariance_drawing_leaves_the_weights_alone(golden: Generator) -> None:
    """Layers work in place where no gradients are wanted."""
    before = {name: tensor.clone() for name, tensor in golden.state_dict().items()}
    ws = normal(2, 12, 16, seed=9)
    kept = ws.clone()
    golden.synthesis(ws)
    assert torch.equal(ws, kept)
    assert all(torch.equal(tensor, before[name]) for name, tensor in golden.state_dict().items())


def test_invariance_gradients_do_not_change_the_picture(golden: Generator) -> None:
    ws = normal(2, 12, 16, seed=9)
    plain, followed = golden.synthesis(ws), golden.synthesis(ws.clone().requires_grad_(True))
    with torch.inference_mode():
        inside = golden.synthesis(ws.clone())
    torch.testing.assert_close(followed.detach(), plain, atol=2e-4, rtol=0)
    assert torch.equal(inside.clone(), plain)


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (2, 5, 6, 10), (2, 16, 32, 32), (1, 2, 64, 64), (1, 2048, 4, 4)])
def test_invariance_adain_in_place(shape: tuple[int, ...]) -> None:
    """Channels that hardly differ from a large mean are the hard ones; torch's own for channels-last missed by 1e-3."""
    x = normal(*shape, seed=1) * 0.1 + 5
    scale, shift = normal(*shape[:2], seed=2), normal(*shape[:2], seed=3)
    exact = x.double() - x.double().mean(dim=(2, 3), keepdim=True)
    exact = exact * (exact.square().mean(dim=(2, 3), keepdim=True) + 1e-3).rsqrt()
    exact = exact * scale.double()[:, :, None, None] + shift.double()[:, :, None, None]
    for how in (adain, adain_in_place):
        found = how(x.clone(), scale, shift, epsilon=1e-3)
        torch.testing.assert_close(found.double(), exact, atol=3e-5, rtol=0)


def test_invariance_batch_rows_do_not_meet(golden: Generator) -> None:
    ws = normal(3, 12, 16, seed=9)
    torch.testing.assert_close(golden.synthesis(ws)[1:2], golden.synthesis(ws[1:2]), atol=2e-4, rtol=0)


def test_invariance_each_row_of_ws_is_felt(golden: Generator) -> None:
    ws = normal(1, 12, 16, seed=2)
    base = golden.synthesis(ws)
    for row in range(12):
        changed = ws.clone()
        changed[:, row] += 0.5
        assert (golden.synthesis(changed) - base).abs().max() > 1e-3, row


def test_invariance_noise_maps_are_constant_and_show(golden: Generator) -> None:
    ws = normal(1, 12, 16, seed=2)
    torch.testing.assert_close(golden.synthesis(ws), golden.synthesis(ws), atol=0, rtol=0)
    without = copy.deepcopy(golden)
    with torch.no_grad():
        for name, tensor in without.named_buffers():
            if name.endswith("noise_const"):
                tensor.zero_()
    assert (golden.synthesis(ws) - without.synthesis(ws)).abs().max() > 1e-3


def test_gradient_reaches_the_codes(golden: Generator) -> None:
    ws = normal(1, 12, 16, seed=2).requires_grad_(True)
    golden.synthesis(ws).square().mean().backward()
    assert ws.grad is not None
    assert (ws.grad.abs().amax(dim=2) > 0).all()


def test_golden_optimising_recovers_own_samples() -> None:
    small = random_stylegan1(
        GeneratorSpec(
            resolution=16, w_dim=16, z_dim=16, channels=(16, 16, 8), mapping_layers=2, architecture="stylegan1"
        )
    )
    tensors = {name: tensor for name, tensor in tensors_of(small).items() if name != "statistics.w_std"}
    tensors["synthesis.b16.torgb.weight"] = tensors["synthesis.b16.torgb.weight"] * 0.3
    generator = build_generator(small.spec, tensors)
    images = generator.synthesis(generator.mapping(normal(2, 16, seed=11), psi=0.8)).clamp(-1, 1)
    early = invert_images(generator, images, method="optimise", config=OptimiseConfig(steps=1)).metrics["psnr_db"]
    late = invert_images(generator, images, method="optimise", config=OptimiseConfig(steps=80)).metrics["psnr_db"]
    assert all(after > before + 3 for before, after in zip(early, late, strict=True)), (early, late)
