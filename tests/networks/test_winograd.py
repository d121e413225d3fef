"""Convolution by tiles against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tiny import normal

from emogan_core.networks import Generator, GeneratorSpec, winograd
from emogan_core.networks.layers import initialise


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (3, 5, 8, 12), (2, 130, 16, 4), (1, 4, 72, 64)])
@pytest.mark.parametrize("outputs", [1, 6, 130])
@pytest.mark.parametrize("kept", [False, True])
def test_invariance_tiles_convolve_like_pytorch(shape: tuple[int, ...], outputs: int, kept: bool) -> None:
    x, weight, bias = normal(*shape), normal(outputs, shape[1], 3, 3, seed=1) / shape[1] ** 0.5, normal(outputs, seed=2)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), padding=1).float()
    out = torch.empty(expected.shape, memory_format=torch.channels_last)
    parts = list(winograd.kernels(weight)) if kept else None
    padded = F.pad(x, (1, 1, 1, 1)).contiguous(memory_format=torch.channels_last)
    winograd.convolve(padded, weight, bias=bias, parts=parts, out=out)
    torch.testing.assert_close(out, expected, atol=3e-5, rtol=0)


def test_golden_transforms_are_exact_for_whole_numbers() -> None:
    """Expected: by hand, [1, 2, 3] over 1, 2, 3, ... is 14, 20, 26, ...: 1 a + 2 (a + 1) + 3 (a + 2)."""
    kernel, inputs, outputs = (part.double() for part in winograd.transforms())
    line = torch.arange(1.0, 7, dtype=torch.float64)
    taps = torch.tensor([1.0, 2, 3], dtype=torch.float64)
    seen = inputs @ torch.outer(line, line).flatten()
    drawn = outputs @ (seen * (kernel @ torch.outer(taps, taps).flatten()))
    sums = torch.tensor([14.0, 20, 26, 32], dtype=torch.float64)
    torch.testing.assert_close(drawn.view(4, 4), torch.outer(sums, sums), rtol=1e-5, atol=0)


def test_invariance_wide_networks_draw_alike_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = GeneratorSpec(resolution=64, w_dim=8, z_dim=8, channels=(128, 128, 128, 128, 128), mapping_layers=1)
    generator = Generator(spec, fingerprint="")
    initialise(generator, torch.Generator().manual_seed(0))
    ws = normal(2, spec.num_ws, 8)
    with torch.no_grad():
        tiled = generator.synthesis(ws)
        monkeypatch.setattr(winograd, "LEAST_CHANNELS", 1 << 20)
        plain = generator.synthesis(ws)
    assert not torch.equal(tiled, plain)
    torch.testing.assert_close(tiled, plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.bfloat16, 0.5)])
def test_invariance_other_precisions_are_not_tiled(dtype: torch.dtype, tolerance: float) -> None:
    spec = GeneratorSpec(resolution=32, w_dim=8, z_dim=8, channels=(128, 128, 128, 128), mapping_layers=1)
    generator = Generator(spec, fingerprint="")
    initialise(generator, torch.Generator().manual_seed(0))
    generator.requires_grad_(False).to(dtype)
    ws = normal(2, spec.num_ws, 8).to(dtype)
    whole = generator.synthesis(ws.clone().requires_grad_(True)).detach()
    with torch.no_grad():
        torch.testing.assert_close(generator.synthesis(ws), whole, atol=tolerance, rtol=0)


def test_shape_only_what_pays_is_tiled() -> None:
    wide, narrow = normal(128, 128, 3, 3), normal(128, 64, 3, 3)
    assert winograd.pays(wide, normal(1, 128, 32, 32))
    assert not winograd.pays(narrow, normal(1, 128, 32, 32))
    assert not winograd.pays(wide, normal(1, 128, 30, 36))
    assert not winograd.pays(wide, normal(1, 128, 8, 8))
    assert not winograd.pays(wide.double(), normal(1, 128, 32, 32).double())
