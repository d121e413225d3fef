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

BAND = 64  # rows


def modulated(x: Tensor, style: Tensor, weight: Tensor) -> Tensor:
    """x [n, i, h, h] times style [n, i], convolved with weight [o, i, k, k] so that all of x counts: side h + k - 1.

    Convention: x is overwritten where none of the three needs a gradient. Gradients reach all three, once.
    """
    if not (torch.is_grad_enabled() and any(given.requires_grad for given in (x, style, weight))):
        return _spread(x.mul_(style[:, :, None, None]), weight)
    result: Tensor = _Modulated.apply(x, style, weight)  # type: ignore[no-untyped-call]
    return result


class _Modulated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, style: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, style, weight)
        return _spread(x * style[:, :, None, None], weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, style, weight = ctx.saved_tensors
        pad, by_style = weight.shape[2] - 1, style[:, :, None, None]
        for_weight = None
        if ctx.needs_input_grad[2]:
            for_weight = conv2d_weight(x * by_style, weight.shape, grad, padding=pad)  # type: ignore[no-untyped-call]
        # a convolution's own adjoint
        back = F.conv_transpose2d(grad, weight, padding=pad) if pad else _spread(grad, weight.transpose(0, 1))
        bands = [slice(top, top + BAND) for top in range(0, x.shape[2], BAND)]  # no third tensor of that size
        for_style = torch.stack([(back[:, :, band] * x[:, :, band]).sum(dim=(2, 3)) for band in bands]).sum(dim=0)
        return back.mul_(by_style), for_style, for_weight


def _spread(x: Tensor, weight: Tensor) -> Tensor:
    """The convolution, channels innermost before and after; of one tap it is a product of matrices.

    PyTorch's convolution of one tap and one picture would put channels outermost, and all that follows would be slow.
    """
    if weight.shape[2] == 1:
        return F.linear(x.permute(0, 2, 3, 1), weight[:, :, 0, 0]).permute(0, 3, 1, 2)
    return F.conv2d(x, weight, padding=weight.shape[2] - 1)
