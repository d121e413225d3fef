"""The modulated convolution's own gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from emogan_core.networks.modulated import modulated


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("kernel", [1, 3])
def test_gradient_is_that_of_the_plain_form(kernel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emogan_core.networks.modulated.ROWS_AT_ONCE", 4)
    given = (draw(2, 3, 6, 6, seed=0), draw(2, 3, seed=1), draw(4, 3, kernel, kernel, seed=2))
    for tensor in given:
        tensor.requires_grad_(True)
    x, style, weight = given
    plain = F.conv2d(x * style[:, :, None, None], weight, padding=kernel - 1)
    wanted = torch.autograd.grad(plain.square().sum(), given)
    found = modulated(*given)
    # of one tap it is a product of matrices, which sums its three products in an order of its own: with AVX2 the last
    # bit differs from the convolution's, with AVX-512 it does not
    torch.testing.assert_close(found, plain, atol=2e-15 if kernel == 1 else 0, rtol=0)
    torch.testing.assert_close(torch.autograd.grad(found.square().sum(), given), wanted, atol=1e-10, rtol=1e-10)
    assert torch.autograd.gradcheck(modulated, given, fast_mode=True)


def test_gradient_leaves_frozen_weights_alone() -> None:
    style = draw(1, 3, seed=1).requires_grad_(True)
    weight = draw(4, 3, 3, 3, seed=2)
    modulated(draw(1, 3, 6, 6, seed=0), style, weight).sum().backward()
    assert style.grad is not None
    assert weight.grad is None


def test_shape_only_what_needs_no_gradient_is_overwritten() -> None:
    x, style, weight = draw(1, 3, 6, 6, seed=0), draw(1, 3, seed=1), draw(4, 3, 1, 1, seed=2)
    kept = x.clone()
    found = modulated(x, style.requires_grad_(True), weight)
    torch.testing.assert_close(x, kept, atol=0, rtol=0)
    again = modulated(x, style.detach(), weight)
    torch.testing.assert_close(again, found.detach(), atol=1e-12, rtol=0)
    torch.testing.assert_close(x, kept * style.detach()[:, :, None, None], atol=0, rtol=0)
