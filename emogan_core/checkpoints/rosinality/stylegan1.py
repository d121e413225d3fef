"""StyleGAN1 as rosinality's program draws it, in terms of the published one: the same pictures from other numbers.

That program adds an up-convolution's bias before the blur, which takes some of it away along the border; normalises with
an epsilon of 1e-5; divides where it transposes a convolution; and keeps no noise. Noise of a fixed map can stand for what
the border loses (so drawing without noise loses that), and as contrast does not matter, weaker layers for the epsilon.
Source: docs/tensor-names.md; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.stylegan1 import EPSILON, blur
from ..reading.canonical import CanonicalCheckpoint
from ..reading.contents import Contents
from ..reading.settings import MAPPING_RATE
from ..reading.sizes import resolution_of
from ..reading.stylegan1 import read_stylegan1
from ..reading.tables import StateDict, state_dict_with
from ..reading.weights import ForeignWeights

CONST = "generator.progression.0.conv1.input"
_THEIR_EPSILON = 1e-5
_WEAKER = math.sqrt(EPSILON / _THEIR_EPSILON)
_STEEPER = math.sqrt(2)  # their gain of layers without activation beside ours


def detect(contents: Contents) -> StateDict | None:
    return state_dict_with(contents.top, "generator.progression.")


def read(found: StateDict) -> CanonicalCheckpoint:
    """The generator of a StyledGenerator, as large as it was trained.

    Raises: CheckpointError.
    """
    weights = ForeignWeights(found.entries)
    if CONST not in weights:
        raise CheckpointError(
            f"it has names of a StyleGAN1 of rosinality's program, but has no '{CONST}'; give another file"
        )
    tensors: dict[str, Tensor] = {}
    layer = 0
    while (source := f"style.{2 * layer + 1}.linear") + ".weight_orig" in weights:  # activations lie between
        tensors[f"mapping.fc{layer}.weight"] = weights.take_any(f"{source}.weight_orig", dims=2) / MAPPING_RATE
        tensors[f"mapping.fc{layer}.bias"] = weights.take_any(f"{source}.bias", dims=1) / MAPPING_RATE
        layer += 1
    blocks = _trained_blocks(weights)
    tensors["synthesis.b4.const"] = weights.take_any(CONST, dims=4)[0] * _WEAKER
    for index in range(blocks):
        tensors |= _block(weights, f"generator.progression.{index}", side=4 << index)
    last = f"generator.to_rgb.{blocks - 1}.conv"
    drawn = f"synthesis.b{2 << blocks}.torgb"
    tensors[f"{drawn}.weight"] = weights.take_any(f"{last}.weight_orig", dims=4) * _STEEPER
    tensors[f"{drawn}.bias"] = weights.take_any(f"{last}.bias", dims=1)
    notices = [
        f"the file does not tell its size; its layers are trained up to {2 << blocks} px, which is what it draws",
        "the file has no noise, its program draws it anew for each picture; without it fine texture is smoother",
    ]
    return read_stylegan1(tensors, notices=notices, turned_from=1 << 30)


def _trained_blocks(weights: ForeignWeights) -> int:
    """That program always keeps layers for 1024 px; those that were never trained still have biases of zero.

    Raises: CheckpointError.
    """
    there = weights.count("generator.progression.{}.conv2.conv.bias")
    resolution_of(there)  # before maps of such a side are made
    for blocks in range(there, 1, -1):
        if bool(weights.take_any(f"generator.progression.{blocks - 1}.conv2.conv.bias", dims=1).any()):
            return blocks
    raise CheckpointError("it holds a StyleGAN1 of rosinality that was never trained; give a trained one")


def _block(weights: ForeignWeights, source: str, *, side: int) -> dict[str, Tensor]:
    tensors = {}
    here = f"synthesis.b{side}"
    for layer in (0, 1):
        target = f"{here}.conv{layer}"
        style = f"{source}.adain{layer + 1}.style.linear"
        tensors[f"{target}.affine.weight"] = weights.take_any(f"{style}.weight_orig", dims=2) * _STEEPER
        bias = weights.take_any(f"{style}.bias", dims=1)
        bias[: len(bias) // 2] -= 1  # scales hold their one
        tensors[f"{target}.affine.bias"] = bias
        tensors[f"{target}.noise_const"] = torch.zeros(side, side)
        tensors[f"{target}.noise_strength"] = torch.zeros(len(bias) // 2)
    tensors[f"{here}.conv1.weight"] = weights.take_any(f"{source}.conv2.conv.weight_orig", dims=4) * _WEAKER
    tensors[f"{here}.conv1.bias"] = weights.take_any(f"{source}.conv2.conv.bias", dims=1) * _WEAKER
    if side == 4:
        tensors[f"{here}.conv0.bias"] = torch.zeros(len(tensors[f"{here}.conv0.noise_strength"]))
        return tensors
    fused = f"{source}.conv1.0.weight"
    if fused in weights:  # [inputs, outputs, 3, 3] of a transposed convolution, which turns it
        kernel = weights.take_any(fused, dims=4).transpose(0, 1).flip(2, 3) / 4
        bias = weights.take_any(f"{source}.conv1.0.bias", dims=1)
    else:
        kernel = weights.take_any(f"{source}.conv1.1.conv.weight_orig", dims=4)
        bias = weights.take_any(f"{source}.conv1.1.conv.bias", dims=1)
    tensors[f"{here}.conv0.weight"] = kernel * _WEAKER
    tensors[f"{here}.conv0.bias"] = tensors[f"{here}.conv0.noise_strength"] = bias * _WEAKER
    tensors[f"{here}.conv0.noise_const"] = blur(torch.ones(1, 1, side, side))[0, 0] - 1
    return tensors
