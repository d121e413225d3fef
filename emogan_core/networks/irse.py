"""Image -> ws by the encoder of pSp, e4e and ReStyle: a face recogniser's residual backbone, a feature pyramid, a head per row.

Batch normalisations are folded: into the convolution before them, or to a scale and shift where zero padding lies between.
Sources: Deng et al. 2019, ArcFace (the blocks); Hu et al. 2018, Squeeze-and-Excitation; Richardson et al. 2021, pSp;
Tov et al. 2021, e4e (rows are offsets from the first); Alaluf et al. 2021, ReStyle (iterative refinement).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import CheckpointError
from .layers import Dense

SIDE = 256  # of its input, where the heads do not determine it
RGB = 3
ITERATIONS = 5  # of an encoder that also reads the reconstruction so far; ReStyle was trained and is used with five
SLOPE = 0.01  # of the heads' leaky ReLU
MAX_SIDE = 1024
MAX_BLOCKS = 256
MAX_HEADS = 64
Draw = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Stage:
    """`blocks` residual blocks of one width, the first of which halves the side; gates pass through `squeezed` units."""

    width: int
    blocks: int
    squeezed: int


@dataclass(frozen=True, slots=True)
class IrseLayout:
    """The layout of one encoder, as its tensors' shapes determine it.

    Convention: `inputs` channels, 3 or 6; `heads` holds each head's number of halving convolutions, none for a head
    that averages its map; `laterals` counts the maps finer than the last one that join the pyramid.
    Raises: CheckpointError when it is no layout that can be run.
    """

    inputs: int
    stem: int
    stages: tuple[Stage, ...]
    laterals: int
    heads: tuple[int, ...]
    w_dim: int

    def __post_init__(self) -> None:
        blocks = sum(stage.blocks for stage in self.stages)
        if self.inputs not in (RGB, 2 * RGB) or not 3 <= len(self.stages) <= 6 or blocks > MAX_BLOCKS:
            raise CheckpointError(
                f"an encoder of {self.inputs} channels and {len(self.stages)} widths came; "
                "needed 3 or 6 channels and 3 to 6 widths of residual blocks"
            )
        if min(stage.squeezed for stage in self.stages) < 1:
            raise CheckpointError("an encoder without gates in its residual blocks came, which is not run here")
        levels = {halvings - min(self.heads) for halvings in self.heads} if self.heads else {-1}
        averaged = self.heads and not min(self.heads) and len(self.heads) > 1
        if not 1 <= len(self.heads) <= MAX_HEADS or not levels <= set(range(self.laterals + 1)) or averaged:
            raise CheckpointError(
                f"an encoder's {len(self.heads)} heads halve their maps {sorted(set(self.heads))} times on "
                f"{self.laterals + 1} maps, which does not go together; the file is damaged"
            )
        if self.side > MAX_SIDE:
            raise CheckpointError(f"an encoder for pictures of {self.side} px came; needed at most {MAX_SIDE}")

    @property
    def side(self) -> int:
        """Side of the picture: the coarsest heads end at one pixel."""
        return 1 << (len(self.stages) + min(self.heads)) if min(self.heads) else SIDE

    def widths(self) -> Iterator[tuple[int, Stage, int]]:
        """Input width, stage and stride of each residual block."""
        return widths_of(self.stem, self.stages)


def widths_of(stem: int, stages: Iterable[Stage]) -> Iterator[tuple[int, Stage, int]]:
    """Input width, stage and stride of each residual block behind a stem of a width."""
    inner = stem
    for stage in stages:
        for number in range(stage.blocks):
            yield inner, stage, 1 if number else 2
            inner = stage.width


def stages_of(blocks: Iterable[tuple[int, int, bool]]) -> tuple[Stage, ...]:
    """Stages from each block's width, units of its gate and whether it changes the width; the stride cannot be seen in the weights."""
    stages: list[Stage] = []
    for width, squeezed, widens in blocks:
        if widens or not stages:
            stages.append(Stage(width, 0, squeezed))
        stages[-1] = replace(stages[-1], blocks=stages[-1].blocks + 1)
    return tuple(stages)


def layout_of(shapes: MappingOf[str, tuple[int, ...]]) -> IrseLayout:
    """The layout of an encoder from its tensors' shapes by name, without their prefix.

    Raises: CheckpointError.
    """

    def first(name: str) -> int:
        return next(iter(shapes.get(name, ())), 0)

    blocks: list[tuple[int, int, bool]] = []
    while width := first(f"body.{len(blocks)}.conv0.weight"):
        here = f"body.{len(blocks)}"
        blocks.append((width, first(f"{here}.squeeze.weight"), f"{here}.shortcut.weight" in shapes))
    heads: list[int] = []
    while first(f"heads.{len(heads)}.to_w.weight"):
        heads.append(sum(f"heads.{len(heads)}.convs.{number}.weight" in shapes for number in range(16)))
    return IrseLayout(
        inputs=sum(shapes.get("stem.weight", ())[1:2]),
        stem=first("stem.weight"),
        stages=stages_of(blocks),
        laterals=sum(f"laterals.{number}.weight" in shapes for number in range(2)),
        heads=tuple(heads),
        w_dim=first("heads.0.to_w.weight"),
    )


class IrseEncoder(nn.Module):
    """images [n, 3, r, r] in [-1, 1] -> ws [n, num_ws, w_dim], the average code included.

    Convention: pictures are averaged to `layout.side`; `lead` is 1 where every row is built on the first head's code
    (e4e) and 0 where rows are independent (pSp); a single head serves all rows; `average` [w_dim]. An encoder of six
    channels runs ITERATIONS times, each time also on `draw(ws)` of the code so far.
    """

    lead: Tensor
    average: Tensor

    def __init__(self, layout: IrseLayout, *, num_ws: int) -> None:
        super().__init__()
        self.layout, self.num_ws = layout, num_ws
        top = layout.stages[-1].width
        self.stem = Convolution(layout.inputs, layout.stem, kernel=3, slope=True)
        self.body = nn.ModuleList(Block(inner, stage, stride=stride) for inner, stage, stride in layout.widths())
        finer = [stage.width for stage in reversed(layout.stages[:-1])][: layout.laterals]
        self.laterals = nn.ModuleList(Convolution(width, top, kernel=1) for width in finer)
        self.heads = nn.ModuleList(Head(top, layout.w_dim, halvings=halvings) for halvings in layout.heads)
        self.register_buffer("lead", torch.zeros(()))
        self.register_buffer("average", torch.zeros(layout.w_dim))

    def forward(self, images: Tensor, *, draw: Draw | None = None) -> Tensor:
        small = self.reduced(images)
        ws = self.average.expand(len(images), self.num_ws, -1)  # [n, num_ws, w_dim]
        if self.layout.inputs == RGB:
            return ws + self.offsets(small)
        assert draw is not None, "an encoder of six channels needs the generator's synthesis"
        for _ in range(ITERATIONS):
            ws = ws + self.offsets(torch.cat([small, self.reduced(draw(ws))], dim=1))
        return ws

    def reduced(self, images: Tensor) -> Tensor:
        """Pictures at the side the backbone was trained on: averaged down, or upsampled bilinearly."""
        side = self.layout.side
        if images.shape[-1] > side:
            return F.adaptive_avg_pool2d(images, side)
        return F.interpolate(images, size=(side, side), mode="bilinear") if images.shape[-1] < side else images

    def offsets(self, x: Tensor) -> Tensor:
        """What is to be added to the code so far, [n, num_ws, w_dim], from pictures of side `layout.side`."""
        # channels-last suits the body; the heads' large weights would be reordered at every call, a sixth of the time
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        maps, ends = [], _ends(self.layout)
        for index, block in enumerate(self.body):
            x = block(x)
            if index in ends:
                maps.append(x.contiguous())
        levels = [maps.pop()]
        for lateral in self.laterals:
            finer = lateral(maps.pop())
            levels.append(finer + F.interpolate(levels[-1], finer.shape[2:], mode="bilinear", align_corners=True))
        coarsest = min(self.layout.heads)
        codes = [
            head(levels[halvings - coarsest]) for head, halvings in zip(self.heads, self.layout.heads, strict=True)
        ]
        rows = torch.stack(codes, dim=1)  # [n, heads, w_dim]
        rows = torch.cat([rows[:, :1], rows[:, 1:] + self.lead * rows[:, :1]], dim=1)
        return rows.expand(-1, self.num_ws, -1)


class Convolution(nn.Module):
    """Plain convolution that keeps the side at stride 1, with a bias, and with a leaky ReLU of learned slopes if asked."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, stride: int = 1, bias: bool = True, slope: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.slope = nn.Parameter(torch.zeros(outputs)) if slope else None
        self.stride, self.padding = stride, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding)
        return x if self.slope is None else F.prelu(x, self.slope)


class Block(nn.Module):
    """Residual block of a face recogniser with squeeze-and-excitation.

    Convention: the input is scaled and shifted before it is padded, so neither can move into the convolution's weights.
    """

    def __init__(self, inputs: int, stage: Stage, *, stride: int) -> None:
        super().__init__()
        outputs, squeezed = stage.width, stage.squeezed
        self.scale = nn.Parameter(torch.ones(inputs))
        self.shift = nn.Parameter(torch.zeros(inputs))
        self.conv0 = Convolution(inputs, outputs, kernel=3, bias=False, slope=True)
        self.conv1 = Convolution(outputs, outputs, kernel=3, stride=stride)
        self.squeeze = Convolution(outputs, squeezed, kernel=1, bias=False)
        self.excite = Convolution(squeezed, outputs, kernel=1, bias=False)
        self.shortcut = Convolution(inputs, outputs, kernel=1, stride=stride) if inputs != outputs else None
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = torch.addcmul(self.shift[:, None, None], x, self.scale[:, None, None])
        y = self.conv1(self.conv0(y))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean(dim=(2, 3), keepdim=True)))))  # [n, outputs, 1, 1]
        x = x[:, :, :: self.stride, :: self.stride] if self.shortcut is None else self.shortcut(x)
        return torch.addcmul(x, y, gate)


class Head(nn.Module):
    """A map of one level -> one code [n, w_dim]: halved until one pixel is left, or averaged, then a dense layer."""

    def __init__(self, inputs: int, w_dim: int, *, halvings: int) -> None:
        super().__init__()
        widths = [inputs, *[w_dim] * halvings]
        self.convs = nn.ModuleList(Convolution(inner, outer, kernel=3, stride=2) for inner, outer in pairwise(widths))
        self.to_w = Dense(widths[-1], w_dim)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE)
        code: Tensor = self.to_w(x.mean(dim=(2, 3)))  # of one pixel, unless there was no halving
        return code


def _ends(layout: IrseLayout) -> set[int]:
    """Indices of the blocks whose maps the pyramid takes: each the last of its stage."""
    last = [total - 1 for total in accumulate(stage.blocks for stage in layout.stages)]
    return set(last[-1 - layout.laterals :])
