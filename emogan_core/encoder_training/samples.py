"""What an encoder learns from: random codes with their pictures, and pictures whose codes nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import torch
import torch.nn.functional as F
from torch import Tensor

from ..devices import gradients_off
from ..inversion.objective import expect_numbers
from ..networks.build import Generator

LEAST_PSI = 0.5
MIXED = 0.5
"""Share of samples whose finer rows are another face's: codes of photos differ from row to row."""
SEEN_PX = 256
"""Side at which pictures are compared; more than an encoder can tell takes only time."""
GAIN, OFFSET = 0.15, 0.1  # of colours that no sample has
TURN, SCALE, SHIFT = 0.03, 0.03, 0.03  # radians, log, half sides: what landmarks err by


def random_codes(generator: Generator, n: int, rng: torch.Generator, *, mixed: float = MIXED) -> Tensor:
    """ws [n, num_ws, w_dim] of random psi and class; a share has two faces' rows, one's before and the other's after."""
    spec, device = generator.spec, generator.device
    z = torch.randn(2 * n, spec.z_dim, generator=rng, device=device)
    if spec.c_dim:
        w = generator.mapping.to_w_of(z, torch.randint(spec.c_dim, (2 * n,), generator=rng, device=device))
    else:
        w = generator.mapping.to_w(z)
    psi = LEAST_PSI + (1 - LEAST_PSI) * torch.rand(2 * n, 1, generator=rng, device=device)
    one, other = generator.w_avg.lerp(w, psi).chunk(2)
    begin = torch.randint(1, spec.num_ws, (n, 1), generator=rng, device=device)
    is_other = (torch.rand(n, 1, generator=rng, device=device) < mixed) & (
        torch.arange(spec.num_ws, device=device) >= begin
    )  # [n, num_ws]
    return torch.where(is_other[..., None], other[:, None], one[:, None])


def drawn(generator: Generator, ws: Tensor) -> Tensor:
    """The generator's pictures as they are compared, [n, 3, s, s] with s at most SEEN_PX.

    Raises: CheckpointError when it draws NaN.
    """
    with gradients_off():
        pictures = generator.synthesis(ws)
    expect_numbers(generator, pictures)
    return reduced(pictures.clamp(-1, 1), seen_px(generator))


def seen_px(generator: Generator) -> int:
    """The side at which a generator's pictures are compared."""
    return min(generator.spec.resolution, SEEN_PX)


def reduced(pictures: Tensor, side: int) -> Tensor:
    """Averaged down to a side, or as they are."""
    return pictures if pictures.shape[-1] <= side else F.adaptive_avg_pool2d(pictures, side)


def step_rng(device: torch.device, seed: int, step: int) -> torch.Generator:
    """The randomness of one step alone: the same after a restart."""
    return torch.Generator(device).manual_seed((seed * 1_000_003 + step) % (1 << 63))


def labelled_pictures(generator: Generator, seed: int, *, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Without end: pictures [size, 3, s, s] with ws [size, num_ws, w_dim] whose rows are one code."""
    for group in count():
        ws = random_codes(generator, size, step_rng(generator.device, seed, group), mixed=0.0)
        yield drawn(generator, ws), ws


def varied(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """[n, 3, h, w] in [-1, 1] in other colours and light, slightly moved: no code need draw them exactly."""
    n, device = len(pictures), pictures.device

    def spread(width: float, *sides: int) -> Tensor:
        return (2 * torch.rand(n, *sides, generator=rng, device=device) - 1) * width

    light = spread(GAIN, 1, 1, 1) + spread(GAIN / 2, 3, 1, 1)
    colours = pictures * light.exp() + spread(OFFSET, 1, 1, 1) + spread(OFFSET / 2, 3, 1, 1)
    return moved(colours.clamp(-1, 1), rng)


def moved(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Slightly turned, scaled and shifted, as landmarks err, and every second one mirrored."""
    n, device = len(pictures), pictures.device
    numbers = torch.randn(4, n, generator=rng, device=device)
    angle, scale, shift = TURN * numbers[0], torch.exp(SCALE * numbers[1]), SHIFT * numbers[2:]
    mirror = torch.where(torch.rand(n, generator=rng, device=device) < 0.5, -1.0, 1.0)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([mirror * cos, -sin, shift[0]], 1), torch.stack([mirror * sin, cos, shift[1]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
