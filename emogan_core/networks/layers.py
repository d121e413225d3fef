"""Layers shared by the StyleGAN family, written from the published mathematics in plain PyTorch.

Weights are stored at unit scale and multiplied by their gain at run time (equalised learning rate, Karras et al. 2018).
Modulation scales activations instead of building a kernel per sample, so every convolution is an ordinary one.
Parameters start at zero: `initialise` draws them from a seed, or a file fills them.
"""

from __future__ import annotations

import math
import weakref

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import winograd

SQRT2 = math.sqrt(2.0)
RESIDUAL_GAIN = math.sqrt(0.5)  # keeps the variance of a sum of two branches
LAST = torch.channels_last
FIR_TAPS = (1.0, 3.0, 3.0, 1.0)


def leaky(x: Tensor, *, gain: float = SQRT2) -> Tensor:
    """Leaky ReLU of slope 0.2 times a gain; sqrt(2) keeps the second moment near 1."""
    return F.leaky_relu(x, 0.2) * gain


def fir(x: Tensor, *, gain: float, pad: int, stride: int = 1) -> Tensor:
    """Blur [n, c, h, w] by the binomial filter [1, 3, 3, 1] along both axes, zeros outside, times gain.

    `pad` zeros go on every side; the output has side + 2 * pad - 3, of which every `stride`-th pixel is kept.
    """
    return F.conv2d(x, binomial(x, gain=gain), padding=pad, groups=x.shape[1], stride=stride)


def upsample(x: Tensor) -> Tensor:
    """Double the side of [n, c, h, w] by zero insertion and the binomial filter."""
    return F.conv_transpose2d(x, binomial(x, gain=4.0), stride=2, padding=1, groups=x.shape[1])


def binomial(x: Tensor, *, gain: float) -> Tensor:
    """The depthwise kernel [c, 1, 4, 4] of [1, 3, 3, 1] along both axes, of sum `gain`, for x [n, c, h, w].

    It is separable, but one pass of 4x4 taps took 0.18 to 0.42 of the time of two passes of 4 taps on a CPU.
    """
    taps = x.new_full((4,), FIR_TAPS[0])  # filled where x is: a CUDA graph could not capture a copy from the host
    taps[1:3] = FIR_TAPS[1]
    taps = taps / sum(FIR_TAPS)
    return (torch.outer(taps, taps) * gain).expand(x.shape[1], 1, 4, 4)


def transposed(kernel: Tensor) -> Tensor:
    """[outputs, inputs, k, k] as [inputs, outputs, k, k], channels-last by one plain transposition, which is fastest."""
    outputs, inputs, *sides = kernel.shape
    return kernel.reshape(outputs, -1).T.contiguous().view(inputs, *sides, outputs).permute(0, 3, 1, 2)


def convolve(x: Tensor, kernel: Tensor) -> Tensor:
    """x [n, inputs, h, w] by a 3x3 kernel, zeros outside, to the same side; by Winograd's tiles where that is faster."""
    if not torch.is_grad_enabled() and winograd.suits(kernel):
        out = torch.empty(len(x), len(kernel), *x.shape[2:], memory_format=LAST)
        if winograd.pays(kernel, out):
            return winograd.convolve(F.pad(x.contiguous(memory_format=LAST), (1, 1, 1, 1)), kernel, out=out)
    return F.conv2d(x, kernel, padding=1)


class Dense(nn.Module):
    """Fully connected layer with run-time gains; `lr_multiplier` is 0.01 in the mapping network."""

    def __init__(
        self, inputs: int, outputs: int, *, lr_multiplier: float = 1.0, bias_init: float = 0.0, activate: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.init_std = 1 / lr_multiplier
        self.bias = nn.Parameter(torch.full((outputs,), bias_init))
        self.weight_gain = lr_multiplier / math.sqrt(inputs)
        self.bias_gain = lr_multiplier
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        x = F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)
        return leaky(x) if self.activate else x


class ModulatedConv(nn.Module):
    """3x3 convolution whose input channels are scaled by a style and whose output is demodulated.

    Source: Karras et al. 2020, section 2.2; demodulation through the squared weights summed over the kernel.
    """

    noise_const: Tensor

    def __init__(self, inputs: int, outputs: int, w_dim: int, *, resolution: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Dense(w_dim, inputs, bias_init=1.0)
        self.register_buffer("noise_const", torch.zeros(resolution, resolution))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self._squares: tuple[weakref.ref[Tensor], tuple[object, ...], Tensor] | None = None

    def forward(self, x: Tensor, w: Tensor, *, clamp: float | None = None, gain: float = 1.0) -> Tensor:
        """`gain` is the layer's own beside sqrt(2); it moves the clamp with it."""
        style, demodulation = self.scales(w)
        x, kernel = x * style.to(x.dtype)[:, :, None, None], self.weight.to(x.dtype)
        if self.up:
            if torch.is_grad_enabled() or x.device.type != "cpu":
                x = F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2)
            else:  # up to twice as fast on a CPU, but its gradient is slower
                x = x.contiguous(memory_format=LAST)
                x = F.conv_transpose2d(x, transposed(kernel), stride=2)
            x = fir(x, gain=4.0, pad=1)
        else:
            x = convolve(x, kernel)
        bias = self.bias[None, :, None, None] + self.noise_const * self.noise_strength
        # leaky ReLU commutes with its positive gain, so demodulation, gain, noise and bias are one pass over x
        scale = (demodulation * SQRT2 * gain).to(x.dtype)[:, :, None, None]
        x = torch.addcmul((bias * SQRT2 * gain).to(x.dtype), x, scale)
        x = F.leaky_relu(x, 0.2, inplace=True)
        return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)

    def scales(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Style [n, inputs] and demodulation [n, outputs] of w [n, w_dim]."""
        style = self.affine(w)
        return style, (style.square() @ self.squares().T + 1e-8).rsqrt()

    def squares(self) -> Tensor:
        """The squared weights summed over the kernel, [outputs, inputs]; cached while the weights are frozen."""
        weight = self.weight
        if torch.compiler.is_compiling() or weight.requires_grad or weight.is_inference():
            return weight.square().sum(dim=(2, 3))
        state = (weight.data_ptr(), weight._version, weight.dtype, weight.device)  # _version counts changes in place
        if self._squares is None or self._squares[0]() is not weight or self._squares[1] != state:
            with torch.inference_mode(False):  # so that the cache also serves gradients to the style
                self._squares = weakref.ref(weight), state, weight.square().sum(dim=(2, 3))
        return self._squares[2]


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to three channels, without demodulation or noise."""

    def __init__(self, inputs: int, w_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.affine = Dense(w_dim, inputs, bias_init=1.0)
        self.weight_gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor, *, clamp: float | None = None) -> Tensor:
        style = self.affine(w) * self.weight_gain
        x = F.conv2d(x * style.to(x.dtype)[:, :, None, None], self.weight.to(x.dtype))
        x = x + self.bias[None, :, None, None].to(x.dtype)
        return x if clamp is None else x.clamp(-clamp, clamp)


class Conv(nn.Module):
    """Ordinary convolution with run-time gain, as discriminators and encoders use; `down` halves the side after a blur."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, down: bool = False, bias: bool = True, activate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_gain = 1 / math.sqrt(inputs * kernel * kernel)
        self.kernel, self.down, self.activate = kernel, down, activate

    def forward(self, x: Tensor, *, gain: float = 1.0) -> Tensor:
        weight = self.weight * self.weight_gain
        if self.down:
            # the blur removes what the stride would alias; with this padding the side is exactly halved
            skipped = 2 if self.kernel == 1 else 1  # a kernel of one pixel would read only every second one
            x = fir(x, gain=1.0, pad=1 + self.kernel // 2, stride=skipped)
            x = F.conv2d(x, weight.to(x.dtype), stride=2 // skipped)
        else:
            x = F.conv2d(x, weight.to(x.dtype), padding=self.kernel // 2)
        if self.bias is not None:
            x = x + self.bias[None, :, None, None].to(x.dtype)
        return leaky(x, gain=SQRT2 * gain) if self.activate else x * gain


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Fill every weight, constant and noise map below `network` with seeded unit normals; biases keep their initial value."""
    with torch.no_grad():
        for module in network.modules():
            for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
                if name in ("weight", "const", "noise_const"):
                    fresh = torch.randn(tensor.shape, generator=rng) * getattr(module, "init_std", 1.0)
                    tensor.copy_(fresh)
