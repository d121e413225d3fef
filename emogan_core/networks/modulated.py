"""A modulated convolution that keeps for its gradient only what came in.

Left to itself it would also keep the product of input and style, which at 1024 px is another gigabyte in a few layers.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_weight


def modulated(x: Tensor, style: Tensor, weight: Tensor) -> Tensor:
    """x [n, i, h, h] times style [n, i], convolved with weight [o, i, k, k] so that all of x counts: side h + k - 1.

    Convention: without gradients x is overwritten. Gradients reach all three, once.
    """
    if not torch.is_grad_enabled():
        return F.conv2d(x.mul_(style[:, :, None, None]), weight, padding=weight.shape[2] - 1)
    result: Tensor = _Modulated.apply(x, style, weight)  # type: ignore[no-untyped-call]
    return result


class _Modulated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, style: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, style, weight)
        return F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[2] - 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, style, weight = ctx.saved_tensors
        pad, by_style = weight.shape[2] - 1, style[:, :, None, None]
        for_weight = None
        if ctx.needs_input_grad[2]:
            for_weight = conv2d_weight(x * by_style, weight.shape, grad, padding=pad)  # type: ignore[no-untyped-call]
        back = F.conv_transpose2d(grad, weight, padding=pad)  # a convolution's own adjoint
        for_style = torch.einsum("nihw,nihw->ni", back, x)
        return back.mul_(by_style), for_style, for_weight
