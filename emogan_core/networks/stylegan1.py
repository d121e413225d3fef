"""StyleGAN1's synthesis, ws -> image: convolutions with adaptive instance normalisation.

Source: Karras et al. 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks". Names follow the
canonical ones of StyleGAN2; the constant's own noise, bias and style are those of `b4.conv0`, which has no kernel.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import SQRT2, Dense
from .spec import GeneratorSpec

EPSILON = 1e-8
ROW = 1024  # numbers from which on sums over rows run at memory bandwidth
CACHED = 1 << 17  # numbers whose squares stay in the cache
LARGE_SIDE = 64  # above it channels lie innermost: convolutions of few channels take half the time, of many lose digits
CHEAP_SIDE = 32  # for smaller pictures rearranging the layer's large kernel would take longer than the convolution


class Layer(nn.Module):
    """What follows each convolution: noise, bias, leaky ReLU, instance normalisation, style."""

    noise_const: Tensor

    def __init__(self, outputs: int, w_dim: int, *, resolution: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Dense(w_dim, 2 * outputs)  # scales less one, then shifts
        self.register_buffer("noise_const", torch.zeros(resolution, resolution))
        self.noise_strength = nn.Parameter(torch.zeros(outputs))  # per channel; StyleGAN2 has one for all

    def finish(self, x: Tensor, w: Tensor, *, gain: float = 1.0) -> Tensor:
        """x [n, c, h, w] -> the same shape, normalised and styled by w [n, w_dim]; x is overwritten where no gradient needs it.

        Normalisation cancels any gain, so x comes without the layer's: its bias is divided by `gain`, and so is the noise.
        """
        scale, shift = self.affine(w).to(x.dtype).chunk(2, dim=1)  # [n, c]
        strength = (self.noise_strength / gain).to(x.dtype)[:, None, None]
        in_place = may_overwrite(x, scale, strength)
        add = x.addcmul_ if in_place else x.addcmul
        x = add(self.noise_const.to(x.dtype), strength)
        x = F.leaky_relu(x, 0.2, inplace=True)
        innermost = in_place and x.shape[-1] > LARGE_SIDE and x.is_contiguous(memory_format=torch.channels_last)
        normalise = adain_in_place if innermost else adain
        return normalise(x, scale + 1, shift, epsilon=EPSILON / gain**2)


class Start(Layer):
    """The layer of the learned constant."""

    def forward(self, const: Tensor, w: Tensor) -> Tensor:
        x = (const + self.bias[:, None, None]).to(w.dtype).repeat(len(w), 1, 1, 1)
        return self.finish(x, w)


class StyledConv(Layer):
    """3x3 convolution and its layer; `up` doubles the side before it and blurs after it."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, *, resolution: int, up: bool) -> None:
        super().__init__(outputs, w_dim, resolution=resolution)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 3, 3))
        self.weight_gain = SQRT2 / math.sqrt(inputs * 9)
        self.up = up

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), (self.bias / self.weight_gain).to(x.dtype)
        if self.up and x.shape[-1] == LARGE_SIDE and may_overwrite(x, w):
            x = x.contiguous(memory_format=torch.channels_last)  # a memory format that convolutions keep
        x = blur(upsampled_conv(x, weight), bias) if self.up else F.conv2d(x, weight, bias, padding=1)
        return self.finish(x, w, gain=self.weight_gain)


class Block(nn.Module):
    """One resolution: two styled layers, and the picture after the last of them."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, *, resolution: int, draws: bool) -> None:
        super().__init__()
        self.conv0: Layer
        if resolution == 4:
            self.const = nn.Parameter(torch.zeros(outputs, 4, 4))
            self.conv0 = Start(outputs, w_dim, resolution=4)
        else:
            self.conv0 = StyledConv(inputs, outputs, w_dim, resolution=resolution, up=True)
        self.conv1 = StyledConv(outputs, outputs, w_dim, resolution=resolution, up=False)
        self.torgb = ToRGB(outputs) if draws else None

    def forward(self, x: Tensor | None, ws: Tensor) -> Tensor:
        """ws [n, 2, w_dim]: one row per layer."""
        x = self.conv0(self.const if x is None else x, ws[:, 0])
        x = self.conv1(x, ws[:, 1])
        out: Tensor = x if self.torgb is None else self.torgb(x)
        return out


class ToRGB(nn.Module):
    """1x1 convolution to three channels, without style."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.weight_gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, (self.weight * self.weight_gain).to(x.dtype), self.bias.to(x.dtype))


class Synthesis(nn.Module):
    """ws [n, num_ws, w_dim] -> images [n, 3, r, r], about [-1, 1]; deterministic: noise maps are constants.

    Only the last resolution draws: ToRGB of those below served progressive growing during training.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec
        for index, side in enumerate(spec.resolutions):
            widths = (spec.channels[max(index - 1, 0)], spec.channels[index])
            block = Block(*widths, spec.w_dim, resolution=side, draws=side == spec.resolution)
            self.add_module(f"b{side}", block)

    def forward(self, ws: Tensor) -> Tensor:
        x: Tensor | None = None
        for index, side in enumerate(self.spec.resolutions):
            x = self.get_submodule(f"b{side}")(x, ws[:, 2 * index : 2 * index + 2])
        assert x is not None
        return x


def may_overwrite(x: Tensor, *others: Tensor) -> bool:
    """Whether layers may work in the memory of x: on a CPU, where fresh memory takes longer than the sums themselves."""
    plain = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    return plain and not any(tensor.requires_grad for tensor in (x, *others))


def adain(x: Tensor, scale: Tensor, shift: Tensor, *, epsilon: float) -> Tensor:
    """Adaptive instance normalisation: x [n, c, h, w] with mean `shift` and deviation `scale` [n, c] per picture and channel."""
    n, channels, height, width = x.shape
    rows = x.reshape(1, n * channels, height, width)
    rows = F.group_norm(rows, n * channels, scale.flatten(), shift.flatten(), epsilon)
    return rows.view(n, channels, height, width)


def adain_in_place(x: Tensor, scale: Tensor, shift: Tensor, *, epsilon: float) -> Tensor:
    """As `adain`, in x's own memory with channels innermost, where torch's normalisations are slow or inexact.

    Pixels are joined until a row is long enough for fast sums over rows.
    """
    n, channels, height, width = x.shape
    x = x.contiguous(memory_format=torch.channels_last)
    joined = min(max(1, ROW // channels), width) if width & (width - 1) == 0 else 1
    joined = 1 << (joined.bit_length() - 1)
    pictures = x.permute(0, 2, 3, 1).view(n, height * width // joined, joined * channels)
    for picture, one_scale, one_shift in zip(pictures, scale, shift, strict=True):
        mean = picture.sum(0).view(joined, channels).sum(0) / (height * width)
        picture.sub_(mean.repeat(joined))
        power = torch.zeros_like(picture[0])
        for part in picture.split(max(1, CACHED // len(power))):
            power += part.square().sum(0)
        deviation = (power.view(joined, channels).sum(0) / (height * width) + epsilon).sqrt()
        picture.mul_((one_scale / deviation).repeat(joined)).add_(one_shift.repeat(joined))
    return x


def upsampled_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Each pixel repeated 2x2, then the 3x3 convolution [outputs, inputs, 3, 3]."""
    if x.shape[-1] < CHEAP_SIDE:
        return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    return F.conv_transpose2d(x, upsampling_kernel(weight), stride=2, padding=1)


def upsampling_kernel(weight: Tensor) -> Tensor:
    """The 4x4 kernel whose transposed convolution of stride 2 is: repeat each pixel 2x2, then convolve with `weight`.

    Convention: weight [outputs, inputs, 3, 3] -> [inputs, outputs, 4, 4]; it takes 16 products per pixel instead of 36.
    """
    padded = F.pad(weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
    rows = padded[:, :, 1:] + padded[:, :, :-1]
    return rows[:, :, :, 1:] + rows[:, :, :, :-1]


def blur(x: Tensor, bias: Tensor | None = None) -> Tensor:
    """[1, 2, 1] / 4 along both axes, zeros outside; then the bias of each channel."""
    taps = torch.tensor((1.0, 2.0, 1.0), dtype=x.dtype, device=x.device) / 4
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, bias, padding=1, groups=x.shape[1])
