"""How different two pictures look to a network that was trained to tell things apart: LPIPS, on VGG16 or AlexNet.

Sources: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"; Simonyan and
Zisserman 2015, VGG16; Krizhevsky 2014, AlexNet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALLEST, LARGEST = 64, 256  # px at which pictures are compared; StyleGAN2's projector takes 256 of any larger one
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures in 0..1
UNWEIGHTED = 0.1  # of every channel without LPIPS' linear layers, whose own weights are .04 to .11 on average
EPS = 1e-10


@dataclass(frozen=True, slots=True)
class Trunk:
    """A classifier's convolutions, whose last of each stage is looked at.

    Convention: `numbers` are the convolutions of each stage as torchvision numbers them among its layers; `sizes` are
    kernel, stride and padding of each stage's; before every stage but those of `unpooled` stands a max pooling of
    `pool` px with stride 2.
    """

    numbers: tuple[tuple[int, ...], ...]
    sizes: tuple[tuple[int, int, int], ...]
    pool: int
    unpooled: tuple[int, ...]


TRUNKS = {
    "VGG16": Trunk(
        numbers=((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)),
        sizes=((3, 1, 1),) * 5,
        pool=2,
        unpooled=(0,),
    ),
    "AlexNet": Trunk(
        numbers=((0,), (3,), (6,), (8,), (10,)),
        sizes=((11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1)),
        pool=3,
        unpooled=(0, 3, 4),
    ),
}


class PerceptualNet(nn.Module):
    """Pictures [n, 3, r, r] in [-1, 1] -> features of five depths, and how far others are from them.

    Convention: `widths` are those of each convolution, stage by stage.
    """

    def __init__(self, kind: str, widths: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.kind, self.trunk = kind, TRUNKS[kind]
        self.stages, inner = nn.ModuleList(), 3
        for stage, (kernel, stride, padding) in zip(widths, self.trunk.sizes, strict=True):
            convolutions = nn.ModuleList()
            for width in stage:
                convolutions.append(nn.Conv2d(inner, width, kernel, stride, padding))
                inner = width
            self.stages.append(convolutions)
        self.linear = nn.ParameterList(torch.zeros(stage[-1]) for stage in widths)
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features [n, c, h, w] of each depth, every position of length 1 over its channels."""
        x = self._prepared(images)
        seen = []
        for number, stage in enumerate(self.stages):
            if number not in self.trunk.unpooled:
                x = F.max_pool2d(x, self.trunk.pool, 2)
            assert isinstance(stage, nn.ModuleList)
            for convolution in stage:
                x = F.relu(convolution(x))
            seen.append(x * (x.square().sum(dim=1, keepdim=True) + EPS).rsqrt())
        return seen

    def distance(self, images: Tensor, wanted: Sequence[Tensor]) -> Tensor:
        """[n]: LPIPS of pictures from those of which `wanted` are the features; 0 where they are the same."""
        apart = [
            torch.einsum("nchw,c->nhw", (one - other).square(), weight).mean(dim=(1, 2))
            for one, other, weight in zip(self(images), wanted, self.linear, strict=True)
        ]
        return torch.stack(apart).sum(dim=0)

    def numbers(self, side: int) -> int:
        """Outputs of all convolutions of one picture."""
        side, total = min(max(side, SMALLEST), LARGEST), 0
        for number, (stage, (_, stride, _)) in enumerate(zip(self.stages, self.trunk.sizes, strict=True)):
            side = side // stride if number in self.trunk.unpooled else side // 2
            assert isinstance(stage, nn.ModuleList)
            total += side**2 * sum(part.numel() for name, part in stage.named_parameters() if name.endswith("bias"))
        return total

    def _prepared(self, images: Tensor) -> Tensor:
        side = images.shape[-1]
        if side > LARGEST:
            images = F.adaptive_avg_pool2d(images, LARGEST)
        elif side < SMALLEST:
            images = F.interpolate(images, size=SMALLEST, mode="bilinear")
        mean, deviation = (images.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
        return ((images + 1) / 2 - mean) / deviation
