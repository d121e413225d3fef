"""Network pickles in the object graph of NVIDIA's StyleGAN3 trainings, made of our tensors and stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from nvidia_pickles import module_of, write_training

from emogan_core.networks import Generator, tensors_of
from emogan_core.networks.spec import AliasFree
from emogan_core.networks.stylegan3 import frequency_bands, resampling

OWN_ATTRIBUTES = ("num_layers", "num_critical", "margin_size", "output_scale")


def layer_names(generator: Generator) -> list[str]:
    """L{i}_{side}_{width}, as the published program names its layers."""
    widths = (*generator.spec.channels, 3)
    return [f"L{index}_{band.side}_{widths[index]}" for index, band in enumerate(frequency_bands(generator.spec))]


def alias_free_state(generator: Generator, *, prefix: str = "") -> dict[str, object]:
    """The state dict of the published program, which tells no settings."""
    names = {f"synthesis.L{index}.": f"synthesis.{name}." for index, name in enumerate(layer_names(generator))}
    entries: dict[str, object] = {}
    for name, tensor in tensors_of(generator).items():
        start = next((old for old in names if name.startswith(old)), "")
        if not name.startswith("statistics"):
            entries[prefix + names.get(start, "") + name.removeprefix(start)] = tensor
    return entries


def alias_free_networks(generator: Generator) -> dict[str, object]:
    """G_ema with the attributes, arguments and buffers that a training saves, as far as readers look at them."""
    spec, names = generator.spec, layer_names(generator)
    layout = spec.alias_free
    assert layout is not None
    tensors = {}
    for name, tensor in tensors_of(generator).items():
        parts = name.split(".")
        if parts[0] == "synthesis" and parts[1] != "input":
            parts[1] = names[int(parts[1][1:])]
        if parts[0] in ("mapping", "synthesis"):
            tensors[".".join(parts)] = tensor
    network = module_of(tensors, class_name="Generator")
    sizes = {"z_dim": spec.z_dim, "c_dim": spec.c_dim, "w_dim": spec.w_dim, "num_ws": spec.num_ws}
    drawn = {"img_resolution": spec.resolution, "img_channels": 3}
    given = {key: value for key, value in asdict(layout).items() if value != getattr(AliasFree(), key)}
    network.__dict__.update(sizes, **drawn)
    network._init_kwargs = {**given, "mapping_kwargs": {"num_layers": spec.mapping_layers}, "channel_base": 256}
    network.mapping.__dict__.update(sizes)
    synthesis = network.synthesis
    synthesis.__dict__.update(drawn, w_dim=spec.w_dim, num_ws=spec.num_ws, layer_names=names)
    synthesis.__dict__.update({key: getattr(layout, key) for key in OWN_ATTRIBUTES})
    found = frequency_bands(spec)
    synthesis._modules["input"].__dict__.update(
        sampling_rate=np.float64(found[0].rate), bandwidth=np.float64(found[0].cutoff), size=np.full(2, found[0].side)
    )
    for index, name in enumerate(names):
        before, plan, layer = found[max(index - 1, 0)], resampling(spec, index), synthesis._modules[name]
        needed = (plan.size_out - 1) * plan.down + plan.up_taps + plan.down_taps - 1
        after = needed - plan.before - plan.size_in * plan.up
        layer.__dict__.update(conv_clamp=spec.conv_clamp, up_factor=plan.up, down_factor=plan.down)
        layer.__dict__.update(in_sampling_rate=before.rate, out_sampling_rate=found[index].rate)
        layer.__dict__.update(tmp_sampling_rate=before.rate * plan.up, in_size=np.full(2, before.side))
        layer.padding = [plan.before, after] * 2
        layer.affine.activation, layer.affine.bias_gain = "linear", 1
    for depth in range(spec.mapping_layers):
        layer = network.mapping._modules[f"fc{depth}"]
        layer.activation, layer.bias_gain = "lrelu", 0.01
    return {"G": None, "D": None, "G_ema": network, "augment_pipe": None}


def write_alias_free(
    path: Path, generator: Generator, *, protocol: int = 4, change: Callable[[dict[str, object]], object] = dict
) -> Path:
    """Write a pickle as a training does; `change` may alter the networks before."""
    return write_training(path, alias_free_networks(generator), protocol=protocol, change=change)
