"""What networks of the user add to an inversion: a perceptual loss (LPIPS), and a loss of identity (ArcFace)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..devices import gradients_off, ordinary
from ..faces import Crop, drawn_face, recognised_quad
from ..images import photo_from_tensor
from ..networks.perceptual import PerceptualNet
from ..networks.recogniser import FaceRecogniser
from .objective import Target, Weights

N = TypeVar("N", bound=nn.Module)
Measure = Callable[[Tensor], Tensor]
"""Pictures [n, 3, r, r] to how far each is from what it shall show, [n]; 0 where they are the same."""

PERCEPTUAL, IDENTITY = "perceptual_distance", "identity_distance"
LIKENESS_DISTANCES = (PERCEPTUAL, IDENTITY)
"""Names of an inversion's metrics that networks of the user add."""

FINER = 2  # faces are sampled so much finer than they are recognised, and averaged


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Networks of the user that say how alike two pictures are, where there are any.

    Convention: they are never changed; on another device than theirs copies do the work.
    """

    perceptual: PerceptualNet | None = None
    identity: FaceRecogniser | None = None


def measures_of(likeness: Likeness, target: Target) -> dict[str, Measure]:
    """By name, how far pictures [n, 3, r, r] are from a target's, [n]: LPIPS, and one minus the cosine of descriptors.

    What the networks see in the target is looked at once.
    """
    device, found = target.images.device, dict[str, Measure]()
    with gradients_off():
        images = ordinary(target.images)
        if (perceptual := _moved(likeness.perceptual, device)) is not None:
            found[PERCEPTUAL] = _perceptual_measure(perceptual, perceptual(images), target)
        if (identity := _moved(likeness.identity, device)) is not None:
            grid = torch.cat([_grid(one[None], identity.side) for one in images.cpu()]).to(images)
            found[IDENTITY] = _identity_measure(identity, identity(_recognised(images, grid)), grid, target)
    return found


def likeness_loss(measures: Mapping[str, Measure], drawn: Tensor, weights: Weights) -> Tensor:
    """[n]: what is to be added to an inversion's objective."""
    shares = {PERCEPTUAL: weights.perceptual, IDENTITY: weights.identity}
    terms = [shares[name] * measure(drawn) for name, measure in measures.items()]
    return torch.stack(terms).sum(dim=0) if terms else drawn.new_zeros(len(drawn))


def _perceptual_measure(network: PerceptualNet, wanted: list[Tensor], target: Target) -> Measure:
    return lambda drawn: network.distance(target.masked(drawn), wanted)


def _identity_measure(network: FaceRecogniser, wanted: Tensor, grid: Tensor, target: Target) -> Measure:
    return lambda drawn: (1 - (network(_recognised(target.masked(drawn), grid)) * wanted).sum(dim=1)).clamp_min(0)


def _moved(network: N | None, device: torch.device) -> N | None:
    if network is None or next(network.parameters()).device == device:
        return network
    return copy.deepcopy(network).to(device)


def _grid(picture: Tensor, recognised: int) -> Tensor:
    """Where in a picture [1, 3, r, r] its face is looked at by a recogniser of that side, [1, h, w, 2] in -1..1."""
    photo = photo_from_tensor(picture)
    landmarks = drawn_face(photo).landmarks
    side, fine = picture.shape[-1], FINER * recognised
    to_picture = Crop(recognised_quad(landmarks), landmarks, "").to_photo(fine)
    centres = torch.arange(fine, dtype=torch.float64) + 0.5
    x, y = torch.meshgrid(centres, centres, indexing="xy")
    places = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ torch.from_numpy(to_picture).T
    return (2 * places / side - 1)[None]


def _recognised(images: Tensor, grid: Tensor) -> Tensor:
    """Faces as a recogniser wants them, [n, 3, side, side]."""
    if images.shape[-1] > 2 * grid.shape[1]:
        images = F.adaptive_avg_pool2d(images, 2 * grid.shape[1])
    fine = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return F.avg_pool2d(fine, FINER)
