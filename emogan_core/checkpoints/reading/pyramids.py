"""What readers share once a file's tensors have our names but not yet our meaning: sizes, mapping, noise, growth.

Convention: entries are called as in `networks`, kernels lie [outputs, inputs, h, w]; `place` is how errors call the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import MAX_RESOLUTION
from .weights import ForeignWeights, resolution_of

_SIDE = re.compile(r"synthesis\.b(\d{1,4})\.(\w+)")
_LEVELS = ("lod", "synthesis.lod")  # a TensorFlow generator hands its own level to its synthesis


def take_mapping(
    weights: ForeignWeights, *, gain: float = 1.0, bias_gain: float = 1.0
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a GeneratorSpec says of the mapping network, and its tensors times `gain`, biases also times `bias_gain`.

    Raises: CheckpointError.
    """
    layers = weights.count("mapping.fc{}.weight")
    if not layers:
        raise CheckpointError(f"{weights.place} has no mapping network; needed one from z to w")
    shapes = [weights.shape(f"mapping.fc{layer}.weight", dims=2) for layer in range(layers)]
    w_dim, inputs = shapes[-1][0], shapes[0][1]
    if any(shape != (w_dim, w_dim if layer else inputs) for layer, shape in enumerate(shapes)):
        raise CheckpointError(f"{weights.place} has mapping layers of different widths; needed one width for all")
    facts: dict[str, Any] = {"mapping_layers": layers, "w_dim": w_dim, "z_dim": inputs}
    tensors = {}
    if "mapping.embed.weight" in weights:
        rows, columns = weights.shape("mapping.embed.weight", dims=2)
        bare = "mapping.embed.bias" not in weights
        classes, width = (rows, columns) if bare else (columns, rows)
        facts |= {"c_dim": classes, "z_dim": inputs - width, "conditioning": "concat" if bare else "embed"}
        if inputs - width != (width if bare else inputs - w_dim):
            raise CheckpointError(
                f"{weights.place} embeds classes in {width} numbers; needed as many as {'z' if bare else 'w'} has"
            )
        tensors["mapping.embed.weight"] = weights.take("mapping.embed.weight", rows, columns)
        if not bare:
            tensors["mapping.embed.bias"] = weights.take("mapping.embed.bias", width)
    for layer, shape in enumerate(shapes):
        name = f"mapping.fc{layer}"
        tensors[f"{name}.weight"] = weights.take(f"{name}.weight", *shape) * gain
        tensors[f"{name}.bias"] = weights.take(f"{name}.bias", w_dim) * (gain * bias_gain)
    if "mapping.w_avg" in weights:
        tensors["mapping.w_avg"] = weights.take("mapping.w_avg", w_dim)
    return facts, tensors


def take_start(weights: ForeignWeights) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a GeneratorSpec says of the blocks, and the constant that they start from.

    Raises: CheckpointError.
    """
    channels: list[int] = []
    while f"synthesis.b{4 << len(channels)}.conv1.weight" in weights:
        channels.append(weights.shape(f"synthesis.b{4 << len(channels)}.conv1.weight", dims=4)[0])
    resolution = resolution_of(len(channels), place=weights.place)
    _, *sides = weights.shape("synthesis.b4.const", dims=3)
    if sides != [4, 4]:
        raise CheckpointError(
            f"{weights.place} starts from {sides[0]} x {sides[1]} instead of 4 x 4: pictures that are not square "
            "are not supported"
        )
    colours = weights.shape(f"synthesis.b{resolution}.torgb.weight", dims=4)[0]
    if colours != 3:
        raise CheckpointError(f"{weights.place} draws pictures of {colours} channels; needed 3, for colours")
    const = weights.take("synthesis.b4.const", channels[0], 4, 4)
    return {"resolution": resolution, "channels": tuple(channels)}, {"synthesis.b4.const": const}


def take_noise(weights: ForeignWeights, name: str, *shape: int, side: int) -> dict[str, Tensor]:
    """Map and strength of one layer's noise; silence where the network does without, no map where the file lacks it.

    Raises: CheckpointError.
    """
    strength, map_name = f"{name}.noise_strength", f"{name}.noise_const"
    if strength not in weights and map_name not in weights:
        return {strength: torch.zeros(shape), map_name: torch.zeros(side, side)}
    tensors = {strength: weights.take(strength, *shape)}
    if map_name in weights:
        tensors[map_name] = weights.take(map_name, side, side)
    return tensors


def silent_layers(weights: ForeignWeights, tensors: Mapping[str, Tensor]) -> int:
    """How many layers the file has no noise for."""
    return sum(name.endswith("noise_strength") and name not in weights for name in tensors)


def without_growth(entries: Mapping[str, object], *, place: str, notices: list[str]) -> dict[str, object]:
    """Of a network trained by growing what it draws with: blocks up to its present side, and the last one's ToRGB.

    The ToRGB layers below had their turn while the network grew, blocks above never had theirs.
    Raises: CheckpointError in the middle of a step, when two layers draw.
    """
    level = 0.0
    for name in reversed(_LEVELS):
        if name in entries:
            level = float(ForeignWeights(entries, place=place).take(name))
    full = max((int(found[1]) for name in entries if (found := _SIDE.match(name))), default=4)
    if full > MAX_RESOLUTION or not 0 <= level <= 10 or level != int(level) or full >> int(level) < 8:
        raise CheckpointError(
            f"{place} stands in the middle of growing (lod {level:g} of {full} px), when two layers draw at once; "
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
