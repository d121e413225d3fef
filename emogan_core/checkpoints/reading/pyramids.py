"""StyleGAN1 and StyleGAN2 whose tensors have our names but not yet our meaning: sizes, mapping, noise, growth.

Convention: entries are called as in `networks`, kernels lie [outputs, inputs, h, w].
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import MAX_RESOLUTION
from .sizes import expect_colours, expect_square, mapping_sizes, resolution_of
from .weights import ForeignWeights

_SIDE = re.compile(r"synthesis\.b(\d{1,4})\.(\w+)")
_LEVELS = ("lod", "synthesis.lod")  # a TensorFlow generator hands its own level to its synthesis


def take_mapping(
    weights: ForeignWeights, *, gain: float = 1.0, bias_gain: float = 1.0
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a GeneratorSpec says of the mapping network, and its tensors times `gain`, biases also times `bias_gain`.

    Raises: CheckpointError.
    """
    layers = [
        weights.shape(f"mapping.fc{layer}.weight", dims=2) for layer in range(weights.count("mapping.fc{}.weight"))
    ]
    tensors, classes, concat = {}, None, False
    if "mapping.embed.weight" in weights:
        rows, columns = weights.shape("mapping.embed.weight", dims=2)
        concat = "mapping.embed.bias" not in weights
        classes = (rows, columns) if concat else (columns, rows)
    sizes = mapping_sizes(layers, classes=classes, concat=concat)
    if classes is not None:
        tensors["mapping.embed.weight"] = weights.take_any("mapping.embed.weight", dims=2)
        if not concat:
            tensors["mapping.embed.bias"] = weights.take("mapping.embed.bias", classes[1])
    for layer, shape in enumerate(layers):
        name = f"mapping.fc{layer}"
        tensors[f"{name}.weight"] = weights.take(f"{name}.weight", *shape) * gain
        tensors[f"{name}.bias"] = weights.take(f"{name}.bias", sizes["w_dim"]) * (gain * bias_gain)
    if "mapping.w_avg" in weights:
        tensors["mapping.w_avg"] = weights.take("mapping.w_avg", sizes["w_dim"])
    return sizes, tensors


def take_start(weights: ForeignWeights) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a GeneratorSpec says of the blocks, and the constant that they start from.

    Raises: CheckpointError.
    """
    channels: list[int] = []
    while f"synthesis.b{4 << len(channels)}.conv1.weight" in weights:
        channels.append(weights.shape(f"synthesis.b{4 << len(channels)}.conv1.weight", dims=4)[0])
    resolution = resolution_of(len(channels))
    expect_square(weights.shape("synthesis.b4.const", dims=3)[1:])
    expect_colours(weights.shape(f"synthesis.b{resolution}.torgb.weight", dims=4)[0])
    const = weights.take("synthesis.b4.const", channels[0], 4, 4)
    return {"resolution": resolution, "channels": tuple(channels)}, {"synthesis.b4.const": const}


def take_noise(weights: ForeignWeights, name: str, *shape: int, side: int) -> dict[str, Tensor]:
    """Map and strength of one layer's noise; of strength 0 where the network has none, no map where the file lacks it.

    Raises: CheckpointError.
    """
    strength, map_name = f"{name}.noise_strength", f"{name}.noise_const"
    if strength not in weights and map_name not in weights:
        return {strength: torch.zeros(shape), map_name: torch.zeros(side, side)}
    tensors = {strength: weights.take(strength, *shape)}
    if map_name in weights:
        tensors[map_name] = weights.take(map_name, side, side)
    return tensors


def layers_without_noise(weights: ForeignWeights, tensors: Mapping[str, Tensor]) -> int:
    """How many layers the file has no noise for."""
    return sum(name.endswith("noise_strength") and name not in weights for name in tensors)


def without_growth(entries: Mapping[str, object], *, notices: list[str]) -> dict[str, object]:
    """Of a network trained by growing what it draws with: blocks up to its present side, and the last one's ToRGB.

    The ToRGB layers below had their turn while the network grew, blocks above never had theirs.
    Raises: CheckpointError in the middle of a step, when two layers draw.
    """
    level = 0.0
    for name in reversed(_LEVELS):
        if name in entries:
            level = float(ForeignWeights(entries).take(name))
    full = max((int(found[1]) for name in entries if (found := _SIDE.match(name))), default=4)
    if full > MAX_RESOLUTION or not 0 <= level <= 10 or level != int(level) or full >> int(level) < 8:
        raise CheckpointError(
            f"it stands in the middle of growing (lod {level:g} of {full} px), when two layers draw at once; "
            "give a file from the end of its training"
        )
    side = full >> int(level)
    if side < full:
        notices.append(f"its training was growing it towards {full} px and stood at {side} px, which is what it draws")
    kept = {}
    for name, value in entries.items():
        found = _SIDE.match(name)
        here = int(found[1]) if found else 0
        if name not in _LEVELS and here <= side and not (found and found[2] == "torgb" and here < side):
            kept[name] = value
    return kept
