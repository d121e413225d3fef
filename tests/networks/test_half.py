"""Blocks drawn in float16 against the same blocks in float32, on the CPU, whose float16 is slow but the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.layers import ModulatedConv, initialise

ARCHITECTURES = ("stylegan2", "stylegan2-resnet", "stylegan2-orig")
GOLDEN = GeneratorSpec(resolution=32, w_dim=16, z_dim=16, channels=(32, 32, 16, 8), mapping_layers=2)


def make(architecture: str = "stylegan2", *, scale: float = 1.0, clamp: float | None = None) -> Generator:
    generator = Generator(replace(GOLDEN, architecture=architecture, conv_clamp=clamp), fingerprint="")
    rng = torch.Generator().manual_seed(7)
    initialise(generator, rng)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith(("bias", "noise_strength")):
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.1)
        for parameter in generator.synthesis.parameters():
            parameter.mul_(scale)
    return generator.requires_grad_(False).eval()


def codes(count: int = 2) -> torch.Tensor:
    return torch.randn(count, GOLDEN.num_ws, GOLDEN.w_dim, generator=torch.Generator().manual_seed(4))


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    """Root mean square, in standard deviations."""
    return float((one - other).square().mean().sqrt() / other.std())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("clamp", [None, 0.7, 1000.0])
@pytest.mark.parametrize("half_from", [4, 16])
def test_invariance_half_draws_the_same_picture(architecture: str, clamp: float | None, half_from: int) -> None:
    network, ws = make(architecture, clamp=clamp).synthesis, codes()
    images = network(ws, half_from=half_from)
    assert images.dtype == torch.float32
    assert 0 < error(images, network(ws)) < 2e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_invariance_half_stays_finite_at_any_scale(architecture: str, scale: float) -> None:
    network, ws = make(architecture, scale=scale).synthesis, codes()
    for length in (1e-3, 1.0, 1e3):
        for given in (ws * length, (ws * length).requires_grad_(True)):
            assert network(given, half_from=4).isfinite().all()


def test_invariance_half_is_exact_about_the_scale_of_a_kernel() -> None:
    """Demodulation cancels a power of two up to its own 1e-8, so the very same float16 numbers are multiplied."""
    network, ws = make().synthesis, codes()
    before = network(ws, half_from=4)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("conv0.weight", "conv1.weight")):
                parameter.mul_(1024.0)
    assert error(network(ws, half_from=4), before) < 1e-3


@pytest.mark.parametrize("up", [False, True])
def test_invariance_half_bears_a_wide_layer_at_its_bound(up: bool) -> None:
    """All activations at the limit and every product of one sign: the largest sums that can be."""
    layer = ModulatedConv(1024, 8, 4, resolution=8, up=up)
    with torch.no_grad():
        layer.weight.fill_(50.0)
        layer.affine.bias.fill_(1e4)
    x, w = torch.full((1, 1024, 4 if up else 8, 4 if up else 8), 256.0), torch.zeros(1, 4)
    drawn = layer(x.half(), w)
    assert drawn.dtype == torch.float16
    torch.testing.assert_close(drawn.float(), layer(x, w), rtol=3e-3, atol=0)
    assert drawn.max() > 2e4


def test_invariance_off_is_off() -> None:
    network, ws = make().synthesis, codes()
    assert torch.equal(network(ws, half_from=64), network(ws.clone().requires_grad_(True)))
    assert torch.equal(network(ws), network(ws, half_from=None))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradient_passes_the_half_blocks(architecture: str) -> None:
    network, ws = make(architecture).synthesis, codes()
    gradients = []
    for half_from in (None, 4):
        given = ws.clone().requires_grad_(True)
        network(given, half_from=half_from).square().mean().backward()
        assert given.grad is not None
        gradients.append(given.grad)
    assert error(gradients[1], gradients[0]) < 1e-2


class NothingFromTheHost(TorchDispatchMode):
    """Refuses every operation with a tensor elsewhere than on the "meta" device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        parts = [part for part in (*args, out) if isinstance(part, torch.Tensor)]
        assert all(part.device.type == "meta" for part in parts), func
        return out


@pytest.mark.parametrize("half_from", [None, 8])
def test_invariance_a_device_needs_nothing_from_the_host(half_from: int | None) -> None:
    """What a CUDA graph's capture asks for, on PyTorch's device without numbers."""
    network = make().synthesis.to("meta")
    with torch.inference_mode(), NothingFromTheHost():
        assert network(torch.empty(2, GOLDEN.num_ws, 16, device="meta"), half_from=half_from).shape == (2, 3, 32, 32)


def test_invariance_half_can_be_traced_whole() -> None:
    """As torch.compile does before it makes kernels, which would take a compiler here."""
    network, ws = make().synthesis, codes()
    traced = torch.compile(network, backend="eager", fullgraph=True, dynamic=False)
    with torch.no_grad():
        torch.testing.assert_close(traced(ws, half_from=8), network(ws, half_from=8))
