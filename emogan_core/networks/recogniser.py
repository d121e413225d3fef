"""Who a face is: ArcFace's network of residual blocks with squeeze-and-excitation (IR-SE50 and its kin).

Sources: Deng et al. 2019, "ArcFace"; the blocks are those of `irse`.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .irse import RGB, Block, Convolution, Stage, widths_of


class FaceRecogniser(nn.Module):
    """Faces [n, 3, side, side] in [-1, 1] -> descriptors [n, d] of length 1; alike ones are of one person.

    Convention: faces stand as `faces.recognised_quad` cuts them; `side` is 112 px for four stages that end at 7 px.
    """

    def __init__(self, stem: int, stages: tuple[Stage, ...], *, last_side: int, outputs: int) -> None:
        super().__init__()
        self.side = last_side << len(stages)
        self.layout = (stem, stages)
        self.stem = Convolution(RGB, stem, kernel=3, slope=True)
        self.body = nn.ModuleList(
            Block(inner, stage, stride=stride) for inner, stage, stride in widths_of(stem, stages)
        )
        self.to_descriptor = nn.Linear(stages[-1].width * last_side**2, outputs)
        self.requires_grad_(False)

    def forward(self, faces: Tensor) -> Tensor:
        x = self.stem(faces)
        for block in self.body:
            x = block(x)
        return F.normalize(self.to_descriptor(x.flatten(1)))

    def numbers(self) -> int:
        """Outputs of all convolutions for one face."""
        stem, stages = self.layout
        total, side = stem * self.side**2, self.side
        for _, stage, stride in widths_of(stem, stages):
            total += stage.width * side**2
            side //= stride
            total += stage.width * side**2
        return total
