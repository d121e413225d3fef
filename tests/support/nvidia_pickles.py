"""Network pickles in the object graph of NVIDIA's PyTorch trainings, made of our tensors and stand-ins for their classes."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emogan_core.networks import Generator, tensors_of

FILTER = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64
BUFFERS = ("noise_const", "w_avg", "resample_filter")
EMBEDDED = "raise SystemExit('embedded source was run')"


class Module(nn.Module):
    """A persistent module: saved as a call of torch_utils.persistence with its source and its attributes."""

    class_name = "SynthesisLayer"

    def __reduce__(self) -> tuple[object, ...]:
        state = {key: value for key, value in self.__dict__.items() if key != "class_name"}
        meta = {"type": "class", "version": 6, "module_src": EMBEDDED, "class_name": self.class_name, "state": state}
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta,), None


@contextmanager
def stand_ins() -> Iterator[None]:
    """NVIDIA's modules by name only, for as long as something is pickled."""

    def _reconstruct_persistent_obj(meta: object) -> object:
        raise AssertionError("a stand-in was called")

    class EasyDict(dict):  # type: ignore[type-arg]
        pass

    kinds = {"torch_utils.persistence": _reconstruct_persistent_obj, "dnnlib.util": EasyDict}
    parents = ("torch_utils", "dnnlib")
    sys.modules |= {name: types.ModuleType(name) for name in parents}
    for name, kind in kinds.items():
        kind.__module__, kind.__qualname__ = name, kind.__name__
        module = types.ModuleType(name)
        setattr(module, kind.__name__, kind)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in (*kinds, *parents):
            del sys.modules[name]


def module_of(tensors: dict[str, Tensor], *, class_name: str) -> Module:
    """A tree of modules that holds tensors under their dotted names."""
    root = Module()
    root.class_name = class_name
    for name, tensor in tensors.items():
        *parents, leaf = name.split(".")
        place = root
        for parent in parents:
            if parent not in place._modules:
                place.add_module(parent, Module())
            place = place._modules[parent]
        if leaf in BUFFERS:
            place.register_buffer(leaf, tensor.clone())
        else:
            place.register_parameter(leaf, nn.Parameter(tensor.clone(), requires_grad=False))
    return root


def networks_of(generator: Generator) -> dict[str, object]:
    """What a training saves: settings, D and G_ema, with the attributes and buffers that readers look at."""
    tensors, spec = tensors_of(generator), generator.spec
    core = {key: value for key, value in tensors.items() if key.startswith(("mapping.", "synthesis."))}
    seen = {key[14:]: value for key, value in tensors.items() if key.startswith("discriminator.")}
    network, discriminator = module_of(core, class_name="Generator"), module_of(seen, class_name="Discriminator")
    options = {"z_dim": spec.z_dim, "c_dim": spec.c_dim, "w_dim": spec.w_dim, "num_ws": spec.num_ws}
    network.__dict__.update(options, img_resolution=spec.resolution, img_channels=3)
    network.mapping.__dict__.update(options)
    for name, module in network.named_modules():
        leaf = name.rpartition(".")[2]
        if name.startswith("synthesis.b") and name.count(".") == 1:
            module.architecture = {"stylegan2": "skip"}.get(
                spec.architecture, spec.architecture.removeprefix("stylegan2-")
            )
            module.register_buffer("resample_filter", FILTER.clone())
        if leaf in ("conv0", "conv1"):
            module.use_noise, module.resolution, module.activation = True, module.noise_const.shape[0], "lrelu"
            module.act_gain = np.float64(np.sqrt(2))
            module.register_buffer("resample_filter", FILTER.clone())
        if leaf in ("conv0", "conv1", "torgb"):
            module.conv_clamp = spec.conv_clamp
        if leaf == "skip":
            module.activation, module.conv_clamp, module.up = "linear", None, 2
            module.register_buffer("resample_filter", FILTER.clone())
        if leaf == "embed":
            module.activation, module.bias_gain = "linear", 1
        if leaf.startswith("fc"):
            module.activation, module.bias_gain = "lrelu", 0.01
    for name, module in discriminator.named_modules():
        if name.startswith("b") and "." not in name:
            module.architecture = getattr(generator.discriminator, "architecture", "resnet")
        if name.startswith("mapping.fc"):
            module.activation, module.bias_gain = "lrelu", 0.01
        if name.rpartition(".")[2] in ("conv", "conv0", "conv1", "fromrgb"):
            module.conv_clamp = None if name == "b4.fromrgb" else spec.discriminator_clamp
    if seen:
        mbstd = Module()
        mbstd.group_size, mbstd.num_channels = spec.discriminator_group, 1
        discriminator._modules["b4"].add_module("mbstd", mbstd)
    return {"G": network, "D": discriminator if seen else None, "G_ema": network, "augment_pipe": None}


def write_networks(
    path: Path, generator: Generator, *, protocol: int = 4, change: Callable[[dict[str, object]], object] = dict
) -> Path:
    """Write a pickle as a training does; `change` may alter the networks before."""
    return write_training(path, networks_of(generator), protocol=protocol, change=change)


def write_training(
    path: Path, networks: dict[str, object], *, protocol: int, change: Callable[[dict[str, object]], object]
) -> Path:
    """Write a training's networks with its settings, `change`d before."""
    change(networks)
    with stand_ins():
        easy = sys.modules["dnnlib.util"].EasyDict
        networks["training_set_kwargs"] = easy(class_name="training.dataset.ImageFolderDataset", use_labels=False)
        path.write_bytes(pickle.dumps(networks, protocol=protocol))
    return path
