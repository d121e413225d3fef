"""The low-pass filters of StyleGAN3, for networks built without a file; files bring their own.

Source: Karras et al. 2021, appendix C.1.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def separable(taps: int, *, cutoff: float, half_width: float, rate: float) -> Tensor:
    """A Kaiser-windowed sinc of unit sum, [taps], applied along both axes.

    Convention: frequencies in cycles per unit of length, `rate` samples per unit; `half_width` of the transition.
    """
    from scipy.signal import firwin  # slow to import, and only StyleGAN3 needs it

    return _tensor(firwin(taps, cutoff, width=2 * half_width, fs=rate))


def radial(taps: int, *, cutoff: float, half_width: float, rate: float) -> Tensor:
    """A Kaiser-windowed jinc of unit sum, [taps, taps], the same in every direction; units as for `separable`."""
    from scipy.signal import kaiser_atten, kaiser_beta
    from scipy.special import j1

    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(x[:, None], x[None]).clip(1e-9)
    window = np.kaiser(taps, kaiser_beta(kaiser_atten(taps, 4 * half_width / rate)))
    jinc = j1(2 * math.pi * cutoff * r) / r * np.outer(window, window)
    return _tensor(jinc / jinc.sum())


def _tensor(taps: object) -> Tensor:
    return torch.tensor(np.asarray(taps, dtype=np.float32))
