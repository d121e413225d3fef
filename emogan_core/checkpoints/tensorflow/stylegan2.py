"""TensorFlow's StyleGAN2, once its tensors have our names: kernels that up-sample are turned, styles lack their one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ...networks.spec import GeneratorSpec
from ..reading.architectures import architecture_of
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import completed, no_noise_notices
from ..reading.pyramids import layers_without_noise, take_mapping, take_noise, take_start
from ..reading.weights import ForeignWeights


def read_stylegan2(
    entries: Mapping[str, object],
    *,
    clamp: float | None,
    notices: list[str],
    mapping_gain: float = 1.0,
) -> CanonicalCheckpoint:
    """A generator of any of the three architectures; the mapping network's numbers become ours times `mapping_gain`.

    Raises: CheckpointError.
    """
    weights = ForeignWeights(entries)
    mapping, tensors = take_mapping(weights, gain=mapping_gain)
    start, more = take_start(weights)
    spec = GeneratorSpec(**mapping, **start, architecture=architecture_of(entries), conv_clamp=clamp)
    tensors |= more
    for index, side in enumerate(spec.resolutions):
        here, width, below = f"synthesis.b{side}", spec.channels[index], spec.channels[max(index - 1, 0)]
        if index:
            tensors |= _modulated(weights, f"{here}.conv0", (width, below, 3), spec, turned=True)
            tensors |= take_noise(weights, f"{here}.conv0", side=side)
        tensors |= _modulated(weights, f"{here}.conv1", (width, width, 3), spec)
        tensors |= take_noise(weights, f"{here}.conv1", side=side)
        if f"{here}.skip.weight" in weights:  # one number per pair of channels: there is nothing to turn
            tensors[f"{here}.skip.weight"] = weights.take(f"{here}.skip.weight", width, below, 1, 1)
        if f"{here}.torgb.weight" in weights:
            tensors |= _modulated(weights, f"{here}.torgb", (3, width, 1), spec)
    weights.expect_all_taken()
    notices += no_noise_notices(layers_without_noise(weights, tensors))
    return completed(spec, tensors, notices=notices)


def _modulated(
    weights: ForeignWeights, name: str, sizes: tuple[int, int, int], spec: GeneratorSpec, *, turned: bool = False
) -> dict[str, Tensor]:
    """`sizes` are outputs, inputs and the kernel's side."""
    outer, inner, side = sizes
    weight = weights.take(f"{name}.weight", outer, inner, side, side)
    return {
        f"{name}.weight": weight.flip(2, 3) if turned else weight,
        f"{name}.bias": weights.take(f"{name}.bias", outer),
        f"{name}.affine.weight": weights.take(f"{name}.affine.weight", inner, spec.w_dim),
        f"{name}.affine.bias": weights.take(f"{name}.affine.bias", inner) + 1,
    }
