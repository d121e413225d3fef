"""StyleGAN3's synthesis, ws -> image, in configurations T and R and between.

Signals are treated as continuous: every layer has a frequency band and a sampling rate that can represent it, pictures
have a margin so that nothing enters at the border, and the input is Fourier features, rotated and shifted by the first
row of ws.
Source: Karras et al. 2021, "Alias-Free Generative Adversarial Networks", sections 2 and 3, appendices C and D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ShapeError
from .filtered import FilteredLeakyReLU, Resampling, filtered_leaky_relu
from .layers import Dense
from .lowpass import radial, separable
from .modulated import modulated
from .spec import GeneratorSpec


@dataclass(frozen=True, slots=True)
class FrequencyBand:
    """Frequencies of a layer's output: up to `cutoff`, at `rate` samples per picture, `side` samples with margins.

    Convention: the filter's transition lies within `half_width` of the cutoff; what lies beyond is removed.
    """

    cutoff: float
    half_width: float
    rate: int
    side: int


def frequency_bands(spec: GeneratorSpec) -> tuple[FrequencyBand, ...]:
    """The band of each layer's output, ToRGB's last; the input has that of the first layer.

    Convention: cutoffs and stopbands grow geometrically until the critically sampled layers.
    Raises: CheckpointError when the layers cannot reach the resolution.
    Source: Karras et al. 2021, appendix C.1.
    """
    layout = spec.alias_free
    assert layout is not None
    nyquist = spec.resolution / 2
    growing = layout.num_layers - layout.num_critical
    if growing < 1 or layout.num_critical < 1 or layout.first_cutoff >= nyquist or layout.first_stopband < 1:
        raise CheckpointError(
            f"{layout.num_layers} layers, {layout.num_critical} of them critically sampled, from a cutoff of "
            f"{layout.first_cutoff:g} cannot draw {spec.resolution} px; the file is damaged"
        )
    found = []
    for index in range(layout.num_layers + 1):
        grown = min(index / growing, 1.0)
        cutoff = layout.first_cutoff * (nyquist / layout.first_cutoff) ** grown
        stopband = layout.first_stopband * (nyquist * layout.last_stopband_rel / layout.first_stopband) ** grown
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, spec.resolution)))
        margin = 2 * layout.margin_size if index < layout.num_layers - 1 else 0
        found.append(FrequencyBand(cutoff, max(stopband, rate / 2) - cutoff, rate, rate + margin))
    return tuple(found)


def resampling(spec: GeneratorSpec, index: int) -> Resampling:
    """How layer `index` is resampled from its convolution's output to its own; ToRGB is not resampled.

    Source: Karras et al. 2021, appendix C.3: samples are placed symmetrically about the picture's middle.
    """
    layout, bands = spec.alias_free, frequency_bands(spec)
    assert layout is not None
    before, after = bands[max(index - 1, 0)], bands[index]
    last = index == layout.num_layers
    high_rate = max(before.rate, after.rate) * (1 if last else layout.lrelu_upsampling)
    up, down = high_rate // before.rate, high_rate // after.rate
    up_taps, down_taps = (1 if factor == 1 else layout.filter_size * factor for factor in (up, down))
    size_in = before.side + (0 if last else layout.conv_kernel - 1)
    missing = (
        (after.side - 1) * down + up_taps + down_taps - 1 - size_in * up
    )  # zeros at the high rate, at both ends together
    return Resampling(size_in, after.side, up, down, up_taps, down_taps, before=(missing + up) // 2)


GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


class Input(nn.Module):
    """w [n, w_dim] -> Fourier features [n, c, side, side], rotated and shifted by w, mixed by a learned matrix.

    Convention: `transform` [3, 3] or [n, 3, 3] maps picture coordinates to those of the features, (x, y) from the
    middle, x right, y down, in picture sides: it is the inverse of the motion of the picture.
    """

    transform: Tensor
    freqs: Tensor
    phases: Tensor

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.band, channels = frequency_bands(spec)[0], spec.channels[0]
        self.weight = nn.Parameter(torch.zeros(channels, channels))
        self.affine = Dense(spec.w_dim, 4)
        with torch.no_grad():
            self.affine.bias[0] = 1.0  # a code of zeros neither rotates nor shifts
        self.register_buffer("transform", torch.eye(3))
        # a file brings its own, drawn at random; a spiral covers the disc of frequencies as evenly
        index = torch.arange(channels)
        angles, radii = index * GOLDEN_ANGLE, ((index + 0.5) / channels).sqrt() * self.band.cutoff
        self.register_buffer("freqs", torch.stack([angles.cos(), angles.sin()], dim=1) * radii[:, None])
        self.register_buffer("phases", (index * GOLDEN_ANGLE**2) % 1 - 0.5)

    def forward(self, w: Tensor, *, transform: Tensor | None = None) -> Tensor:
        affine = self._affine_transform(w, self.transform if transform is None else transform)  # [n, 2, 3]
        freqs = self.freqs @ affine[:, :, :2]  # [n, c, 2]
        phases = self.phases + (self.freqs @ affine[:, :, 2:]).squeeze(2)  # [n, c]
        # frequencies that a transform raises beyond the rate fade out
        excess = (freqs.norm(dim=2) - self.band.cutoff) / (self.band.rate / 2 - self.band.cutoff)
        amplitude = (1 - excess).clamp(0, 1)[:, None]  # [n, 1, c]
        side = self.band.side
        line = (torch.arange(side, dtype=w.dtype, device=w.device) + (0.5 - side / 2)) / self.band.rate
        points = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=2).flatten(0, 1)  # [side * side, 2]
        waves = torch.sin((points @ freqs.mT + phases[:, None]) * (2 * math.pi)) * amplitude
        mixed = waves @ (self.weight / math.sqrt(len(self.weight))).T  # [n, side * side, c]
        found: Tensor = mixed.mT.view(len(w), -1, side, side)  # channels innermost, as the filters need it
        return found

    def _affine_transform(self, w: Tensor, transform: Tensor) -> Tensor:
        """The transform followed by the code's own shift and rotation, [n, 2, 3]."""
        raw = self.affine(w)
        cos, sin, right, down = (raw / raw[:, :2].norm(dim=1, keepdim=True)).unbind(dim=1)
        rotation = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
        shift = torch.stack([right, down], dim=1)[:, :, None]
        composed: Tensor = rotation @ (transform[..., :2, :] - shift * transform[..., 2:, :])
        return composed


def _filters(spec: GeneratorSpec, index: int) -> tuple[Tensor | None, Tensor | None]:
    """The up- and downsampling filters of a layer, each for the band at its end; a file brings its own."""
    layout, bands, plan = spec.alias_free, frequency_bands(spec), resampling(spec, index)
    assert layout is not None
    before, after = bands[max(index - 1, 0)], bands[index]
    rate = before.rate * plan.up
    downsampling = (
        radial if layout.use_radial_filters and index < layout.num_layers - layout.num_critical else separable
    )
    return (
        separable(plan.up_taps, cutoff=before.cutoff, half_width=before.half_width, rate=rate) if plan.up > 1 else None,
        downsampling(plan.down_taps, cutoff=after.cutoff, half_width=after.half_width, rate=rate)
        if plan.down > 1
        else None,
    )


class Layer(nn.Module):
    """Modulated convolution, then the filtered leaky ReLU; the last one, ToRGB, only convolves.

    Convention: weights and styles are first brought to unit second moment, and the input to unit magnitude by the
    moving average that training kept in `magnitude_ema`. Each picture's style is normalised by itself.
    """

    up_filter: Tensor | None
    down_filter: Tensor | None
    magnitude_ema: Tensor

    def __init__(self, spec: GeneratorSpec, index: int) -> None:
        super().__init__()
        layout = spec.alias_free
        assert layout is not None
        self.draws, self.clamp = index == layout.num_layers, spec.conv_clamp
        inputs, outputs = spec.channels[max(index - 1, 0)], 3 if self.draws else spec.channels[index]
        kernel = 1 if self.draws else layout.conv_kernel
        self.plan = resampling(spec, index)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Dense(spec.w_dim, inputs, bias_init=1.0)
        self.register_buffer("magnitude_ema", torch.ones(()))
        up_filter, down_filter = _filters(spec, index)
        self.register_buffer("up_filter", up_filter)
        self.register_buffer("down_filter", down_filter)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [n, inputs, s, s] is overwritten where no gradient needs it."""
        return self.activate(*self.convolve(x, w))

    def convolve(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """The modulated convolution of x, and the gain [n, outputs] by which it is still to be multiplied."""
        style = self.affine(w)
        weight: Tensor = self.weight
        if self.draws:
            gain = style.new_full((len(style), len(weight)), weight[0].numel() ** -0.5)
        else:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
            gain = (style.square() @ weight.square().sum(dim=(2, 3)).T + 1e-8).rsqrt()
        return modulated(x, style.to(x.dtype), weight.to(x.dtype)), gain * self.magnitude_ema.rsqrt()

    def activate(self, x: Tensor, gain: Tensor) -> Tensor:
        """The filtered leaky ReLU, or for ToRGB the bias alone."""
        if not self.draws:
            settings = FilteredLeakyReLU(self.plan, self.up_filter, self.down_filter, self.clamp)
            return filtered_leaky_relu(x, gain, self.bias, settings)
        x = torch.addcmul(self.bias[:, None, None], x, gain[:, :, None, None])
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class Synthesis(nn.Module):
    """ws [n, num_ws, w_dim] -> images [n, 3, r, r], about [-1, 1]; the first row moves the picture, then one row a layer.

    Convention: `transform` [3, 3] or [n, 3, 3] takes the place of the stored one, see `Input`. There is no noise.
    Raises: ShapeError when a transform has another shape.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        assert spec.alias_free is not None
        self.spec, self.layers = spec, spec.alias_free.num_layers + 1
        self.input = Input(spec)
        for index in range(self.layers):
            self.add_module(f"L{index}", Layer(spec, index))

    def forward(self, ws: Tensor, *, transform: Tensor | None = None) -> Tensor:
        if transform is not None and tuple(transform.shape) not in ((3, 3), (len(ws), 3, 3)):
            raise ShapeError(f"a transform of shape {tuple(transform.shape)} came; needed [3, 3] or [{len(ws)}, 3, 3]")
        x: Tensor = self.input(ws[:, 0], transform=transform)
        for index in range(self.layers):
            layer = self.get_submodule(f"L{index}")
            assert isinstance(layer, Layer)
            x, gain = layer.convolve(x, ws[:, index + 1])  # in two steps, so that the input is freed before the second
            x = layer.activate(x, gain)
        assert self.spec.alias_free is not None
        return (x * self.spec.alias_free.output_scale).contiguous()


def peak_numbers(spec: GeneratorSpec) -> int:
    """About how many numbers are held at once while one picture is drawn: a layer's input and output together."""
    widths, sides = (*spec.channels, 3), [band.side for band in frequency_bands(spec)]
    plans = [resampling(spec, index) for index in range(1, len(sides))]
    return max(
        max(before * side**2, after * plan.size_out**2) + after * plan.size_in**2
        for (before, after), side, plan in zip(pairwise(widths), sides, plans, strict=False)
    )
