"""StyleGAN3 as its program pickles it: what its modules tell, held against their tensors.

Of the layout some numbers act through tensors alone (filters, frequencies), some are seen in their shapes, and the rest
comes from attributes and from the arguments that the networks were made with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import AliasFree
from ..pickles import Record
from ..reading.architectures import expect_no_variant
from ..reading.canonical import CanonicalCheckpoint
from ..reading.contents import Contents
from ..reading.settings import clamp_of_all
from .modules import expect_activation, tensors_of_modules
from .networks import Network, completed_network, network_in
from .stylegan2 import shape_of
from .stylegan3 import expect_layers, layer_names, renamed, spec_of


def detect(contents: Contents) -> Network | None:
    """Raises: CheckpointError when there is a network, but no generator."""
    network = network_in(contents)
    if network is None:
        return None
    modules = network.modules
    return network if "synthesis.input" in modules or "layer_names" in modules["synthesis"].state else None


def read(network: Network) -> CanonicalCheckpoint:
    """The generator, and the discriminator where ours computes the same.

    Raises: CheckpointError when it is of a kind not drawn here, or contradicts itself.
    """
    modules = network.modules
    layers = layer_names(modules)
    if modules["synthesis"].state.get("layer_names", layers) != layers:
        raise CheckpointError("it lists other layers than it has; the file is damaged or a variant not supported")
    for path, record in modules.items():
        expect_activation(path, record)
    tensors = renamed(tensors_of_modules(modules, copy=network.mapped), layers)
    expect_no_variant(tensors)
    resolution = modules["synthesis"].state.get("img_resolution", int(layers[-1].split("_")[1]))
    if not isinstance(resolution, int):
        raise CheckpointError("its resolution is no whole number: pictures that are not square are not supported")
    clamp = clamp_of_all(modules[f"synthesis.{layer}"].state.get("conv_clamp") for layer in layers)
    spec = spec_of(tensors, _layout(modules, tensors, layers), resolution=resolution, clamp=clamp)
    expect_layers(modules, spec, layers)
    return completed_network(network, spec, tensors, notices=[])


def _layout(modules: Mapping[str, Record], tensors: Mapping[str, Tensor], layers: list[str]) -> AliasFree:
    """Numbers from shapes before attributes, attributes before arguments, and these before the published ones."""
    synthesis, first = modules["synthesis"].state, modules[f"synthesis.{layers[0]}"].state
    declared = _arguments(modules[""]) | _arguments(modules["synthesis"])
    declared |= {key: value for key, value in synthesis.items() if key in _FIELDS}
    declared |= {"num_layers": len(layers) - 1, "conv_kernel": shape_of(tensors, "synthesis.L0.weight", dims=4)[2]}
    declared["use_radial_filters"] = any(
        tensors[name].ndim == 2 for name in tensors if name.startswith("synthesis.L") and name.endswith(".down_filter")
    )
    bandwidth = modules["synthesis.input"].state.get("bandwidth") if "synthesis.input" in modules else None
    if bandwidth is not None:
        declared["first_cutoff"] = bandwidth
    high, low = first.get("tmp_sampling_rate"), first.get("in_sampling_rate")
    if isinstance(high, int) and isinstance(low, int) and low > 0:
        declared["lrelu_upsampling"] = high // max(low, _whole(first.get("out_sampling_rate", low)))
    up_filter = tensors.get("synthesis.L0.up_filter")
    if up_filter is not None and isinstance(high, int) and isinstance(low, int) and 0 < low <= high:
        declared["filter_size"] = up_filter.shape[0] // (high // low)
    return AliasFree(**{key: _number(key, value) for key, value in declared.items() if key in _FIELDS})


def _arguments(record: Record) -> dict[str, object]:
    """The named arguments a module was made with, those of its synthesis among them, nested or not."""
    declared = record.state.get("_init_kwargs")
    if not isinstance(declared, dict):
        return {}
    nested = declared.get("synthesis_kwargs")
    found = declared | (nested if isinstance(nested, dict) else {})
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


_FIELDS: dict[str, type] = {entry.name: type(entry.default) for entry in fields(AliasFree)}
