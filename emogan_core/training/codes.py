"""Fitting the mapping network to the distribution of real faces' codes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.layers import initialise
from ..networks.stylegan2 import Mapping


def fit_mapping(mapping: Mapping, codes: Tensor, *, steps: int, seed: int) -> float:
    """Train `mapping` so that samples are distributed like `codes` [n, w_dim]; sets w_avg and returns the last distance.

    The distance is the sliced Wasserstein one (Bonneel et al. 2015), on random directions and on random pairs of
    principal directions, in coordinates where every code dimension has unit spread: it needs no adversary and is
    deterministic given the seed.
    """
    rng = torch.Generator().manual_seed(seed)
    mean, std = codes.mean(0), codes.std(0)
    whitened = (codes - mean) / std
    initialise(mapping, rng)
    optimiser = torch.optim.Adam(mapping.parameters(), lr=2e-3, betas=(0.5, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    z_dim = mapping.get_submodule("fc0").get_parameter("weight").shape[1]
    loss = torch.zeros(())
    for _ in range(steps):
        z = torch.randn(1024, z_dim, generator=rng)
        pick = torch.randint(len(whitened), (1024,), generator=rng)
        loss = sliced_distance((mapping.to_w(z) - mean) / std, whitened[pick], rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        mapping.w_avg.copy_(mapping.to_w(torch.randn(20_000, z_dim, generator=rng)).mean(0))
    return float(loss.detach())


def sliced_distance(a: Tensor, b: Tensor, rng: torch.Generator, *, directions: int = 256) -> Tensor:
    """Mean squared difference of sorted projections of two equally large clouds [n, d], dense and sparse directions."""
    d = a.shape[1]
    dense = torch.randn(d, directions, generator=rng)
    sparse = torch.zeros(d, directions)
    for _ in range(3):
        sparse[torch.randint(d, (directions,), generator=rng), torch.arange(directions)] += torch.randn(
            directions, generator=rng
        )
    total = a.new_zeros(())
    for axes in (F.normalize(dense, dim=0), F.normalize(sparse, dim=0)):
        total = total + (torch.sort(a @ axes, dim=0).values - torch.sort(b @ axes, dim=0).values).square().mean()
    return total
