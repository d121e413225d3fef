"""StyleGAN3 in NVIDIA's PyTorch pickles: what its modules tell, held against their tensors, and canonical names.

Of the layout some numbers act through tensors alone (filters, frequencies), some are seen in their shapes, and the rest
is told by attributes and by the arguments that the networks were made with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..networks.spec import AliasFree, GeneratorSpec
from ..networks.stylegan3 import frequency_bands, resampling
from .canonical import CanonicalCheckpoint
from .foreign import ForeignWeights, completed
from .modules import clamp_of, expect_activation, tensors_of_modules
from .stylegan2 import depth_of, expect_no_variant, shape_of
from .unpickling import Record

MAX_LAYERS = 64
WAVES = "synthesis.input.freqs"  # what only StyleGAN3 has
FIRST_RATE = 16  # of the published networks
PUBLISHED_CLAMP = 256.0
_TRANSFORM = "synthesis.input.transform"
_TAKEN_AS_PUBLISHED = (
    "the file holds weights without settings: bands, output scale and activation limit are taken as published"
)
_LAYER = re.compile(r"synthesis\.(L(\d{1,3})_(\d{1,5})_(\d{1,5}))", re.ASCII)


def is_alias_free(modules: Mapping[str, Record]) -> bool:
    """Whether a generator's modules are a StyleGAN3's."""
    return "synthesis.input" in modules or "layer_names" in modules["synthesis"].state


def alias_free_of(modules: dict[str, Record], *, name: str) -> tuple[GeneratorSpec, dict[str, Tensor]]:
    """Spec and canonical tensors of a StyleGAN3 generator.

    Raises: CheckpointError, one clause, when it is of a kind not drawn here, or contradicts itself.
    """
    layers = _layers(modules)
    if modules["synthesis"].state.get("layer_names", layers) != layers:
        raise CheckpointError("it lists other layers than it has; the file is damaged or a variant not supported")
    for path, record in modules.items():
        expect_activation(path, record)
    tensors = _renamed(tensors_of_modules(modules), layers)
    expect_no_variant(tensors)
    resolution = modules["synthesis"].state.get("img_resolution", int(layers[-1].split("_")[1]))
    if not isinstance(resolution, int):
        raise CheckpointError("its resolution is no whole number: pictures that are not square are not supported")
    clamps = {clamp_of(modules[f"synthesis.{layer}"].state.get("conv_clamp")) for layer in layers}
    if len(clamps) > 1:
        raise CheckpointError("its layers have different activation limits, which is not supported; needed one for all")
    layout = _layout(modules, tensors, layers)
    spec = replace(_spec(tensors, layout, resolution=resolution, name=name), conv_clamp=clamps.pop())
    _expect_layers(modules, spec, layers)
    return spec, tensors


def read_alias_free_state_dict(
    entries: Mapping[str, object], *, place: str, average: Tensor | None = None
) -> CanonicalCheckpoint:
    """A StyleGAN3 generator from a bare state dict, which tells no settings; `average` is the file's own where it has one.

    Convention: what the names and shapes do not show is taken as published: bands, scale, limit.
    Raises: CheckpointError.
    """
    try:
        layers = _layers({name.rpartition(".")[0] for name in entries})
        weights, found, notices = ForeignWeights(entries, place=place), {}, [_TAKEN_AS_PUBLISHED]
        for name, value in entries.items():
            dims = value.ndim if isinstance(value, Tensor) else 1
            if name == _TRANSFORM and dims == 3:  # of the batch that an encoder was last trained with
                found[name] = torch.eye(3)
                notices.append("the file's transforms are those of a batch and are left out")
            else:
                found[name] = weights.take(name, *weights.shape(name, dims=dims))
        tensors = _renamed(found, layers)
        layout, resolution = _published_layout(tensors, layers), int(layers[-1].split("_")[1])
        spec = replace(_spec(tensors, layout, resolution=resolution, name="unnamed"), conv_clamp=PUBLISHED_CLAMP)
        _expect_layers({f"synthesis.{layer}": Record("", {}) for layer in layers}, spec, layers)
    except CheckpointError as error:
        told = str(error)
        raise CheckpointError(told if told.startswith(place) else f"{place}: {told}") from error
    if average is not None:
        tensors.setdefault("mapping.w_avg", average)
    return completed(spec, tensors, notices=notices)


def _renamed(tensors: Mapping[str, Tensor], layers: list[str]) -> dict[str, Tensor]:
    """Layers by their number alone."""
    numbers = {layer: str(index) for index, layer in enumerate(layers)}
    found: dict[str, Tensor] = {}
    for path, tensor in tensors.items():
        root, _, rest = path.removeprefix("synthesis.").partition(".")
        own = path.startswith("synthesis.") and root in numbers
        found[f"synthesis.L{numbers[root]}.{rest}" if own else path] = tensor
    return found


def _layers(paths: Iterable[str]) -> list[str]:
    """The names of layers in their order.

    Raises: CheckpointError when they do not count up from 0.
    """
    found = [match for path in paths if (match := _LAYER.fullmatch(path))]
    found.sort(key=lambda match: int(match[2]))
    if [int(match[2]) for match in found] != list(range(len(found))) or not 4 <= len(found) <= MAX_LAYERS:
        raise CheckpointError(
            f"its {len(found)} StyleGAN3 layers are not numbered L0 to L{max(len(found) - 1, 3)}; the file is damaged"
        )
    return [match[1] for match in found]


def _spec(tensors: Mapping[str, Tensor], layout: AliasFree, *, resolution: int, name: str) -> GeneratorSpec:
    """Widths and depth from the tensors; the activation limit, which leaves no trace in them, is set by the caller."""
    depth = depth_of(tensors)
    if not depth:
        raise CheckpointError("its mapping has no layers; needed a StyleGAN3 generator")
    (w_dim, _), (_, inputs) = (shape_of(tensors, f"mapping.fc{layer}.weight", dims=2) for layer in (depth - 1, 0))
    c_dim = shape_of(tensors, "mapping.embed.weight", dims=2)[1] if "mapping.embed.weight" in tensors else 0
    z_dim = inputs - (w_dim if c_dim else 0)
    widths = [shape_of(tensors, f"synthesis.L{index}.weight", dims=4)[0] for index in range(layout.num_layers + 1)]
    if widths[-1] != 3:
        raise CheckpointError(f"it draws pictures of {widths[-1]} channels; give a generator of colour pictures")
    if z_dim < 1:
        raise CheckpointError("it draws from classes alone, without z, which is not supported; needed both")
    return GeneratorSpec(
        resolution=resolution,
        w_dim=w_dim,
        z_dim=z_dim,
        channels=tuple(widths[:-1]),
        mapping_layers=depth,
        architecture="stylegan3",
        name=name,
        c_dim=c_dim,
        alias_free=layout,
    )


def _layout(modules: Mapping[str, Record], tensors: Mapping[str, Tensor], layers: list[str]) -> AliasFree:
    """Numbers from shapes before attributes, attributes before arguments, and these before the published ones."""
    synthesis, first = modules["synthesis"].state, modules[f"synthesis.{layers[0]}"].state
    told = _arguments(modules[""]) | _arguments(modules["synthesis"])
    told |= {key: value for key, value in synthesis.items() if key in _FIELDS}
    told |= {"num_layers": len(layers) - 1, "conv_kernel": shape_of(tensors, "synthesis.L0.weight", dims=4)[2]}
    told["use_radial_filters"] = any(
        tensors[name].ndim == 2 for name in tensors if name.startswith("synthesis.L") and name.endswith(".down_filter")
    )
    bandwidth = modules["synthesis.input"].state.get("bandwidth") if "synthesis.input" in modules else None
    if bandwidth is not None:
        told["first_cutoff"] = bandwidth
    high, low = first.get("tmp_sampling_rate"), first.get("in_sampling_rate")
    if isinstance(high, int) and isinstance(low, int) and low > 0:
        told["lrelu_upsampling"] = high // max(low, _whole(first.get("out_sampling_rate", low)))
    up_filter = tensors.get("synthesis.L0.up_filter")
    if up_filter is not None and isinstance(high, int) and isinstance(low, int) and 0 < low <= high:
        told["filter_size"] = up_filter.shape[0] // (high // low)
    return AliasFree(**{key: _number(key, value) for key, value in told.items() if key in _FIELDS})


def _published_layout(tensors: Mapping[str, Tensor], layers: list[str]) -> AliasFree:
    """The published layout with what shapes show: kernel, filters, margin, and where the radial filters end."""
    usual = AliasFree()
    filters = [tensors.get(f"synthesis.L{index}.down_filter") for index in range(len(layers) - 1)]
    radial = [found is not None and found.ndim == 2 for found in filters]
    raised, left = divmod(shape_of(tensors, "synthesis.L0.up_filter", dims=1)[0], usual.filter_size)
    if left:
        raise CheckpointError(
            f"its first filter has {raised * usual.filter_size + left} taps; without the settings, which the file does "
            f"not hold, only filters of {usual.filter_size} taps a sample are understood; give its .pkl"
        )
    return replace(
        usual,
        num_layers=len(layers) - 1,
        num_critical=radial.count(False) if any(radial) else usual.num_critical,
        margin_size=(int(layers[0].split("_")[1]) - FIRST_RATE) // 2,
        conv_kernel=shape_of(tensors, "synthesis.L0.weight", dims=4)[2],
        lrelu_upsampling=raised,
        use_radial_filters=any(radial),
    )


def _arguments(record: Record) -> dict[str, object]:
    """The named arguments a module was made with, those of its synthesis among them, nested or not."""
    told = record.state.get("_init_kwargs")
    if not isinstance(told, dict):
        return {}
    nested = told.get("synthesis_kwargs")
    found = told | (nested if isinstance(nested, dict) else {})
    return {key: value for key, value in found.items() if isinstance(key, str) and key in _FIELDS}


def _number(key: str, value: object) -> Any:
    """A layout's number of the type it has in ours.

    Raises: CheckpointError when it is none.
    """
    kind = _FIELDS[key]
    if isinstance(value, int | float) and math.isfinite(value) and (kind is float or value == int(value)):
        return kind(value)
    raise CheckpointError(f"its {key} is no number as needed; the file is damaged or a variant not supported")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _expect_layers(modules: Mapping[str, Record], spec: GeneratorSpec, layers: list[str]) -> None:
    """What every layer tells of itself is what the layout makes of it.

    Raises: CheckpointError.
    """
    found = frequency_bands(spec)
    for index, layer in enumerate(layers):
        before, after, plan = found[max(index - 1, 0)], found[index], resampling(spec, index)
        width = 3 if index == len(layers) - 1 else spec.channels[index]
        missing = (plan.size_out - 1) * plan.down + plan.up_taps + plan.down_taps - 1 - plan.size_in * plan.up
        ends = [plan.before, missing - plan.before]
        wanted: dict[str, object] = {
            "name": f"L{index}_{after.side}_{width}",
            "in_sampling_rate": before.rate,
            "out_sampling_rate": after.rate,
            "up_factor": plan.up,
            "down_factor": plan.down,
            "padding": ends * 2,
        }
        told = modules[f"synthesis.{layer}"].state | {"name": layer}
        for key, value in wanted.items():
            if told.get(key, value) != value:
                raise CheckpointError(
                    f"the {key} of its layer {layer} cannot follow from its layout, which needs {value}; the file is "
                    "damaged or a variant not supported, such as pictures that are not square"
                )
    waves = modules["synthesis.input"].state if "synthesis.input" in modules else {}
    for key, value in (("sampling_rate", found[0].rate), ("bandwidth", found[0].cutoff)):
        came = waves.get(key, value)
        if not isinstance(came, int | float) or abs(came - value) > 1e-6 * value:
            raise CheckpointError(f"the {key} of its waves cannot follow from its layout; the file is damaged")


_FIELDS: dict[str, type] = {entry.name: type(entry.default) for entry in fields(AliasFree)}
