"""StyleGAN1 of any program, once its tensors have our names.

Source: docs/tensor-names.md; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from ...networks.spec import GeneratorSpec
from .canonical import CanonicalCheckpoint
from .completing import completed, no_noise_notices
from .pyramids import layers_without_noise, take_mapping, take_noise, take_start, without_growth
from .weights import ForeignWeights

TURNED_FROM = 128
"""From this side on up-convolutions are transposed ones in these programs, which turns their kernels by 180 degrees."""

_BIAS_GAIN = math.sqrt(0.5)  # ours multiplies the bias by the sqrt(2) that follows it, StyleGAN1 only the weights


def read_stylegan1(
    entries: Mapping[str, object],
    *,
    notices: list[str],
    turned_from: int = TURNED_FROM,
    mapping_gain: float = 1.0,
) -> CanonicalCheckpoint:
    """A generator from tensors under our names, with the numbers as StyleGAN1's programs keep them.

    Convention: up-convolutions of `turned_from` px and more have their kernels turned; the mapping network's numbers
    become ours times `mapping_gain`.
    Raises: CheckpointError.
    """
    weights = ForeignWeights(without_growth(entries, notices=notices))
    mapping, tensors = take_mapping(weights, gain=mapping_gain, bias_gain=_BIAS_GAIN)
    start, more = take_start(weights)
    spec = GeneratorSpec(**mapping, **start, architecture="stylegan1")
    tensors |= more
    for index, side in enumerate(spec.resolutions):
        width, below = spec.channels[index], spec.channels[max(index - 1, 0)]
        tensors |= _layer(weights, f"synthesis.b{side}.conv0", (width, below), spec, side=side)
        tensors |= _layer(weights, f"synthesis.b{side}.conv1", (width, width), spec, side=side)
        if side >= turned_from:
            turned = f"synthesis.b{side}.conv0.weight"
            tensors[turned] = tensors[turned].flip(2, 3)
    last = f"synthesis.b{spec.resolution}.torgb"
    tensors[f"{last}.weight"] = weights.take(f"{last}.weight", 3, spec.channels[-1], 1, 1)
    tensors[f"{last}.bias"] = weights.take(f"{last}.bias", 3)
    weights.expect_all_taken()
    notices += no_noise_notices(layers_without_noise(weights, tensors))
    return completed(spec, tensors, notices=notices)


def _layer(
    weights: ForeignWeights, name: str, widths: tuple[int, int], spec: GeneratorSpec, *, side: int
) -> dict[str, Tensor]:
    """`widths` are outputs and inputs; the constant's layer has no kernel."""
    tensors = {
        f"{name}.bias": weights.take(f"{name}.bias", widths[0]),
        f"{name}.affine.weight": weights.take(f"{name}.affine.weight", 2 * widths[0], spec.w_dim),
        f"{name}.affine.bias": weights.take(f"{name}.affine.bias", 2 * widths[0]),
    }
    if name != "synthesis.b4.conv0":
        tensors[f"{name}.weight"] = weights.take(f"{name}.weight", *widths, 3, 3)
    return tensors | take_noise(weights, name, widths[0], side=side)
