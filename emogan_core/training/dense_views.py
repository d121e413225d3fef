"""Faces with their 478 points in memory, and random views of whole faces, eyes and lips for the dense landmark net."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from ..faces import Crop, cut, frame_quad
from ..faces.dense import EYE_LIFT, EYE_SIDE, FACE_SIDE, LIPS_SIDE
from ..images import Photo
from ..networks.dense_landmarks import (
    EYE_POINTS,
    EYE_SIZE,
    FACE_SIZE,
    FIVE,
    IRISES,
    LID_POINTS,
    LIPS_POINTS,
    LIPS_SIZE,
)
from .landmark_runs import mirrored_into, through_jpeg

Draw = Callable[..., "DenseViews"]
"""One of `draw_faces`, `draw_eyes`, `draw_lips`."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseTable:
    """Faces in memory: images [n, 3, side, side] uint8, points complex [n, 478] in 0..1 of the crop, people's names."""

    images: torch.Tensor
    points: torch.Tensor
    people: tuple[str, ...]

    def rows(self, keep: torch.Tensor) -> DenseTable:
        """The faces where `keep` [n] is true."""
        chosen = torch.nonzero(keep).flatten().tolist()
        return DenseTable(self.images[keep], self.points[keep], tuple(self.people[i] for i in chosen))


@dataclass(frozen=True, slots=True, eq=False)
class MeanFace:
    """The symmetric mean face in the tight frame, [478, 2] in 0..1, and which point each becomes in the mirror image, [478]."""

    shape: torch.Tensor
    mirror_order: torch.Tensor


@dataclass(frozen=True, slots=True)
class ViewConfig:
    """Random variation of views: standard deviations, lengths in sides of the tight frame; shares are probabilities."""

    shift: float = 0.018
    log_side: float = 0.045
    rotation_deg: float = 4.0
    rotated_far: float = 0.12
    five_points: float = 0.010
    closer: float = 0.6  # factor of shift, log_side and rotation for views of eyes and lips
    stretch: float = 0.04
    inset: float = 0.06
    faded: float = 0.4
    gray: float = 0.3
    gamma: float = 0.5
    dim: float = 0.25
    sloped: float = 0.3
    soft: float = 0.3
    noisy: float = 0.25
    jpeg: float = 0.1
    covered: float = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class DenseViews:
    """A batch of one kind of view: images [n, 3, size, size] in [-1, 1], points [n, p, 2] in 0..1 of the view.

    eye_distance [n] is in the same unit.
    """

    images: torch.Tensor
    points: torch.Tensor
    eye_distance: torch.Tensor


def read_table(
    archive: Path, landmarks: Path, people: dict[str, str], *, side: int, context: float | None = None
) -> DenseTable:
    """Pictures of a zip with their points, `side` px wide; with `context`, a square that many tight frames wide."""
    with np.load(landmarks, allow_pickle=False) as labels:
        files, points = labels["files"].tolist(), labels["landmarks"][..., :2].astype(np.float64) / 8
    images, places = [], []
    with zipfile.ZipFile(archive) as pictures:
        for file, p in zip(files, points, strict=True):
            with Image.open(io.BytesIO(pictures.read(file))) as picture:
                image, where = _stored(picture.convert("RGB"), p, side, context)
            images.append(torch.from_numpy(image).permute(2, 0, 1))
            places.append(where)
    return DenseTable(torch.stack(images), _complex(np.stack(places)), tuple(people[file] for file in files))


def _stored(
    picture: Image.Image, points: NDArray[np.float64], side: int, context: float | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A picture and its points as the table keeps them."""
    if context is None:
        if picture.width != side:
            points, picture = points * side / picture.width, picture.resize((side, side), Image.Resampling.BOX)
        return np.array(picture), points / side
    five = points[list(FIVE)]
    quad = frame_quad(five, "tight")
    crop = Crop(quad=quad.mean(0) + context * (quad - quad.mean(0)), landmarks=five, frame="tight")
    pixels = ((cut(Photo(np.array(picture)), crop, side)[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    matrix = crop.from_photo(1)
    return pixels, points @ matrix[:, :2].T + matrix[:, 2]


def _complex(points: NDArray[np.float64]) -> torch.Tensor:
    return torch.view_as_complex(torch.from_numpy(points.astype(np.float32)).contiguous())


def tight_frames(five: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre and upper edge, complex [n], of the tight frames around five points, complex [n, 5]."""
    left, right, mouth = five[:, 0], five[:, 1], (five[:, 3] + five[:, 4]) / 2
    eyes = (left + right) / 2
    down = mouth - eyes
    across = (right - left) - 1j * down
    side = 1.24 * torch.maximum(2.0 * (right - left).abs(), 1.8 * down.abs())
    return eyes + 0.35 * down, side * across / across.abs()


def fitted_frames(points: torch.Tensor, mean_shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre and upper edge, complex [n], of the tight frames in which points, complex [n, 478], fit the mean face best."""
    shape = torch.view_as_complex(mean_shape.contiguous())[: IRISES[0]]
    middle = shape.mean()
    place = points[:, : IRISES[0]]
    edge = (place * (shape - middle).conj()).sum(1) / (shape - middle).abs().square().sum()
    return place.mean(1) + edge * (complex(0.5, 0.5) - middle), edge


def draw_faces(
    table: DenseTable, rows: torch.Tensor, mean: MeanFace, *, config: ViewConfig, rng: torch.Generator
) -> DenseViews:
    """Whole faces, half of them framed by five points and half by all, then varied, half of them mirrored."""
    points = table.points[rows]
    mirrored = torch.rand(len(rows), generator=rng) < 0.5
    five = points[:, list(FIVE)]
    centre, edge = fitted_frames(points, mean.shape)
    five = five + config.five_points * edge.abs()[:, None] * _normal(rng, len(rows), 5)
    by_five = torch.rand(len(rows), generator=rng) < 0.5
    centre, edge = (
        torch.where(by_five, one, other) for one, other in zip(tight_frames(five), (centre, edge), strict=True)
    )
    kind = _Kind(FACE_SIZE, FACE_SIDE, variation=1.0)
    points = torch.where(mirrored[:, None], points[:, mean.mirror_order], points)
    return _draw(table, rows, points, _Squares(centre, edge, mirrored), kind, config=config, rng=rng)


def draw_eyes(
    table: DenseTable, rows: torch.Tensor, mean: MeanFace, *, config: ViewConfig, rng: torch.Generator
) -> DenseViews:
    """Eyes on the picture's left, and mirrored ones of its right."""
    kind = _Kind(EYE_SIZE, EYE_SIDE, variation=config.closer)
    return _draw_part(table, rows, mean, (LID_POINTS, EYE_LIFT, EYE_POINTS), kind, config=config, rng=rng)


def draw_lips(
    table: DenseTable, rows: torch.Tensor, mean: MeanFace, *, config: ViewConfig, rng: torch.Generator
) -> DenseViews:
    """Lips, half of them mirrored."""
    kind = _Kind(LIPS_SIZE, LIPS_SIDE, variation=config.closer)
    return _draw_part(table, rows, mean, (LIPS_POINTS, 0.0, LIPS_POINTS), kind, config=config, rng=rng)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of view: its size in px, its side in tight frames, and a factor of its variation."""

    size: int
    side: float
    variation: float


@dataclass(frozen=True, slots=True, eq=False)
class _Squares:
    """Tight frames: centre and upper edge, complex [n], and which are mirrored."""

    centre: torch.Tensor
    edge: torch.Tensor
    mirrored: torch.Tensor


def _draw_part(
    table: DenseTable,
    rows: torch.Tensor,
    mean: MeanFace,
    part: tuple[tuple[int, ...], float, tuple[int, ...]],
    kind: _Kind,
    *,
    config: ViewConfig,
    rng: torch.Generator,
) -> DenseViews:
    """Views around the mean of some points, moved up by a share of the tight frame, with the points to be predicted."""
    around, lift, predicted = part
    points = table.points[rows]
    mirrored = torch.rand(len(rows), generator=rng) < 0.5
    _, edge = fitted_frames(points, mean.shape)
    points = torch.where(mirrored[:, None], points[:, mean.mirror_order], points)
    centre = points[:, list(around)].mean(1) - 1j * lift * edge
    views = _draw(table, rows, points, _Squares(centre, edge, mirrored), kind, config=config, rng=rng)
    return DenseViews(views.images, views.points[:, list(predicted)], views.eye_distance)


def _draw(
    table: DenseTable,
    rows: torch.Tensor,
    points: torch.Tensor,
    squares: _Squares,
    kind: _Kind,
    *,
    config: ViewConfig,
    rng: torch.Generator,
) -> DenseViews:
    """Randomly varied views of squares; points, complex [n, 478], are numbered as they appear in the view."""
    n = len(rows)
    side = squares.edge.abs()
    middle = torch.view_as_real(squares.centre + config.shift * kind.variation * side * _normal(rng, n))
    angle = torch.deg2rad(config.rotation_deg * kind.variation * torch.randn(n, generator=rng))
    far = torch.deg2rad(40 * (torch.rand(n, generator=rng) - 0.5)) * kind.variation
    angle = torch.where(torch.rand(n, generator=rng) < config.rotated_far, far, angle)
    scale = kind.side * (config.log_side * kind.variation * torch.randn(n, generator=rng)).exp()
    edge = squares.edge * torch.polar(scale, angle)
    across = torch.view_as_real(edge) * torch.where(squares.mirrored, -1.0, 1.0)[:, None]
    down = torch.view_as_real(1j * edge)
    stretched = torch.eye(2) + config.stretch * torch.randn(n, 2, 2, generator=rng) * torch.tensor(
        [[1.0, 0.5], [0.5, 1.0]]
    )
    linear = torch.stack([across, down], dim=-1) @ stretched  # [n, 2, 2], from the view's (x, y) to the crop's
    positions = torch.einsum("nij,nkj->nki", torch.linalg.inv(linear), torch.view_as_real(points) - middle[:, None])
    eye_distance = (positions[:, IRISES[1]] - positions[:, IRISES[0]]).norm(dim=-1)
    images = _sampled(table.images, rows, linear, middle, kind.size, config, rng)
    return DenseViews(photographed(images, config, rng), positions + 0.5, eye_distance)


def _normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    """Complex normal numbers, each part with deviation one."""
    return torch.view_as_complex(torch.randn(*shape, 2, generator=rng))


def _sampled(
    images: torch.Tensor,
    rows: torch.Tensor,
    linear: torch.Tensor,
    middle: torch.Tensor,
    size: int,
    config: ViewConfig,
    rng: torch.Generator,
) -> torch.Tensor:
    """Views [n, 3, size, size] in 0..1; beyond the crop they continue with its reflection, its border, or another picture.

    The end of the crop depends on its points; a random inset hides that from the net.
    """
    n = len(rows)
    steps = (torch.arange(size) + 0.5) / size - 0.5
    view = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    where = torch.einsum("nij,yxj->nyxi", linear, view) + middle[:, None, None]
    if size == EYE_SIZE:
        return _read(images[rows], where)
    low = config.inset * torch.rand(n, 1, 1, 2, generator=rng)
    high = 1 - config.inset * torch.rand(n, 1, 1, 2, generator=rng)
    outside = torch.maximum(low - where, where - high).clamp(min=0).amax(-1)
    folded = mirrored_into(where, low, high)
    mirrors = (torch.rand(n, generator=rng) < 0.6)[:, None, None, None]
    face = _read(images[rows], torch.where(mirrors, folded, torch.minimum(torch.maximum(where, low), high)))
    faded = _some(n, config.faded, rng)
    other = images[rows[torch.randint(n, (len(faded),), generator=rng)]].flip(
        2
    )  # upside down: the colours of a face without a face
    behind = _read(other, (0.3 + 0.6 * torch.rand(len(faded), 1, 1, 1, generator=rng)) * view + 0.5)
    reach = 0.01 + 0.4 * torch.rand(len(faded), 1, 1, generator=rng) ** 2
    face[faded] = torch.lerp(face[faded], behind, (outside[faded] / reach).clamp(max=1)[:, None])
    return face


def _read(images: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    grid = 2 * where - 1
    sampled = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return sampled.mul_(1 / 255)


def _some(n: int, share: float, rng: torch.Generator) -> torch.Tensor:
    """Indices of a random share of n."""
    return torch.nonzero(torch.rand(n, generator=rng) < share).flatten()


def photographed(images: torch.Tensor, config: ViewConfig, rng: torch.Generator) -> torch.Tensor:
    """Light, colour, lower resolution, noise, an occluding patch and JPEG, each for some of the views; to [-1, 1]."""
    images = images.clone()
    n, _, size, _ = images.shape

    def spread(count: int, width: float, channels: int = 1) -> torch.Tensor:
        return width * (2 * torch.rand(count, channels, 1, 1, generator=rng) - 1)

    some = _some(n, config.gray, rng)
    images[some] = images[some].mean(1, keepdim=True)
    some = _some(n, config.gamma, rng)
    images[some] = images[some].clamp_(1e-3, 1).pow_(spread(len(some), 0.5).exp())
    images *= (1 + spread(n, 0.12, 3)) * (1 + spread(n, 0.15))
    some = _some(n, config.dim, rng)
    images[some] *= 0.15 + 0.5 * torch.rand(len(some), 1, 1, 1, generator=rng)
    steps = torch.linspace(-1, 1, size)
    some = _some(n, config.sloped, rng)
    images[some] *= 1 + spread(len(some), 0.36) * steps + spread(len(some), 0.36) * steps[:, None]
    for factor, share in ((2, config.soft), (4, config.soft / 4)):
        some = _some(n, share, rng)
        small = F.avg_pool2d(images[some], factor)
        soft = F.interpolate(small, scale_factor=factor, mode="bilinear", align_corners=False)
        images[some] = images[some].lerp_(soft, torch.rand(len(some), 1, 1, 1, generator=rng))
    some = _some(n, config.noisy, rng)
    strength = 0.06 * torch.rand(len(some), 1, 1, 1, generator=rng)
    images[some] += torch.randn(len(some), 3, size, size, generator=rng) * strength
    for row in _some(n, config.covered, rng).tolist():
        left, top = (torch.rand(2, generator=rng) * 1.1 * size - size / 8).int().tolist()
        cover = torch.rand(3, 1, 1, generator=rng)
        images[row, :, max(0, top) : max(0, top + size // 4), max(0, left) : max(0, left + size // 4)] = cover
    images.clamp_(0, 1)
    for row in _some(n, config.jpeg, rng).tolist():
        images[row] = through_jpeg(images[row], int(torch.randint(25, 85, (1,), generator=rng)))
    return images * 2 - 1
