"""StyleGAN3's synthesis, ws -> image, in configurations T and R and between.

Signals are continuous here: every layer has a band it may use and a rate that can carry it, pictures have a margin so
that nothing enters at the border, and what starts the picture are waves which turn and shift with the first code.
Source: Karras et al. 2021, "Alias-Free Generative Adversarial Networks", sections 2 and 3, appendices C and D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ShapeError
from .filtered import Bend, Resampling, filtered_leaky
from .layers import Dense
from .lowpass import radial, separable
from .modulated import modulated
from .spec import GeneratorSpec


@dataclass(frozen=True, slots=True)
class Band:
    """What a layer's output may hold: frequencies up to `cutoff`, at `rate` samples per picture, `side` with margins.

    Convention: what lies within `half_width` of the cutoff is damped, what lies beyond is gone.
    """

    cutoff: float
    half_width: float
    rate: int
    side: int


def bands(spec: GeneratorSpec) -> tuple[Band, ...]:
    """The band of each layer's output, ToRGB's last; the input's is the first layer's.

    Convention: cutoffs and stopbands grow geometrically until the critically sampled layers.
    Raises: CheckpointError when no picture can be made so.
    Source: Karras et al. 2021, appendix C.1.
    """
    told = spec.alias_free
    assert told is not None
    nyquist = spec.resolution / 2
    growing = told.num_layers - told.num_critical
    if growing < 1 or told.num_critical < 1 or told.first_cutoff >= nyquist or told.first_stopband < 1:
        raise CheckpointError(
            f"{told.num_layers} layers, {told.num_critical} of them critically sampled, from a cutoff of "
            f"{told.first_cutoff:g} cannot draw {spec.resolution} px; the file is damaged"
        )
    found = []
    for index in range(told.num_layers + 1):
        grown = min(index / growing, 1.0)
        cutoff = told.first_cutoff * (nyquist / told.first_cutoff) ** grown
        stopband = told.first_stopband * (nyquist * told.last_stopband_rel / told.first_stopband) ** grown
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, spec.resolution)))
        margin = 2 * told.margin_size if index < told.num_layers - 1 else 0
        found.append(Band(cutoff, max(stopband, rate / 2) - cutoff, rate, rate + margin))
    return tuple(found)


def resampling(spec: GeneratorSpec, index: int) -> Resampling:
    """How layer `index` goes from what its convolution leaves to its output; ToRGB's neither rises nor falls.

    Source: Karras et al. 2021, appendix C.3: samples sit symmetrically about the picture's middle.
    """
    told, found = spec.alias_free, bands(spec)
    assert told is not None
    before, after = found[max(index - 1, 0)], found[index]
    last = index == told.num_layers
    high = max(before.rate, after.rate) * (1 if last else told.lrelu_upsampling)
    up, down = high // before.rate, high // after.rate
    up_taps, down_taps = (1 if factor == 1 else told.filter_size * factor for factor in (up, down))
    came = before.side + (0 if last else told.conv_kernel - 1)
    missing = (after.side - 1) * down + up_taps + down_taps - 1 - came * up  # zeros at the high rate, both ends
    return Resampling(came, after.side, up, down, up_taps, down_taps, before=(missing + up) // 2)


GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


class Input(nn.Module):
    """w [n, w_dim] -> waves [n, c, side, side], turned and shifted by w, mixed by a learned matrix.

    Convention: `transform` [3, 3] or [n, 3, 3] maps places in the picture to places in the waves, (x, y) from the
    middle, x right, y down, in picture sides: it is the inverse of how the picture seems to move.
    """

    transform: Tensor
    freqs: Tensor
    phases: Tensor

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.band, channels = bands(spec)[0], spec.channels[0]
        self.weight = nn.Parameter(torch.zeros(channels, channels))
        self.affine = Dense(spec.w_dim, 4)
        with torch.no_grad():
            self.affine.bias[0] = 1.0  # a code of zeros neither turns nor shifts
        self.register_buffer("transform", torch.eye(3))
        # files bring their own; a spiral covers the disc of frequencies as evenly as their random draw
        spots = torch.arange(channels)
        angles, radii = spots * GOLDEN_ANGLE, ((spots + 0.5) / channels).sqrt() * self.band.cutoff
        self.register_buffer("freqs", torch.stack([angles.cos(), angles.sin()], dim=1) * radii[:, None])
        self.register_buffer("phases", (spots * GOLDEN_ANGLE**2) % 1 - 0.5)

    def forward(self, w: Tensor, *, transform: Tensor | None = None) -> Tensor:
        turned = self._turned(w, self.transform if transform is None else transform)  # [n, 2, 3]
        freqs = self.freqs @ turned[:, :, :2]  # [n, c, 2]
        phases = self.phases + (self.freqs @ turned[:, :, 2:]).squeeze(2)  # [n, c]
        # waves that a transform makes too fast for the rate fade out
        excess = (freqs.norm(dim=2) - self.band.cutoff) / (self.band.rate / 2 - self.band.cutoff)
        amplitude = (1 - excess).clamp(0, 1)[:, None]  # [n, 1, c]
        side = self.band.side
        line = (torch.arange(side, dtype=w.dtype, device=w.device) + (0.5 - side / 2)) / self.band.rate
        places = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=2).flatten(0, 1)  # [side * side, 2]
        waves = torch.sin((places @ freqs.mT + phases[:, None]) * (2 * math.pi)) * amplitude
        mixed = waves @ (self.weight / math.sqrt(len(self.weight))).T  # [n, side * side, c]
        found: Tensor = mixed.mT.view(len(w), -1, side, side)  # channels innermost, as the filters like it
        return found

    def _turned(self, w: Tensor, transform: Tensor) -> Tensor:
        """The transform followed by the code's own shift and turn, [n, 2, 3]."""
        told = self.affine(w)
        cos, sin, right, down = (told / told[:, :2].norm(dim=1, keepdim=True)).unbind(dim=1)
        turn = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
        shift = torch.stack([right, down], dim=1)[:, :, None]
        turned: Tensor = turn @ (transform[..., :2, :] - shift * transform[..., 2:, :])
        return turned


def _filters(spec: GeneratorSpec, index: int) -> tuple[Tensor | None, Tensor | None]:
    """The filters of a layer in which nothing was stored yet: each keeps what its end of the layer may hold."""
    told, found, plan = spec.alias_free, bands(spec), resampling(spec, index)
    assert told is not None
    before, after = found[max(index - 1, 0)], found[index]
    rate = before.rate * plan.up
    falling = radial if told.use_radial_filters and index < told.num_layers - told.num_critical else separable
    return (
        separable(plan.up_taps, cutoff=before.cutoff, half_width=before.half_width, rate=rate) if plan.up > 1 else None,
        falling(plan.down_taps, cutoff=after.cutoff, half_width=after.half_width, rate=rate) if plan.down > 1 else None,
    )


class Layer(nn.Module):
    """Modulated convolution, then the filtered leaky ReLU; the last one, ToRGB, only convolves.

    Convention: weights and styles are first brought to unit second moment, and the input to unit magnitude by the
    average that training kept in `magnitude_ema`. Each picture's style is normalised by itself.
    """

    up_filter: Tensor | None
    down_filter: Tensor | None
    magnitude_ema: Tensor

    def __init__(self, spec: GeneratorSpec, index: int) -> None:
        super().__init__()
        told = spec.alias_free
        assert told is not None
        self.draws, self.clamp = index == told.num_layers, spec.conv_clamp
        inputs, outputs = spec.channels[max(index - 1, 0)], 3 if self.draws else spec.channels[index]
        kernel = 1 if self.draws else told.conv_kernel
        self.plan = resampling(spec, index)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Dense(spec.w_dim, inputs, bias_init=1.0)
        self.register_buffer("magnitude_ema", torch.ones(()))
        rising, falling = _filters(spec, index)
        self.register_buffer("up_filter", rising)
        self.register_buffer("down_filter", falling)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [n, inputs, s, s] is overwritten where no gradient needs it."""
        return self.bent(*self.convolved(x, w))

    def convolved(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """What the convolution makes of x, and by what [n, outputs] it is yet to be multiplied."""
        style = self.affine(w)
        weight: Tensor = self.weight
        if self.draws:
            strength = style.new_full((len(style), len(weight)), weight[0].numel() ** -0.5)
        else:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
            strength = (style.square() @ weight.square().sum(dim=(2, 3)).T + 1e-8).rsqrt()
        return modulated(x, style.to(x.dtype), weight.to(x.dtype)), strength * self.magnitude_ema.rsqrt()

    def bent(self, x: Tensor, strength: Tensor) -> Tensor:
        """The leaky ReLU, or for ToRGB the bias alone."""
        if not self.draws:
            return filtered_leaky(x, strength, self.bias, Bend(self.plan, self.up_filter, self.down_filter, self.clamp))
        x = torch.addcmul(self.bias[:, None, None], x, strength[:, :, None, None])
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class Synthesis(nn.Module):
    """ws [n, num_ws, w_dim] -> images [n, 3, r, r], about [-1, 1]; the first row places the picture, then one a layer.

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
            x, strength = layer.convolved(x, ws[:, index + 1])  # in two steps, so that the input is gone for the second
            x = layer.bent(x, strength)
        assert self.spec.alias_free is not None
        return (x * self.spec.alias_free.output_scale).contiguous()


def peak_numbers(spec: GeneratorSpec) -> int:
    """About how many numbers are alive at once while one picture is drawn: a convolution's two ends, or a bend's."""
    widths, sides = (*spec.channels, 3), [band.side for band in bands(spec)]
    plans = [resampling(spec, index) for index in range(1, len(sides))]
    return max(
        max(before * side**2, after * plan.size_out**2) + after * plan.size_in**2
        for (before, after), side, plan in zip(pairwise(widths), sides, plans, strict=False)
    )
