"""Network pickles as TensorFlow's programs saved them: our tensors under their names, in the layout of their state."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from torch import Tensor

from emogan_core.networks import Generator, tensors_of

SOURCE = "raise SystemExit('embedded source was run')"
Values = dict[str, np.ndarray]


class Network:
    """Pickles as dnnlib's Network: its class by name, then a BUILD with its state."""

    def __init__(self, name: str, function: str, variables: Values, *, version: int, **settings: object) -> None:
        self.version, self.name, self.build_func_name, self.build_module_src = version, name, function, SOURCE
        self.static_kwargs: dict[str, object] = settings
        self.components: dict[str, object] = {}
        self.variables = [(key, value[()] if value.ndim == 0 else value) for key, value in variables.items()]

    def __getstate__(self) -> dict[str, object]:
        return dict(self.__dict__)


@contextmanager
def stand_in(module: str = "dnnlib.tflib.network") -> Iterator[None]:
    """Their module by name, for as long as something is pickled."""
    parts = module.split(".")
    names = [".".join(parts[: end + 1]) for end in range(len(parts))]
    kept = {name: sys.modules.get(name) for name in names}
    sys.modules |= {name: types.ModuleType(name) for name in names}
    sys.modules[module].Network = Network  # type: ignore[attr-defined]
    before, Network.__module__ = Network.__module__, module
    try:
        yield
    finally:
        Network.__module__ = before
        for name, old in kept.items():
            sys.modules.pop(name)
            if old is not None:
                sys.modules[name] = old


def networks_of(generator: Generator, *, version: int = 4, grown: bool = False) -> tuple[Network, Network, Network]:
    """(G, D, Gs) of a generator; `grown` names orig's ToRGB layers as progressive growing does."""
    spec, ours = generator.spec, tensors_of(generator)
    first = spec.architecture == "stylegan1"
    settings: dict[str, object] = {
        "resolution": spec.resolution,
        "label_size": spec.c_dim,
        "num_channels": 3,
        "latent_size": spec.z_dim,
        "dlatent_size": spec.w_dim,
        "mapping_layers": spec.mapping_layers,
        "mapping_fmaps": spec.w_dim,
        "truncation_psi": 0.5,
        "style_mixing_prob": None,
    }
    if not (first or grown):
        kinds = {"stylegan2": "skip", "stylegan2-resnet": "resnet", "stylegan2-orig": "orig"}
        settings |= {"architecture": kinds[spec.architecture], "resample_kernel": [1, 3, 3, 1]}
    if spec.conv_clamp is not None:
        settings["conv_clamp"] = spec.conv_clamp
    if first:
        function, variables = "G_synthesis", stylegan1_variables(generator)
    else:
        function = "G_synthesis_stylegan_revised" if grown else "G_synthesis_stylegan2"
        variables = stylegan2_variables(generator, grown=grown)
    made = []
    for shift in (1.0, 0.0):  # G differs from Gs, which is the one to take
        own: Values = {"dlatent_avg": array(ours["mapping.w_avg"] + shift)}
        if version < 5:
            own["lod"] = np.float32(0).reshape(())
        network = Network("G", "G_style" if first else "G_main", own, version=version, **settings)
        network.components["synthesis"] = Network("G_synthesis", function, variables, version=version, **settings)
        network.components["mapping"] = Network(
            "G_mapping", "G_mapping", mapping_variables(generator), version=version, **settings
        )
        made.append(network)
    discriminator = Network(
        "D",
        "D_stylegan2" if version < 5 else "D_main",
        discriminator_variables(generator, grown=grown),
        version=version,
        resolution=spec.resolution,
        label_size=spec.c_dim,
    )
    if spec.discriminator_clamp is not None:
        discriminator.static_kwargs["conv_clamp"] = spec.discriminator_clamp
    return made[0], discriminator, made[1]


def write_tensorflow(
    path: Path,
    generator: Generator,
    *,
    protocol: int = 4,
    version: int = 4,
    grown: bool = False,
    change: Callable[[tuple[Network, Network, Network]], object] = tuple,
) -> Path:
    """Write a pickle as a training does; `change` may alter the networks before."""
    networks = networks_of(generator, version=version, grown=grown)
    change(networks)
    with stand_in():
        path.write_bytes(pickle.dumps(networks, protocol=protocol))
    return path


def array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().clone().numpy()


def kernel(tensor: Tensor, *, turned: bool = False) -> np.ndarray:
    """[o, i, h, w] as [h, w, i, o]; `turned` by 180 degrees."""
    return np.ascontiguousarray(array(tensor.flip(2, 3) if turned else tensor).transpose(2, 3, 1, 0))


def mapping_variables(generator: Generator) -> Values:
    spec, ours = generator.spec, tensors_of(generator)
    made: Values = {}
    if spec.c_dim and spec.conditioning == "concat":
        made["LabelConcat/weight"] = array(ours["mapping.embed.weight"])
    elif spec.c_dim:
        made["LabelEmbed/weight"] = array(ours["mapping.embed.weight"].T)
        made["LabelEmbed/bias"] = array(ours["mapping.embed.bias"])
    gain = 2**0.5 if spec.architecture == "stylegan1" else 1.0
    for layer in range(spec.mapping_layers):
        made[f"Dense{layer}/weight"] = array(ours[f"mapping.fc{layer}.weight"].T)
        made[f"Dense{layer}/bias"] = array(ours[f"mapping.fc{layer}.bias"] * gain)
    return made


def stylegan2_variables(generator: Generator, *, grown: bool = False) -> Values:
    spec, ours = generator.spec, tensors_of(generator)
    made: Values = {"4x4/Const/const": array(ours["synthesis.b4.const"][None])}
    if grown:
        made["lod"] = np.float32(0).reshape(())
    number = 0
    for index, side in enumerate(spec.resolutions):
        for ours_name, name in (("conv0", "Conv0_up"), ("conv1", "Conv1" if index else "Conv")):
            here, there = f"synthesis.b{side}.{ours_name}", f"{side}x{side}/{name}"
            if f"{here}.weight" in ours:
                made |= _modulated(ours, here, there, turned=name == "Conv0_up")
                made[f"{there}/noise_strength"] = array(ours[f"{here}.noise_strength"])
                made[f"noise{number}"] = array(ours[f"{here}.noise_const"][None, None])
                number += 1
        if f"synthesis.b{side}.skip.weight" in ours:
            made[f"{side}x{side}/Skip/weight"] = kernel(ours[f"synthesis.b{side}.skip.weight"], turned=True)
        lod = len(spec.channels) - 1 - index
        if f"synthesis.b{side}.torgb.weight" in ours:
            made |= _modulated(ours, f"synthesis.b{side}.torgb", "ToRGB_lod0" if grown else f"{side}x{side}/ToRGB")
        elif grown:
            made[f"ToRGB_lod{lod}/weight"] = np.ones((1, 1, spec.channels[index], 3), np.float32)
            made[f"ToRGB_lod{lod}/bias"] = np.ones(3, np.float32)
    return made


def _modulated(ours: dict[str, Tensor], here: str, there: str, *, turned: bool = False) -> Values:
    return {
        f"{there}/weight": kernel(ours[f"{here}.weight"], turned=turned),
        f"{there}/bias": array(ours[f"{here}.bias"]),
        f"{there}/mod_weight": array(ours[f"{here}.affine.weight"].T),
        f"{there}/mod_bias": array(ours[f"{here}.affine.bias"] - 1),
    }


def stylegan1_variables(generator: Generator) -> Values:
    """With ToRGB layers for every resolution, as progressive growing leaves them."""
    spec, ours = generator.spec, tensors_of(generator)
    made: Values = {"lod": np.float32(0).reshape(()), "4x4/Const/const": array(ours["synthesis.b4.const"][None])}
    for index, side in enumerate(spec.resolutions):
        for layer, name in enumerate(("Conv0_up", "Conv1") if index else ("Const", "Conv")):
            here, there = f"synthesis.b{side}.conv{layer}", f"{side}x{side}/{name}"
            if f"{here}.weight" in ours:  # large ones are computed by a transposed convolution, which turns its kernel
                made[f"{there}/weight"] = kernel(ours[f"{here}.weight"], turned=name == "Conv0_up" and side >= 128)
            made[f"{there}/bias"] = array(ours[f"{here}.bias"])
            made[f"{there}/Noise/weight"] = array(ours[f"{here}.noise_strength"])
            made[f"{there}/StyleMod/weight"] = array(ours[f"{here}.affine.weight"].T)
            made[f"{there}/StyleMod/bias"] = array(ours[f"{here}.affine.bias"])
            made[f"noise{2 * index + layer}"] = array(ours[f"{here}.noise_const"][None, None])
        lod = len(spec.channels) - 1 - index
        made[f"ToRGB_lod{lod}/weight"] = np.full((1, 1, spec.channels[index], 3), 0.5, np.float32)
        made[f"ToRGB_lod{lod}/bias"] = np.full(3, 0.5, np.float32)
    made["ToRGB_lod0/weight"] = kernel(ours[f"synthesis.b{spec.resolution}.torgb.weight"])
    made["ToRGB_lod0/bias"] = array(ours[f"synthesis.b{spec.resolution}.torgb.bias"])
    return made


def discriminator_variables(generator: Generator, *, grown: bool = False) -> Values:
    """The discriminator's, or another generator's where this one has none."""
    ours = {name[14:]: tensor for name, tensor in tensors_of(generator).items() if name.startswith("discriminator.")}
    if not ours:
        return {"16x16/Conv0/weight": np.ones((3, 3, 4, 4), np.float32)}
    made: Values = {}
    kinds = {
        "fromrgb": "FromRGB",
        "conv0": "Conv0",
        "conv1": "Conv1_down",
        "skip": "Skip",
        "conv": "Conv",
        "fc": "Dense0",
    }
    for name, tensor in ours.items():
        block, layer, part = name.split(".")
        there = f"{block[1:]}x{block[1:]}/{kinds.get(layer)}"
        if block == "mapping":
            there = "LabelEmbed" if layer == "embed" else layer.replace("fc", "Mapping")
        elif layer == "out":
            there = "Output"
        elif layer == "fromrgb" and grown:
            there = "FromRGB_lod0"
        value = array(tensor) if part == "bias" else kernel(tensor) if tensor.ndim == 4 else array(tensor.T)
        made[f"{there}/{part}"] = value * np.float32(0.1 if layer[:2] == "fc" and block == "mapping" else 1)
    if grown:
        made |= {"lod": np.float32(0).reshape(()), "FromRGB_lod1/bias": np.ones(4, np.float32)}
    return made
