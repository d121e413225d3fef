"""A modulated convolution that keeps only its inputs for the backward pass.

Autograd would also keep the product of input and style, which at 1024 px is another gigabyte in a few layers.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_weight

ROWS_AT_ONCE = 64


def modulated(x: Tensor, style: Tensor, weight: Tensor) -> Tensor:
    """x [n, i, h, h] times style [n, i], convolved with weight [o, i, k, k] with full padding: side h + k - 1.

    Convention: x is overwritten where none of the three needs a gradient. Gradients reach all three, of first order only.
    """
    if not (torch.is_grad_enabled() and any(given.requires_grad for given in (x, style, weight))):
        return _convolve(x.mul_(style[:, :, None, None]), weight)
    result: Tensor = _Modulated.apply(x, style, weight)  # type: ignore[no-untyped-call]
    return result


class _Modulated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, style: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, style, weight)
        return _convolve(x * style[:, :, None, None], weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, style, weight = ctx.saved_tensors
        pad, by_style = weight.shape[2] - 1, style[:, :, None, None]
        for_weight = None
        if ctx.needs_input_grad[2]:
            for_weight = conv2d_weight(x * by_style, weight.shape, grad, padding=pad)  # type: ignore[no-untyped-call]
        # the adjoint of the convolution
        back = F.conv_transpose2d(grad, weight, padding=pad) if pad else _convolve(grad, weight.transpose(0, 1))
        rows = [
            slice(top, top + ROWS_AT_ONCE) for top in range(0, x.shape[2], ROWS_AT_ONCE)
        ]  # no third tensor of that size
        for_style = torch.stack([(back[:, :, part] * x[:, :, part]).sum(dim=(2, 3)) for part in rows]).sum(dim=0)
        return back.mul_(by_style), for_style, for_weight


def _convolve(x: Tensor, weight: Tensor) -> Tensor:
    """The convolution, channels innermost before and after; with one tap it is a matrix product.

    PyTorch's convolution of one tap and one picture would put channels outermost, which slows down all that follows.
    """
    if weight.shape[2] == 1:
        return F.linear(x.permute(0, 2, 3, 1), weight[:, :, 0, 0]).permute(0, 3, 1, 2)
    return F.conv2d(x, weight, padding=weight.shape[2] - 1)
