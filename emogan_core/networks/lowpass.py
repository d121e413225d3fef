"""Low-pass filters of StyleGAN3's kind; files bring their own, these serve networks that start from nothing."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def separable(taps: int, *, cutoff: float, half_width: float, rate: float) -> Tensor:
    """A Kaiser-windowed sinc of unit sum, [taps], applied along both axes.

    Convention: frequencies in cycles per unit of length, `rate` samples per unit; `half_width` of the transition.
    Source: Karras et al. 2021, appendix C.1; Kaiser 1974 for the window.
    """
    x = _places(taps, rate)
    found: Tensor = torch.sinc(2 * cutoff * x) * _kaiser(taps, half_width, rate)
    return (found / found.sum()).float()


def radial(taps: int, *, cutoff: float, half_width: float, rate: float) -> Tensor:
    """A Kaiser-windowed jinc of unit sum, [taps, taps], alike in every direction."""
    x = _places(taps, rate)
    r = torch.hypot(x[:, None], x[None]).clamp(min=1e-9)
    window = _kaiser(taps, half_width, rate)
    found: Tensor = torch.special.bessel_j1(2 * math.pi * cutoff * r) / r * torch.outer(window, window)
    return (found / found.sum()).float()


def _places(taps: int, rate: float) -> Tensor:
    return (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / rate


def _kaiser(taps: int, half_width: float, rate: float) -> Tensor:
    """The window whose transition is just as wide as asked."""
    attenuation = 2.285 * (taps - 1) * math.pi * 4 * half_width / rate + 7.95  # dB
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    else:
        beta = 0.5842 * max(attenuation - 21, 0) ** 0.4 + 0.07886 * max(attenuation - 21, 0)
    ends = torch.linspace(-1, 1, taps, dtype=torch.float64) if taps > 1 else torch.zeros(1, dtype=torch.float64)
    window: Tensor = torch.special.i0(beta * (1 - ends.square()).clamp(min=0).sqrt())
    return window / window.max()
