"""Dense motion between two pictures: a smooth, robust, coarse-to-fine optical flow that runs in batches.

Convention: a flow [n, 2, s, s] holds (x, y) in pixels of its own grid and points backwards: the second picture at p
looks like the first one at p + flow(p).
Source: the robust energy and warping scheme of Brox et al. 2004, with a quadratic smoothness term.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

COARSEST = 16
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """How stiff and how trusting the flow is.

    Convention: `smoothness` weighs the flow's gradient against the data; `robustness` is the difference (in local
    standard deviations) from which a pixel counts as changed rather than moved; `colour` weighs red-green against
    luma; `window` is the share of the picture over which contrast is normalised, `contrast_floor` the deviation (of a
    range of 2) below which contrast is noise; `warps` re-linearise, `relaxations` solve, on each level.
    """

    smoothness: float = 1.0
    robustness: float = 0.05
    colour: float = 0.5
    window: float = 0.08
    contrast_floor: float = 0.08
    warps: int = 3
    relaxations: int = 20


def flow_between(first: Tensor, second: Tensor, *, config: FlowConfig) -> Tensor:
    """Backward flows [n, 2, s, s] that carry `first` [n, 3, s, s] onto `second`."""
    both = contrast(torch.cat([first, second]), config=config)
    a, b = both.chunk(2)
    size = first.shape[-1]
    sides = [size]
    while sides[-1] >= 2 * COARSEST:
        sides.append(sides[-1] // 2)
    flow = a.new_zeros(a.shape[0], 2, sides[-1], sides[-1])
    for side in reversed(sides):
        flow = resized_flow(flow, side)
        flow = _refined(_shrunk(a, side), _shrunk(b, side), flow, config=config)
    return flow


def contrast(images: Tensor, *, config: FlowConfig) -> Tensor:
    """[n, 2, s, s]: luma and red-green, freed of local mean and contrast, so that light is not taken for motion."""
    sigma = config.window * images.shape[-1]
    luma = (images * images.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    planes = torch.cat([luma, images[:, :1] - images[:, 1:2]], dim=1)  # [n, 2, s, s]
    centred = planes - blurred(planes, sigma)
    floor = centred.new_tensor([config.contrast_floor, config.contrast_floor / 2]).view(1, 2, 1, 1)
    return centred / (blurred(centred.square(), sigma) + floor.square()).sqrt()


def _refined(a: Tensor, b: Tensor, flow: Tensor, *, config: FlowConfig) -> Tensor:
    """One level: linearise the data term around the flow, solve for the increment, repeat."""
    weights = a.new_tensor([1.0, config.colour]).view(1, 2, 1, 1)
    bx, by = gradient(b)
    for _ in range(config.warps):
        moved = warped(a, flow)
        ax, ay = gradient(moved)
        gx, gy, gt = (ax + bx) / 2, (ay + by) / 2, moved - b
        trust = weights / (gt.square() + config.robustness**2).sqrt()
        xx, xy, yy, xt, yt = (
            (trust * product).sum(1, keepdim=True) for product in (gx * gx, gx * gy, gy * gy, gx * gt, gy * gt)
        )
        pull = 4 * config.smoothness
        xx, yy = xx + pull, yy + pull
        determinant = xx * yy - xy * xy
        step = torch.zeros_like(flow)
        for _ in range(config.relaxations):
            rest = config.smoothness * _neighbours(flow + step) - pull * flow
            rx, ry = rest[:, :1] - xt, rest[:, 1:] - yt
            step = torch.cat([yy * rx - xy * ry, xx * ry - xy * rx], dim=1) / determinant
        flow = flow + step.clamp(-1, 1)  # beyond one pixel the linearisation says nothing
    return flow


def compose(flows: Tensor) -> Tensor:
    """One flow [1, 2, s, s] from consecutive ones [k, 2, s, s], first to last."""
    total = torch.zeros_like(flows[:1])
    for flow in torch.split(flows, 1):
        total = flow + warped(total, flow)
    return total


def warped(images: Tensor, flow: Tensor, *, mode: str = "bilinear") -> Tensor:
    """images [n, c, s, s] sampled at p + flow(p); beyond the edge the edge goes on."""
    height, width = images.shape[-2:]
    ys = torch.arange(height, device=flow.device, dtype=flow.dtype).view(1, -1, 1) + 0.5
    xs = torch.arange(width, device=flow.device, dtype=flow.dtype).view(1, 1, -1) + 0.5
    grid = torch.stack([(xs + flow[:, 0]) * (2 / width) - 1, (ys + flow[:, 1]) * (2 / height) - 1], dim=-1)
    return F.grid_sample(images, grid, mode=mode, padding_mode="border", align_corners=False)


def resized_flow(flow: Tensor, side: int) -> Tensor:
    """The same motion on another grid, in that grid's pixels."""
    if flow.shape[-1] == side:
        return flow
    mode = "bicubic" if side > flow.shape[-1] else "area"
    return F.interpolate(flow, size=(side, side), mode=mode) * (side / flow.shape[-1])


def jacobian(flow: Tensor) -> Tensor:
    """[n, 1, s, s]: by how much area p + flow(p) stretches; zero or less where it folds over itself."""
    dx, dy = gradient(flow)
    return ((1 + dx[:, 0]) * (1 + dy[:, 1]) - dx[:, 1] * dy[:, 0]).unsqueeze(1)


def gradient(planes: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and y, same shape."""
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    along_x = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    along_y = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    return along_x, along_y


def blurred(planes: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [n, c, h, w]; beyond the edge the edge goes on."""
    channels, reach = planes.shape[1], int(3 * sigma + 0.5)
    if reach == 0:
        return planes
    offsets = torch.arange(-reach, reach + 1, device=planes.device, dtype=planes.dtype)
    kernel = torch.exp(-offsets.square() / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).expand(channels, 1, 1, -1)  # [c, 1, 1, 2 reach + 1]
    rows = F.conv2d(F.pad(planes, (reach, reach, 0, 0), mode="replicate"), kernel, groups=channels)
    padded = F.pad(rows, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(padded, kernel.transpose(2, 3), groups=channels)


def _neighbours(planes: Tensor) -> Tensor:
    """Sum over the four neighbours."""
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    return padded[:, :, 1:-1, 2:] + padded[:, :, 1:-1, :-2] + padded[:, :, 2:, 1:-1] + padded[:, :, :-2, 1:-1]


def _shrunk(planes: Tensor, side: int) -> Tensor:
    return planes if planes.shape[-1] == side else F.interpolate(planes, size=(side, side), mode="area")
