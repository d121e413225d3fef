"""Random views of cropped faces, framed as a detector would frame them, for training the landmark net."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..networks.landmarks import INPUT_SIZE, MIRROR_ORDER
from .landmark_runs import mirrored_into, through_jpeg


@dataclass(frozen=True, slots=True)
class ViewConfig:
    """Random variation of views of the published crop; shares are probabilities, lengths are in sides of the crop."""

    side: tuple[float, float] = (1.05, 2.0)
    rotated_far: float = 0.3
    shift: float = 0.16
    stretch: float = 0.06
    inset: float = 0.12
    negatives: float = 0.25
    gray: float = 0.3
    jpeg: float = 0.12
    photographed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class FaceTable:
    """Faces in memory: images [n, 3, side, side] uint8, landmarks [n, 5, 2] in 0..1 of the crop, angles [n, 2]."""

    images: torch.Tensor
    landmarks: torch.Tensor
    angles_deg: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A training batch: images [n, 3, 64, 64] in [-1, 1], landmarks [n, 5, 2] in px, angles [n, 2], is_face [n]."""

    images: torch.Tensor
    landmarks: torch.Tensor
    angles_deg: torch.Tensor
    is_face: torch.Tensor
    face_px: torch.Tensor


def draw_views(
    faces: FaceTable, textures: torch.Tensor, rows: torch.Tensor, *, config: ViewConfig, rng: torch.Generator
) -> Views:
    """One random view of each of the chosen rows of a face table; some are turned into non-faces."""
    n = len(rows)
    kind = _pick(rng, n, (1 - config.negatives, *([config.negatives / 4] * 4)))
    linear, centre, side = _poses(n, kind, config, rng)
    mirrored = torch.rand(n, generator=rng) < 0.5
    linear[mirrored] = torch.tensor([[-1.0, 0.0], [0.0, 1.0]]) @ linear[mirrored]
    centre[mirrored, 0] = 1 - centre[mirrored, 0]
    points = torch.einsum("nij,nkj->nki", torch.linalg.inv(linear), faces.landmarks[rows] - centre[:, None])
    points = torch.where(mirrored[:, None, None], points[:, list(MIRROR_ORDER)], points)
    angles = faces.angles_deg[rows] * torch.where(mirrored, -1.0, 1.0)[:, None].pow(torch.tensor([1.0, 0.0]))
    drawn = _draw(faces.images[rows], textures, linear, centre, kind, config, rng)
    return Views(
        images=_photographed(drawn, config, rng) if config.photographed else drawn * 2 - 1,
        landmarks=(points + 0.5) * INPUT_SIZE,
        angles_deg=angles,
        is_face=kind == 0,
        face_px=INPUT_SIZE / side,
    )


def _poses(
    n: int, kind: torch.Tensor, config: ViewConfig, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Maps from the view (-0.5..0.5) to the crop (0..1): linear [n, 2, 2], centre [n, 2], and the view's side [n].

    kind: 0 a face, 1 a texture, 2 too close, 3 beside the face, 4 rotated to its side or upside down.
    """
    low, high = math.log(config.side[0]), math.log(config.side[1])
    side = (low + (high - low) * torch.rand(n, generator=rng)).exp()
    side = torch.where(kind == 2, 0.2 + 0.25 * torch.rand(n, generator=rng), side)
    small = torch.randn(n, generator=rng) * 8
    far = (torch.rand(n, generator=rng) - 0.5) * 70
    over = 90 + 180 * torch.rand(n, generator=rng)
    degrees = torch.where(torch.rand(n, generator=rng) < config.rotated_far, far, small)
    angle = torch.deg2rad(torch.where(kind == 4, over, degrees))
    stretch = 1 + config.stretch * (2 * torch.rand(n, 2, generator=rng) - 1)
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=-1).reshape(n, 2, 2)
    shift = config.shift * side[:, None] * (2 * torch.rand(n, 2, generator=rng) - 1)
    shift = torch.where((kind == 2)[:, None], torch.rand(n, 2, generator=rng) - 0.5, shift)
    direction = 2 * math.pi * torch.rand(n, generator=rng)
    beside = (0.55 + 0.4 * torch.rand(n, generator=rng)) * side
    shift = torch.where(
        (kind == 3)[:, None], torch.stack([direction.cos(), direction.sin()], -1) * beside[:, None], shift
    )
    return rotation * (side[:, None] * stretch)[:, None, :], 0.5 + shift, side


def _draw(
    images: torch.Tensor,
    textures: torch.Tensor,
    linear: torch.Tensor,
    centre: torch.Tensor,
    kind: torch.Tensor,
    config: ViewConfig,
    rng: torch.Generator,
) -> torch.Tensor:
    """Views [n, 3, 64, 64] in 0..1: the crop, and around it its reflection or border fading into another picture.

    The end of the published crop depends on its landmarks; a random inset hides that from the net.
    """
    n = len(images)
    steps = (torch.arange(INPUT_SIZE) + 0.5) / INPUT_SIZE - 0.5
    view = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)  # [c, c, 2], (x, y)
    where = torch.einsum("nij,yxj->nyxi", linear, view) + centre[:, None, None]
    low = (config.inset * torch.rand(n, 2, generator=rng))[:, None, None]
    high = 1 - (config.inset * torch.rand(n, 2, generator=rng))[:, None, None]
    outside = torch.maximum(low - where, where - high).clamp(min=0).amax(-1)  # [n, c, c]
    folded = mirrored_into(where, low, high)
    border = torch.minimum(torch.maximum(where, low), high)
    mirrors = ((torch.rand(n, generator=rng) < 0.6) & (kind != 3))[:, None, None, None]
    face = _sampled(images, torch.where(mirrors, folded, border) * 2 - 1)

    backdrop_map = torch.randn(n, 2, 2, generator=rng)
    backdrop_map = (
        backdrop_map / backdrop_map.norm(dim=(1, 2), keepdim=True) * (0.5 + 1.2 * torch.rand(n, 1, 1, generator=rng))
    )
    backdrop = textures[torch.randint(len(textures), (n,), generator=rng)]
    other = images[torch.randperm(n, generator=rng)].flip(2)  # upside down: a face's colours without a face
    is_other = torch.rand(n, generator=rng) < 0.3
    backdrop = torch.where(is_other[:, None, None, None], other, backdrop)
    behind = _sampled(backdrop, 2 * torch.einsum("nij,yxj->nyxi", backdrop_map, view) + 0.3)
    reach = 0.01 + 0.5 * torch.rand(n, generator=rng) ** 2
    fade = (outside / reach[:, None, None]).clamp(max=1)
    fade = torch.where((torch.rand(n, generator=rng) < 0.25)[:, None, None], torch.zeros_like(fade), fade)
    fade = torch.where((kind == 1)[:, None, None], torch.ones_like(fade), fade)[:, None]
    return face * (1 - fade) + behind * fade


def _sampled(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return F.grid_sample(images.float() / 255, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _photographed(images: torch.Tensor, config: ViewConfig, rng: torch.Generator) -> torch.Tensor:
    """Light, colour, blur, noise, an occluding patch and JPEG, each for some of the views; to [-1, 1]."""
    n = len(images)

    def chosen(share: float) -> torch.Tensor:
        return (torch.rand(n, generator=rng) < share)[:, None, None, None]

    def spread(width: float, *shape: int) -> torch.Tensor:
        return width * (2 * torch.rand(n, *shape, generator=rng) - 1)

    images = torch.where(chosen(config.gray), images.mean(1, keepdim=True).expand_as(images), images)
    images = images.clamp(1e-3, 1) ** spread(0.5, 1, 1, 1).exp() * (1 + spread(0.12, 3, 1, 1))
    middle = images.mean((1, 2, 3), keepdim=True)
    images = (images - middle) * spread(0.45, 1, 1, 1).exp() + middle + spread(0.15, 1, 1, 1)
    steps = torch.linspace(-1, 1, INPUT_SIZE)
    slope = spread(0.3, 1, 1, 1) * steps + spread(0.3, 1, 1, 1) * steps[:, None]
    images = torch.where(chosen(0.3), images + slope, images)
    soft = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear", align_corners=False)
    images = torch.lerp(images, soft, torch.where(chosen(0.4), torch.rand(n, 1, 1, 1, generator=rng), 0.0))
    noise = torch.randn(images.shape, generator=rng) * 0.06 * torch.rand(n, 1, 1, 1, generator=rng)
    images = torch.where(chosen(0.4), images + noise, images)
    corner = torch.rand(n, 2, 1, 1, generator=rng) * 2.4 - 1.2
    inside = ((steps - corner[:, :1]).abs() < 0.25) & ((steps[:, None] - corner[:, 1:]).abs() < 0.25)
    images = torch.where(chosen(0.12) & inside, torch.rand(n, 3, 1, 1, generator=rng), images).clamp(0, 1)
    for row in torch.nonzero(torch.rand(n, generator=rng) < config.jpeg).flatten().tolist():
        images[row] = through_jpeg(images[row], int(torch.randint(20, 85, (1,), generator=rng)))
    return images * 2 - 1


def _pick(rng: torch.Generator, n: int, shares: tuple[float, ...]) -> torch.Tensor:
    """Random integers 0, 1, ... with the given shares, [n]."""
    return torch.multinomial(torch.tensor(shares), n, replacement=True, generator=rng)
