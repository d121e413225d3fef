"""The filtered leaky ReLU: tiles against one piece, against its definition, and its gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from emogan_core.networks import filtered
from emogan_core.networks.filtered import FilteredLeakyReLU, Resampling, filtered_leaky_relu

PLANS = {
    "up 2 down 2": Resampling(size_in=23, size_out=21, up=2, down=2, up_taps=12, down_taps=12, before=9),
    "up 4 down 2": Resampling(size_in=15, size_out=26, up=4, down=2, up_taps=24, down_taps=12, before=14),
    "up 2 down 1": Resampling(size_in=11, size_out=22, up=2, down=1, up_taps=10, down_taps=1, before=5),
    "up 1 down 1": Resampling(size_in=9, size_out=7, up=1, down=1, up_taps=1, down_taps=1, before=-1),
    "up 4 down 4": Resampling(size_in=14, size_out=12, up=4, down=4, up_taps=24, down_taps=24, before=19),
}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inputs(
    plan: Resampling, *, axes: int, clamp: float | None, channels: int = 3
) -> tuple[Tensor, Tensor, Tensor, FilteredLeakyReLU]:
    """x, scale, bias and lopsided filters, so that turning one round is felt."""
    up = draw(plan.up_taps, seed=3) / plan.up_taps**0.5 if plan.up > 1 else None
    down = draw(*(plan.down_taps,) * axes, seed=4) / plan.down_taps**0.5 if plan.down > 1 else None
    x = draw(2, channels, plan.size_in, plan.size_in).contiguous(memory_format=torch.channels_last)
    return x, draw(2, channels, seed=1), draw(channels, seed=2), FilteredLeakyReLU(plan, up, down, clamp)


def by_definition(x: Tensor, scale: Tensor, bias: Tensor, settings: FilteredLeakyReLU) -> Tensor:
    """Zeros in between, padding, both filters as true convolutions on single planes, thinning."""
    plan, up, down, clamp = settings.plan, settings.up_filter, settings.down_filter, settings.clamp
    x = x * scale[:, :, None, None] + bias[:, None, None]
    n, channels, side, _ = x.shape
    zeros = x.new_zeros(n * channels, 1, side, plan.up, side, plan.up)
    zeros[:, :, :, 0, :, 0] = x.reshape(n * channels, 1, side, side)
    needed = (plan.size_out - 1) * plan.down + plan.down_taps + plan.up_taps - 1
    after = needed - plan.before - side * plan.up
    x = F.pad(zeros.flatten(2, 3).flatten(3), (plan.before, after) * 2)
    up = torch.ones(1, dtype=x.dtype) if up is None else up
    down = torch.ones(1, dtype=x.dtype) if down is None else down
    x = F.conv2d(x, torch.outer(up, up).flip(0, 1)[None, None]) * plan.up**2
    x = F.leaky_relu(x, 0.2) * 2**0.5
    x = x if clamp is None else x.clamp(-clamp, clamp)
    kernel = down if down.ndim == 2 else torch.outer(down, down)
    return F.conv2d(x, kernel.flip(0, 1)[None, None], stride=plan.down).view(n, channels, plan.size_out, plan.size_out)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("name", list(PLANS))
@pytest.mark.parametrize("clamp", [None, 0.5])
def test_golden_equals_its_definition(name: str, axes: int, clamp: float | None) -> None:
    plan = PLANS[name]
    given = inputs(plan, axes=axes, clamp=clamp)
    torch.testing.assert_close(filtered_leaky_relu(*given), by_definition(*given), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("name", list(PLANS))
@pytest.mark.parametrize("axes", [1, 2])
def test_invariance_tiles_do_not_show(name: str, axes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = PLANS[name]
    given = inputs(plan, axes=axes, clamp=1.0, channels=40)
    whole = filtered_leaky_relu(*given)
    monkeypatch.setitem(filtered.TILE_NUMBERS, "cpu", 1 << 9)
    monkeypatch.setattr(filtered, "TILE_CHANNELS", 16)
    torch.testing.assert_close(filtered_leaky_relu(*given), whole, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("budget", [1 << 9, 1 << 20])
def test_gradient_agrees_with_differences(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(filtered.TILE_NUMBERS, "cpu", budget)
    x, scale, bias, settings = inputs(PLANS["up 2 down 2"], axes=1, clamp=2.0, channels=1)
    for tensor in (x, scale, bias):
        tensor.requires_grad_(True)

    def drawn(x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        return filtered_leaky_relu(x, scale, bias, settings)[:, :, ::3, ::3]

    assert torch.autograd.gradcheck(drawn, (x, scale, bias), fast_mode=True)


def test_gradient_agrees_with_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(filtered.TILE_NUMBERS, "cpu", 1 << 9)
    x, scale, bias, settings = inputs(PLANS["up 4 down 2"], axes=2, clamp=1.0)
    found = []
    for function in (by_definition, filtered_leaky_relu):
        for tensor in (x, scale, bias):
            tensor.requires_grad_(True).grad = None
        function(x, scale, bias, settings).square().sum().backward()
        found.append([tensor.grad for tensor in (x, scale, bias)])
    torch.testing.assert_close(found[1], found[0], atol=1e-9, rtol=1e-9)
