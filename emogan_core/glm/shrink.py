"""Slopes that few examples speak for, shrunk to what they can bear."""

from __future__ import annotations

import numpy as np

from .designs import Array


def shrink_slopes(slopes: Array, noise: Array, basis: Array, *, towards: Array, window: int) -> Array:
    """Empirical Bayes: keep of each slope's distance to `towards` the share that stands above the sampling noise.

    In the given basis (eigenvectors of the latents' covariance, in order of variance) the power of the distance, less
    that of the noise, is averaged over `window` neighbouring coordinates; coordinate j keeps power / (power + noise).
    A plentiful expression is hardly touched, a rare one loses the random part that would change the person.

    Convention: slopes, towards [k, d]; noise [k, d, d]'s diagonal in the basis comes as [k, d]; basis [d, d] columns.
    A window of 0 returns the slopes as they are.
    """
    if window == 0:
        return slopes
    distance = (slopes - towards) @ basis  # [k, d]
    power = np.stack([_moving_mean(row, window) for row in np.square(distance) - noise])
    kept = np.maximum(power, 0.0) / (np.maximum(power, 0.0) + np.maximum(noise, np.finfo(float).tiny))
    return np.asarray(towards + (distance * kept) @ basis.T, dtype=np.float64)


def _moving_mean(values: Array, window: int) -> Array:
    """Mean over up to `window` neighbours, fewer at the ends."""
    half = min(window, len(values)) // 2
    sums = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    return np.asarray((sums[high] - sums[low]) / (high - low), dtype=np.float64)
