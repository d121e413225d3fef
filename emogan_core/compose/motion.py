"""What an edit does to a face, told apart: how it moves, and what it newly shades.

A redrawn face is soft and only nearly the person, so neither its pixels nor every detail of its motion can be trusted.
The same edit is therefore also drawn on codes pulled towards the average face, which the generator draws better, and
the motions and the shadings are averaged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.build import Generator
from ..networks.memory import need_to_draw
from ..networks.sampling import drawn_in_groups
from .flow import FlowConfig, blurred, compose, flow_between, jacobian, warped

DRAWN_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """How motion and new shading are read off the sweep from one code to another.

    Convention: `size` is the side in px on which motion is computed; the sweep takes one step per `change_per_step`
    (mean absolute difference of the redrawn faces, of a range of 2), at most `max_steps`; `pulls` are truncations
    towards the average face, averaged with equal weight; `steadiness` is the share of the face's common motion (of the
    head, not of the expression) that is taken out; `symmetry`, from 0 to 1, evens out left and right, because a smile
    on one side only is more often the generator's error than the expression; `amplify` makes up for motion that
    blurred pictures hide; `shading` is the gain of new shading and `shading_window` the share of the crop above whose
    size shading counts as light and is left out; `mouth_shading` is its gain on the mouth; `least_area` bounds how much
    the motion may squeeze.
    """

    size: int = 96
    change_per_step: float = 0.012
    max_steps: int = 4
    pulls: tuple[float, ...] = (1.0, 0.6, 0.3)
    steadiness: float = 1.0
    symmetry: float = 0.8
    amplify: float = 1.15
    shading: float = 0.8
    shading_window: float = 0.06
    mouth_shading: float = 0.1
    least_area: float = 0.2
    flow: FlowConfig = field(default_factory=FlowConfig)


@dataclass(frozen=True, slots=True)
class Motion:
    """An edit as motion and shading on the crop's grid.

    Convention: flow [1, 2, s, s] backwards, in pixels of its grid; shading [1, 3, s, s], to be added, of a range of 2;
    before, after [1, 3, r, r] are the generator's pictures.
    """

    flow: Tensor
    shading: Tensor
    before: Tensor
    after: Tensor


def read_motion(generator: Generator, ws: Tensor, edited: Tensor, face: Tensor, *, config: MotionConfig) -> Motion:
    """Motion and shading between the pictures of two codes.

    Convention: ws, edited [1, num_ws, w_dim] and face, the mask [1, 1, s, s] on which common motion is judged, on the
    generator's device; s is config.size.
    """
    ends = drawn(generator, torch.cat([ws, edited]))  # [2, 3, r, r]
    steps = _steps(ends, face, config=config)
    sweep = ws + torch.linspace(0, 1, steps + 1, device=ws.device).view(-1, 1, 1) * (edited - ws)
    away = ws - generator.w_avg
    codes = torch.cat([sweep + (pull - 1) * away for pull in config.pulls])  # [pulls * (steps + 1), num_ws, w_dim]
    frames = at_size(drawn(generator, codes), config.size)
    frames = frames.view(len(config.pulls), steps + 1, *frames.shape[1:])
    flows = flow_between(frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1), config=config.flow)
    totals = torch.cat([compose(part) for part in torch.split(flows, steps)])  # [pulls, 2, s, s]
    residuals = frames[:, -1] - warped(frames[:, 0], totals)
    flow = totals.mean(0, keepdim=True)
    flow = flow + config.symmetry / 2 * (mirrored(flow) - flow)
    flow = config.amplify * (flow - config.steadiness * common_motion(flow, face))
    residual = residuals.mean(0, keepdim=True)
    shading = residual - blurred(residual, config.shading_window * config.size)
    return Motion(flow=flow, shading=shading, before=ends[:1], after=ends[1:])


def drawn(generator: Generator, codes: Tensor) -> Tensor:
    """Pictures of codes, a few at a time so that large generators fit into memory."""
    return torch.cat(list(drawn_in_groups(generator, codes, most=DRAWN_BYTES)))


def need_to_put_back(generator: Generator, *, device: str | None = None) -> int:
    """The memory that drawing an edit takes, in bytes, beside the weights, on a kind of device, usually the generator's."""
    codes = len(MotionConfig().pulls) * (MotionConfig().max_steps + 1)
    return need_to_draw(generator.spec, device=device or generator.device.type).peak(codes, most=DRAWN_BYTES)


def mirrored(flow: Tensor) -> Tensor:
    """The flow as it would be on the mirrored face."""
    return flow.flip(-1) * flow.new_tensor([-1.0, 1.0]).view(1, 2, 1, 1)


def at_size(images: Tensor, side: int) -> Tensor:
    """Pictures resized to `side`: averaged when they shrink, bicubic when they grow."""
    if images.shape[-1] == side:
        return images
    if images.shape[-1] > side:
        return F.interpolate(images, size=(side, side), mode="area")
    return F.interpolate(images, size=(side, side), mode="bicubic")


def common_motion(flow: Tensor, face: Tensor, *, rounds: int = 8, tolerance: float = 0.5) -> Tensor:
    """The similarity (shift, turn, scale) that most of the face follows; outliers, the expression, do not count.

    Convention: weights `face` [1, 1, s, s]; a pixel that departs from the fit by `tolerance` px counts half.
    """
    side = flow.shape[-1]
    along = torch.arange(side, device=flow.device, dtype=torch.float64 if flow.device.type != "mps" else flow.dtype)
    along = (along + 0.5) / side - 0.5
    ys, xs = torch.meshgrid(along, along, indexing="ij")
    one, zero = torch.ones_like(xs), torch.zeros_like(xs)
    columns = torch.stack(
        [torch.stack([one, zero]), torch.stack([zero, one]), torch.stack([xs, ys]), torch.stack([-ys, xs])]
    )
    basis = columns.flatten(1).T  # [2 s s, 4]
    target = flow.to(basis.dtype).flatten()  # [2 s s]
    prior = face.to(basis.dtype).expand(1, 2, side, side).flatten()
    weight = prior
    coefficients = torch.zeros(4, dtype=basis.dtype, device=basis.device)
    for _ in range(rounds):
        normal = (basis * weight[:, None]).T @ basis + 1e-6 * torch.eye(4, dtype=basis.dtype, device=basis.device)
        coefficients = torch.linalg.solve(normal, (basis * weight[:, None]).T @ target)
        misfit = (target - basis @ coefficients).view(2, -1).square().sum(0) / tolerance**2
        weight = prior / (1 + misfit).square().repeat(2)
    return (basis @ coefficients).view(1, 2, side, side).to(flow.dtype)


def unfolded(flow: Tensor, *, least_area: float) -> Tensor:
    """The flow, smoothed where it would squeeze below `least_area`, so that it never folds."""
    for _ in range(12):
        tight = (jacobian(flow) < least_area).to(flow.dtype)
        if not bool(tight.any()):
            return flow
        near = blurred(F.max_pool2d(tight, 9, stride=1, padding=4), 3.0)
        flow = flow + near * (blurred(flow, 3.0) - flow)
    while bool((jacobian(flow) < least_area).any()):
        flow = flow * 0.8
    return flow


def _steps(ends: Tensor, face: Tensor, *, config: MotionConfig) -> int:
    """More steps for larger changes: flow is found best between pictures that differ little."""
    first, last = at_size(ends, config.size)
    change = float(((last - first).abs() * face[0]).sum() / (3 * face.sum()).clamp_min(1e-6))
    return max(1, min(config.max_steps, math.ceil(change / config.change_per_step)))
