"""StyleGAN1 from any program, once its tensors have our names; and genforce's and InterFaceGAN's names for it.

Source: reference/checkpoint-formats; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..networks.spec import GeneratorSpec
from .canonical import CanonicalCheckpoint
from .foreign import ForeignWeights, completed
from .pyramids import take_mapping, take_noise, take_start, told_of_silence, without_growth

TURNED_FROM = 128
"""From this side on up-convolutions are transposed ones in these programs, which turns their kernels by 180 degrees."""

_BIAS_GAIN = math.sqrt(0.5)  # ours multiplies the bias by the sqrt(2) that follows it, StyleGAN1 only the weights
_MARKS = ("synthesis.layer0.apply_noise.weight", "synthesis.layer0.epilogue.apply_noise.weight", "synthesis.lod")
_FILTER = ".blur.kernel"
_SPECIFIC = ("truncation.truncation",)  # InterFaceGAN's psi per layer
_WHOLE = {
    "truncation.w_avg": "mapping.w_avg",
    "mapping.label_weight": "mapping.embed.weight",
    "synthesis.layer0.const": "synthesis.b4.const",
    "synthesis.layer0.first_layer": "synthesis.b4.const",
}
_PARTS = {
    "conv.weight": "weight",
    "epilogue.bias": "bias",
    "style.weight": "affine.weight",
    "style.bias": "affine.bias",
    "epilogue.style_mod.dense.linear.weight": "affine.weight",
    "epilogue.style_mod.dense.wscale.bias": "affine.bias",
    "apply_noise.weight": "noise_strength",
    "epilogue.apply_noise.weight": "noise_strength",
    "apply_noise.noise": "noise_const",
    "epilogue.apply_noise.noise": "noise_const",
}
_DENSE = re.compile(r"mapping\.dense(\d{1,2})\.(?:linear\.|wscale\.)?(weight|bias)")
_LAYER = re.compile(r"synthesis\.layer(\d{1,2})\.(.+)")
_OUTPUT = re.compile(r"synthesis\.output(\d{1,2})\.(?:conv\.)?(weight|bias)")


def read_stylegan1(
    entries: Mapping[str, object],
    *,
    place: str,
    notices: list[str],
    turned_from: int = TURNED_FROM,
    mapping_gain: float = 1.0,
) -> CanonicalCheckpoint:
    """A generator from tensors under our names, with the numbers as StyleGAN1's programs keep them.

    Convention: up-convolutions of `turned_from` px and more have their kernels turned; the mapping network's numbers
    become ours times `mapping_gain`.
    Raises: CheckpointError.
    """
    weights = ForeignWeights(without_growth(entries, place=place, notices=notices), place=place)
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
    weights.expect_all_taken(ignored=())
    notices += told_of_silence(weights, tensors)
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


def is_stylegan1(names: Mapping[str, object]) -> bool:
    """Whether a state dict is genforce's or InterFaceGAN's StyleGAN1."""
    return any(name in names for name in _MARKS)


def read_genforce_stylegan1(
    entries: Mapping[str, object], *, place: str, notices: list[str] | None = None
) -> CanonicalCheckpoint:
    """A generator from a state dict of genforce or InterFaceGAN.

    Raises: CheckpointError.
    """
    filters = {name: value for name, value in entries.items() if name.endswith(_FILTER)}
    taps = torch.tensor((1.0, 2.0, 1.0)) / 4
    for name in filters:
        found = ForeignWeights(filters, place=place)
        kernel = found.take(name, *found.shape(name, dims=4))
        if kernel.shape[1:] != (1, 3, 3) or not torch.allclose(kernel, torch.outer(taps, taps), atol=1e-4):
            raise CheckpointError(f"{place}: filter '{name}' is not [1, 2, 1]; other filters are not drawn here")
    own = dict(_named(name, value) for name, value in entries.items() if name not in filters and name not in _SPECIFIC)
    return read_stylegan1(own, place=place, notices=[] if notices is None else notices)


def _named(name: str, value: object) -> tuple[str, object]:
    """Our name and layout; what is not known keeps its own."""
    if name in _WHOLE:
        return _WHOLE[name], _inner(value, leading=1) if name.startswith("synthesis.") else value
    if found := _DENSE.fullmatch(name):
        return f"mapping.fc{found[1]}.{found[2]}", value
    if found := _OUTPUT.fullmatch(name):
        return f"synthesis.b{4 << int(found[1])}.torgb.{found[2]}", value
    if found := _LAYER.fullmatch(name):
        number, part = int(found[1]), found[2]
        target = f"synthesis.b{4 << number // 2}.conv{number % 2}.{_PARTS.get(part, part)}"
        if part == "weight" and isinstance(value, Tensor) and value.ndim == 4 and value.shape[2:] != (3, 3):
            value = value.permute(3, 2, 0, 1)  # InterFaceGAN keeps TensorFlow's layout where it transposes
        return target, _inner(value, leading=2) if target.endswith("noise_const") else value
    return name, value


def _inner(value: object, *, leading: int) -> object:
    """Without the leading axes of one."""
    if isinstance(value, Tensor) and value.ndim == 4 and all(side == 1 for side in value.shape[:leading]):
        return value[(0,) * leading]
    return value
