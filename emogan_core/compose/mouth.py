"""Parting closed lips along the photo's own mouth line.

Motion alone can only stretch what is there, so a smile that shows teeth would be drawn on the lips. Instead the line
where the photo's lips meet is found, the lips are moved apart from it, and what shows between them is a plain surface
in the colour of teeth or of a dark mouth. How far they part, and which of the two it is, is what the generator says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..faces import Crop
from .flow import LUMA, blurred, resized_flow
from .masks import face_mask, mouth_mask, on_crop, smooth_step

SIDE = 256  # of the grid on which lips are looked at: the mouth is then some 70 px wide
SEARCH = 0.22  # of the mouth's length: how far above or below its corners the line may run
NEAR = 0.28  # of the mouth's length: how far from the line new brightness counts as the mouth's
EDGE = 0.004  # of the crop's side: softness of the outline of parted lips in a sharp photo
SOFTER = 4.0  # times as soft again it is in a picture of a few dozen px made large: a sharp strip would lie on it
TEETH = (1.05, 1.0, 0.91)  # warmth of teeth, luma 1
DARK = (0.28, 0.20, 0.19)  # a dark mouth, relative to bright skin


@dataclass(frozen=True, slots=True)
class MouthConfig:
    """How far lips part.

    Convention: `gain` is the gap per new brightness (both in shares of the mouth's length; brightness of a range of 2),
    counted from `least` on; `width` is the gap's width as a share of the mouth's; `reach` the distance, in mouth
    lengths, over which the lips give way; `calm` is the share of the crop over which motion between the lips is
    smoothed, because the generator's teeth are mistaken for lips that moved.
    """

    gain: float = 3.6
    least: float = 0.002
    width: float = 0.8
    reach: float = 0.45
    calm: float = 0.035


@dataclass(frozen=True, slots=True)
class Lips:
    """Where closed lips meet, on a grid of SIDE px.

    Convention: `line` [SIDE] is the height y at each column's centre; `left`, `right` are the columns of the corners;
    `closed` is 1 for lips that surely meet along it and 0 for a mouth that is open already.
    """

    line: Tensor
    left: float
    right: float
    closed: float


@dataclass(frozen=True, slots=True)
class Opening:
    """A gap between the lips, as smooth fields [1, 1, s, s] over the crop after the edit.

    Convention: `below` is the signed height over the mouth line (positive towards the chin), `gap` the gap's height at
    this column, both in shares of the crop's side; `along` runs from -1 to 1 between the corners; `reach` and `edge`,
    the softness of the gap's outline, are shares of the crop's side; `colour` [3] of a range of 2 fills the gap.
    """

    below: Tensor
    gap: Tensor
    along: Tensor
    reach: float
    edge: float
    colour: Tensor


def find_lips(image: Tensor, crop: Crop) -> Lips:
    """The dark line between the lips: the cheapest path from corner to corner through [1, 3, SIDE, SIDE]."""
    corners = on_crop(crop, crop.landmarks[3:5]) * SIDE
    length = max(float(np.hypot(*(corners[1] - corners[0]))), 8.0)
    first, last = (round(corners[i, 0] + (2 * i - 1) * 0.05 * length) for i in (0, 1))
    columns = np.clip(np.arange(first, max(last, first + 8) + 1), 0, SIDE - 1)
    slope = (corners[1, 1] - corners[0, 1]) / max(corners[1, 0] - corners[0, 0], 1.0)
    straight = corners[0, 1] + (columns + 0.5 - corners[0, 0]) * slope
    offsets = np.arange(-int(SEARCH * length), int(SEARCH * length) + 1)
    softened = blurred(image, 1.2)[0].double()
    luma = (softened * torch.tensor(LUMA, dtype=torch.float64).view(3, 1, 1)).sum(0).numpy()
    rows = np.clip((straight[:, None] + offsets).astype(int), 0, SIDE - 1)
    path = straight + offsets[_valley(luma[rows, columns[:, None]])]
    path = np.convolve(np.pad(path, 3, mode="edge"), np.full(7, 1 / 7), "valid")
    centres, order = np.unique(columns + 0.5, return_index=True)
    line = np.interp(np.arange(SIDE) + 0.5, centres, path[order])
    closed = _closedness(softened.numpy(), line, corners, length)
    return Lips(torch.from_numpy(line).float(), float(corners[0, 0]), float(corners[1, 0]), closed)


def _valley(luma: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each column the offset of the darkest connected path through luma [columns, offsets]: dynamic programming."""
    count, width = luma.shape
    height = np.linspace(-1, 1, width)
    at_corner = np.abs(np.linspace(-1, 1, count)) ** 4  # near the corners the landmarks know best
    cost = luma - np.median(luma, axis=1, keepdims=True)
    cost = cost + 0.25 * height**2 + 0.5 * at_corner[:, None] * np.abs(height)
    total, steps = cost[0], []
    for column in cost[1:]:
        padded = np.pad(total, 1, constant_values=np.inf)
        ways = np.stack([padded[:-2] + 0.04, padded[1:-1], padded[2:] + 0.04])
        steps.append(ways.argmin(0) - 1)
        total = ways.min(0) + column
    path = [int(total.argmin())]
    for step in reversed(steps):
        path.append(path[-1] + int(step[path[-1]]))
    return np.array(path[::-1])


def _closedness(
    image: NDArray[np.float64], line: NDArray[np.float64], corners: NDArray[np.float64], length: float
) -> float:
    """1 when both sides of the line look like lips; teeth below it are paler and brighter than the lip above."""
    middle = np.arange(int(corners[0, 0] + 0.25 * length), int(corners[1, 0] - 0.25 * length) + 1).clip(0, SIDE - 1)
    step = max(2, int(0.05 * length))
    above, below = (image[:, np.clip(line[middle].astype(int) + s, 0, SIDE - 1), middle] for s in (-step, step))
    redder = float(((below[0] - below[1]) - (above[0] - above[1])).mean())
    brighter = float(np.abs((below - above).mean(0)).mean())
    return float(smooth_step(torch.tensor((redder + 0.13) / 0.1)) * smooth_step(torch.tensor((0.32 - brighter) / 0.14)))


def calmed(flow: Tensor, crop: Crop, *, config: MouthConfig) -> Tensor:
    """The flow [1, 2, s, s], smoothed between the lips but not at the corners of the mouth."""
    side = flow.shape[-1]
    mouth = mouth_mask(crop, side, width=0.55, height=0.35, feather=0.6)
    return flow + mouth * (blurred(flow, config.calm * side) - flow)


def opening_of(own: Tensor, shading: Tensor, flow: Tensor, crop: Crop, *, config: MouthConfig) -> Opening | None:
    """The gap that new brightness or darkness at the mouth asks for; None for a mouth that is open or stays closed.

    Convention: own [1, 3, SIDE, SIDE] is the photo's crop; shading [1, 3, s, s] and flow [1, 2, s, s] are the edit's.
    """
    lips = find_lips(own, crop)
    length = lips.right - lips.left
    if length < 8 or lips.closed == 0:
        return None
    moved = resized_flow(flow, SIDE)[0]  # [2, SIDE, SIDE]
    centres = torch.arange(SIDE) + 0.5
    xs, ys = centres.view(1, -1) + moved[0], centres.view(-1, 1) + moved[1]
    below = ys - _read(lips.line, xs)
    along = (xs - (lips.left + lips.right) / 2) / (length / 2)
    luma = (shading * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    luma = F.interpolate(luma, size=(SIDE, SIDE), mode="bicubic")[0, 0]
    news = _news(luma, below / length, along) * float(lips.closed)
    height = config.gain * max(0.0, abs(news) - config.least) * length  # px
    if height < 0.1:
        return None
    shape = (1 - (along / config.width).square()).clamp(0, 1) ** 0.8
    gap = height * shape * face_mask(crop, SIDE, feather=0.25)[0, 0]
    return Opening(
        below=below[None, None] / SIDE,
        gap=gap[None, None] / SIDE,
        along=along[None, None],
        reach=config.reach * length / SIDE,
        edge=EDGE * (1 + SOFTER * softness(own)),
        colour=_filling(own, crop, teeth=news > 0),
    )


def softness(image: Tensor) -> float:
    """From 0 for a sharp photo to 1 for a small picture made large, of [1, 3, SIDE, SIDE].

    How nearly brightness changes four times as much over 4 px as over 1: edges and pores keep it from doing so (ten
    photos: 0.61 to 0.69), pictures of 64 and 128 px enlarged do it (0.92 to 0.97).
    """
    luma = (image[0] * torch.tensor(LUMA).view(3, 1, 1)).sum(0)
    near, far = ((luma[px:] - luma[:-px]).abs().mean() + (luma[:, px:] - luma[:, :-px]).abs().mean() for px in (1, 4))
    return float(smooth_step((far / (4 * near).clamp_min(1e-6) - 0.75) / 0.2))


def _news(luma: Tensor, below: Tensor, along: Tensor) -> float:
    """New brightness across the middle of the mouth, in mouth lengths times luma; negative when it is darkness."""
    window = torch.exp(-((below / NEAR) ** 2))
    columns = (1 - (along / 0.6) ** 2).clamp_min(0)
    heights = window * luma * columns  # [SIDE, SIDE]
    crossed = (columns * (below.abs() < 0.5)).amax(0).sum().clamp_min(1.0)  # columns, weighted, that cross the mouth
    row = float((below[1:] - below[:-1]).median())  # height of one grid row, in mouth lengths
    return float(heights.sum() / crossed) * row


def _filling(own: Tensor, crop: Crop, *, teeth: bool) -> Tensor:
    """[3] of a range of 2: teeth as bright as this face's bright skin, or a dark mouth; as gray as the photo is."""
    mask = face_mask(crop, SIDE, feather=0.25)[0, 0]
    skin = mask > 0.9 * mask.max()
    colours = own[0][:, skin]  # [3, pixels]
    luma = (colours * torch.tensor(LUMA).view(3, 1)).sum(0)
    bright, highlight = (float(luma.quantile(share)) + 1 for share in (0.75, 0.98))
    light = max(bright + 0.2, 0.95 * highlight)  # dark skin tells the light by its highlights
    filling = light * torch.tensor(TEETH) if teeth else bright * torch.tensor(DARK)
    chroma = float((colours - colours.mean(0, keepdim=True)).abs().mean())
    gray = filling.mean().expand(3)
    return gray + (filling - gray) * min(1.0, chroma / 0.08) - 1


def _read(line: Tensor, x: Tensor) -> Tensor:
    """The line's height at columns x, linear between column centres."""
    grid = torch.stack([2 * x / SIDE - 1, torch.zeros_like(x)], dim=-1).unsqueeze(0)
    return F.grid_sample(line.view(1, 1, 1, -1), grid, padding_mode="border", align_corners=False)[0, 0]


def parting(below: Tensor, gap: Tensor, reach: float) -> Tensor:
    """How much farther down the photo is read so that lips move apart from the line by half the gap each.

    Convention: all in one unit; the displacement jumps from side to side of the line, inside the gap, and is 0 from
    `reach` on.
    """
    half, distance = gap / 2, below.abs()
    rest = (1 - (distance - half) / (reach - half).clamp_min(1e-6)).clamp(0, 1)
    source = (distance - half * rest.square()).clamp_min(0)
    return (source - distance) * below.sign()


def between(below: Tensor, gap: Tensor, along: Tensor, colour: Tensor, edge: float) -> tuple[Tensor, Tensor]:
    """What shows between parted lips: opacity [h, w] and colour [h, w, 3] of a range of 2.

    It lies in the upper lip's shadow, and darkens towards the corners. `edge` is the softness of its outline, in the
    unit of `below`.
    """
    depth = ((below + gap / 2) / gap.clamp_min(1e-6)).clamp(0, 1)  # 0 at the upper lip, 1 at the lower
    light = (0.7 + 0.3 * smooth_step(depth / 0.45)) * (1 - 0.12 * smooth_step((depth - 0.7) / 0.3))
    light = light * (1 - 0.55 * (along.abs() / 0.8).clamp(0, 1) ** 2.2)
    opacity = smooth_step((gap / 2 - below.abs()) / edge + 0.5) * smooth_step(gap / (1.25 * edge))
    return opacity, (colour + 1) * light.unsqueeze(-1) - 1
