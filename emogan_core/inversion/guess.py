"""Where optimisation begins without an encoder: the most alike of many samples, by colour and by landmarks."""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..devices import gradients_off, ordinary
from ..faces import drawn_face
from ..images import photo_from_tensor
from ..networks.build import Generator
from ..networks.memory import need_to_draw
from ..networks.sampling import SHOWN_BYTES, sampled
from .objective import Target, expect_numbers

SAMPLES, SEED, PSI = 64, 0, 0.7
COARSE_PX = 16
SHORTLIST = 4  # samples of the nearest colours, whose landmarks are compared


def first_guess(generator: Generator, target: Target, *, seconds: float | None = None) -> Tensor:
    """ws [n, num_ws, w_dim]: for each picture the most alike of the average face and of `SAMPLES` seeded samples.

    The nearest in colour at `COARSE_PX` are compared by their five landmarks too. Within `seconds` it looks at as many as
    it can, one group at least.
    Raises: CheckpointError when the generator draws NaN.
    """
    began = time.monotonic()
    label = 0 if generator.spec.c_dim else None
    with gradients_off():
        average = generator.w_avg.expand(1, generator.spec.num_ws, -1)
        drawn_at_random = sampled(generator, SAMPLES, psi=PSI, seed=SEED, label=label).ws
        codes = torch.cat([average, drawn_at_random])
        wanted = ordinary(target.images)
        seen: list[Tensor] = []
        pictures: list[Tensor] = []
        for group in need_to_draw(generator.spec, device=generator.device.type).groups(len(codes), most=SHOWN_BYTES):
            if seen and seconds is not None and time.monotonic() - began > seconds:
                break
            drawn = generator.synthesis(codes[group])
            expect_numbers(generator, drawn)
            seen.append(_unlike_colours(drawn, wanted, target.ignored))
            pictures.append(drawn.clamp(-1, 1).cpu())
        distances = torch.cat(seen, dim=1).cpu()  # [n, samples]
        ignored = None if target.ignored is None else target.ignored.cpu()
        faces, drawn = Target(wanted.cpu(), ignored), torch.cat(pictures)
        nearest = [_nearest(row, drawn, faces[n : n + 1]) for n, row in enumerate(distances)]
        return codes[torch.tensor(nearest, device=codes.device)]


def _unlike_colours(drawn: Tensor, wanted: Tensor, ignored: Tensor | None) -> Tensor:
    """[n, m]: mean difference of n wanted pictures from m drawn ones, coarse and where they count."""
    coarse, goal = (F.adaptive_avg_pool2d(images, min(COARSE_PX, images.shape[-1])) for images in (drawn, wanted))
    difference = (goal[:, None] - coarse[None]).abs().mean(dim=2)  # [n, m, h, w]
    if ignored is None:
        return difference.mean(dim=(2, 3))
    counts = 1 - F.adaptive_avg_pool2d(ignored, difference.shape[-1])
    return (difference * counts).sum(dim=(2, 3)) / counts.sum(dim=(2, 3)).clamp_min(1e-6)


def _nearest(distances: Tensor, pictures: Tensor, face: Target) -> int:
    """The number of the sample that is most alike, each kind of difference in units of its median.

    Landmarks are found in each sample with gray over what is ignored, so that this misleads both alike.
    """
    order = distances.argsort()[:SHORTLIST].tolist()
    points = _landmarks(face.images)
    by_colour = distances[order].double().numpy()
    by_place = np.array(
        [np.abs(_landmarks(face.masked(pictures[index : index + 1])) - points).mean() for index in order]
    )
    both = by_colour / max(np.median(by_colour), 1e-9) + by_place / max(np.median(by_place), 1e-9)
    return int(order[int(both.argmin())])


def _landmarks(picture: Tensor) -> NDArray[np.float64]:
    """[5, 2] of a picture [1, 3, r, r], in shares of its side."""
    return drawn_face(photo_from_tensor(picture)).landmarks[:5] / picture.shape[-1]
