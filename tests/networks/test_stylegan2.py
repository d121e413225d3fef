"""StyleGAN2 against numbers of the published reference, and its invariances."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import normal
from torch.utils._python_dispatch import TorchDispatchMode

from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.discriminator import Discriminator
from emogan_core.networks.layers import fir, initialise, upsample

GOLDEN = GeneratorSpec(resolution=32, w_dim=16, z_dim=16, channels=(32, 32, 16, 8), mapping_layers=2)


def seeded(spec: GeneratorSpec) -> Generator:
    """A generator whose every tensor is random, the same wherever it is made."""
    generator = Generator(spec, fingerprint="golden")
    rng = torch.Generator().manual_seed(7)
    initialise(generator, rng)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.1)
            if name.endswith("bias"):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
        generator.mapping.w_avg.normal_(generator=rng)
    return generator.requires_grad_(False)


@pytest.fixture(scope="module")
def golden() -> Generator:
    return seeded(GOLDEN)


def test_golden_synthesis_matches_the_reference(golden: Generator) -> None:
    """Expected: stylegan2-ada-pytorch (d72cc7d), networks.Generator on the CPU with these very weights loaded,
    channel_base=256, channel_max=32, mapping num_layers=2, noise_mode='const'; largest difference seen 7e-6.
    """
    images = golden.synthesis(normal(2, 8, 16, seed=4))
    assert images.shape == (2, 3, 32, 32)
    torch.testing.assert_close(images[1, :, 5, 9], torch.tensor([-0.84035, 1.62512, 1.48926]), atol=3e-5, rtol=0)
    torch.testing.assert_close(images[0, :, 31, 0], torch.tensor([0.30101, -0.03942, 0.10461]), atol=3e-5, rtol=0)
    assert images.std() == pytest.approx(1.94146, abs=2e-5)


def test_golden_truncated_sample_matches_the_reference(golden: Generator) -> None:
    """As above, G(z, None, truncation_psi=0.7, noise_mode='const')."""
    images = golden.synthesis(golden.mapping(normal(2, 16, seed=3), psi=0.7))
    torch.testing.assert_close(images[0, :, 16, 16], torch.tensor([0.86157, -0.96681, -2.45414]), atol=3e-5, rtol=0)
    assert images.std() == pytest.approx(0.9616, abs=2e-5)


@pytest.mark.parametrize(
    ("change", "one", "other", "spread"),
    [
        (
            {"architecture": "stylegan2-resnet"},
            [0.61878, 0.32034, -0.09928],
            [0.12885, 0.14916, 0.55483],
            0.61928,
        ),
        (
            {"architecture": "stylegan2-resnet", "conv_clamp": 0.7},
            [0.07377, -0.04238, 0.65303],
            [0.1266, 0.13371, 0.52488],
            0.27736,
        ),
        (
            {"architecture": "stylegan2-orig", "mapping_layers": 8},
            [3.11839, 0.16439, -5.17318],
            [-0.00411, -0.06196, -0.17888],
            1.86031,
        ),
        (
            {"architecture": "stylegan2-orig", "conv_clamp": 0.7},
            [-0.08503, -0.09199, 0.06061],
            [0.20218, -0.00586, -0.21925],
            0.35532,
        ),
    ],
)
def test_golden_other_architectures_match_the_reference(
    change: dict[str, Any], one: list[float], other: list[float], spread: float
) -> None:
    """As above, with synthesis_kwargs architecture='resnet' or 'orig' and conv_clamp; largest difference seen 5e-6."""
    images = seeded(replace(GOLDEN, **change)).synthesis(normal(2, 8, 16, seed=4))
    torch.testing.assert_close(images[1, :, 5, 9], torch.tensor(one), atol=3e-5, rtol=0)
    torch.testing.assert_close(images[0, :, 31, 0], torch.tensor(other), atol=3e-5, rtol=0)
    assert images.std() == pytest.approx(spread, abs=2e-5)


def test_golden_discriminator_matches_the_reference() -> None:
    """As above, networks.Discriminator(c_dim=0, 32, 3, channel_base=256, channel_max=32, mbstd_group_size=4)."""
    discriminator = Discriminator(32, GOLDEN.channels)
    rng = torch.Generator().manual_seed(8)
    initialise(discriminator, rng)
    with torch.no_grad():
        for name, parameter in discriminator.named_parameters():
            if name.endswith("bias"):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
        logits = discriminator(normal(4, 3, 32, 32, seed=5)).flatten()
    torch.testing.assert_close(logits, torch.tensor([-0.43829, -0.34372, -0.2754, -0.28455]), atol=2e-5, rtol=0)


def test_shape_num_ws_follows_the_resolution() -> None:
    for resolution, blocks in ((8, 2), (64, 5), (1024, 9)):
        spec = GeneratorSpec(resolution=resolution, w_dim=4, z_dim=4, channels=(4,) * blocks, mapping_layers=1)
        assert spec.num_ws == 2 * blocks


def test_invariance_batch_rows_do_not_meet(golden: Generator) -> None:
    ws = normal(3, 8, 16, seed=9)
    together = golden.synthesis(ws)
    alone = golden.synthesis(ws[1:2])
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=0)


def test_invariance_psi_zero_is_the_average(golden: Generator) -> None:
    ws = golden.mapping(normal(2, 16, seed=1), psi=0.0)
    torch.testing.assert_close(ws[0, 3], golden.w_avg)


def test_invariance_each_row_of_ws_is_felt(golden: Generator) -> None:
    ws = normal(1, 8, 16, seed=2)
    base = golden.synthesis(ws)
    for row in range(8):
        changed = ws.clone()
        changed[:, row] += 0.5
        assert (golden.synthesis(changed) - base).abs().max() > 1e-3, row


def test_invariance_noise_maps_are_constant_and_show(golden: Generator) -> None:
    ws = normal(1, 8, 16, seed=2)
    torch.testing.assert_close(golden.synthesis(ws), golden.synthesis(ws))
    without = copy.deepcopy(golden)
    with torch.no_grad():
        for name, tensor in without.named_buffers():
            if name.endswith("noise_const"):
                tensor.zero_()
    assert (golden.synthesis(ws) - without.synthesis(ws)).abs().max() > 1e-3


def test_invariance_filters_keep_a_flat_field() -> None:
    flat = torch.full((1, 2, 8, 8), 3.0)
    torch.testing.assert_close(upsample(flat)[..., 2:-2, 2:-2], torch.full((1, 2, 12, 12), 3.0))
    torch.testing.assert_close(fir(flat, gain=1.0, pad=2)[..., 2:-2, 2:-2], torch.full((1, 2, 5, 5), 3.0))


def test_gradient_reaches_the_codes(golden: Generator) -> None:
    ws = normal(1, 8, 16, seed=2).requires_grad_(True)
    golden.synthesis(ws).square().mean().backward()
    assert ws.grad is not None
    assert (ws.grad.abs().amax(dim=2) > 0).all()


class NothingFromTheHost(TorchDispatchMode):
    """Refuses every operation with a tensor elsewhere than on the "meta" device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        parts = [part for part in (*args, out) if isinstance(part, torch.Tensor)]
        assert all(part.device.type == "meta" for part in parts), func
        return out


def test_invariance_a_device_needs_nothing_from_the_host(golden: Generator) -> None:
    """What a CUDA graph's capture asks for, on PyTorch's device without numbers."""
    network = copy.deepcopy(golden).synthesis.to("meta")
    with torch.inference_mode(), NothingFromTheHost():
        assert network(torch.empty(2, GOLDEN.num_ws, 16, device="meta")).shape == (2, 3, 32, 32)


def test_invariance_drawing_with_gradients_can_be_traced_whole(golden: Generator) -> None:
    """As torch.compile does before it makes kernels, which would take a compiler here."""
    network, ws = golden.synthesis, normal(2, 8, 16, seed=4).requires_grad_(True)
    traced = torch.compile(network, backend="eager", fullgraph=True, dynamic=False)
    torch.testing.assert_close(traced(ws), network(ws))
