"""Generators of stylegan2-ada-pytorch, and StyleGAN2 trained with the stylegan3 repository: records to our names.

Their tensor names are the canonical ones, so what is done here is to recover the spec and to refuse, by name, what
these networks can be and ours cannot.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..networks.layers import FIR_TAPS
from ..networks.spec import MAX_RESOLUTION, GeneratorSpec
from .canonical import CanonicalCheckpoint
from .foreign import completed
from .modules import clamp_of, modules_of, table_of, told_word
from .unpickling import Record, read_pickle

MAPPING_GAIN = 0.01
GROUP = 4
HARMLESS_CLAMP = 256.0  # what trainings set for the sake of float16; activations stay far below it
_LINEAR_LAYERS = ("affine", "out", "skip", "torgb")


def read_nvidia(path: Path) -> CanonicalCheckpoint:
    """The generator, and the discriminator where it is one of ours, of an NVIDIA PyTorch pickle.

    Raises: CheckpointError naming the file, and what is refused or not supported.
    """
    top = read_pickle(path)
    try:
        with torch.inference_mode(False), torch.no_grad():
            return _canonical(top, name=path.stem)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    except Exception as error:  # records are a stranger's: any attribute may be of any type
        told = ascii(str(error))[:160]
        raise CheckpointError(f"{path.name} is damaged ({type(error).__name__}: {told}); get the file again") from error


def _canonical(top: object, *, name: str) -> CanonicalCheckpoint:
    network, notices = _generator(top)
    modules = dict(modules_of(network))
    _refuse_other_kinds(network, modules)
    tensors, more = _generator_tensors(modules)
    notices += more
    spec = _spec(modules, tensors, name=name)
    judge = top.get("D") if isinstance(top, dict) else None
    if isinstance(judge, Record):
        try:
            found, more = _discriminator_tensors(dict(modules_of(judge)), spec)
            tensors |= {f"discriminator.{key}": tensor for key, tensor in found.items()}
            notices += more
        except CheckpointError as error:
            notices.append(f"the discriminator is left out: {error}")
    return completed(spec, tensors, notices=notices)


def _generator(top: object) -> tuple[Record, list[str]]:
    """G_ema, else G; with what has to be said about it."""
    notices: list[str] = []
    if isinstance(top, Record):
        found = top
    elif isinstance(top, dict) and isinstance(top.get("G_ema"), Record):
        found = top["G_ema"]
    elif isinstance(top, dict) and isinstance(top.get("G"), Record):
        found, notices = top["G"], ["the file holds no averaged generator G_ema; the one in training, G, is used"]
    else:
        raise CheckpointError(
            "it holds no generator (no G_ema and no G); give a network pickle of a StyleGAN2 training"
        )
    if found.class_name != "Generator":
        raise CheckpointError(f"it holds a {ascii(found.class_name)[:40]}; needed a 'Generator'")
    return found, notices


def _tensors(modules: dict[str, Record]) -> dict[str, Tensor]:
    """Parameters and buffers as float32, blur filters checked and left out."""
    tensors: dict[str, Tensor] = {}
    converted: dict[int, Tensor] = {}  # one copy for each, however many modules name it
    for path, record in modules.items():
        for key, tensor in (*table_of(record, "_parameters").items(), *table_of(record, "_buffers").items()):
            if not isinstance(tensor, Tensor):
                continue
            name = f"{path}.{key}" if path else key
            if key == "resample_filter":
                _expect_our_filter(tensor)
                continue
            if id(tensor) not in converted:
                converted[id(tensor)] = tensor.float().contiguous()
                if not bool(torch.isfinite(tensor).all()):
                    raise CheckpointError(f"'{name}' holds NaN or infinity; the file is damaged, get it again")
            tensors[name] = converted[id(tensor)]
    return tensors


def _expect_our_filter(tensor: Tensor) -> None:
    """networks.layers blurs with [1, 3, 3, 1] and nothing else; a single number is no filter at all."""
    taps = torch.tensor(FIR_TAPS) / sum(FIR_TAPS)
    if tensor.shape != (4, 4) or not torch.allclose(tensor.float(), torch.outer(taps, taps), atol=1e-6):
        raise CheckpointError("it blurs with another filter than [1, 3, 3, 1], which is not supported yet")


def _refuse_other_kinds(network: Record, modules: dict[str, Record]) -> None:
    if not {"mapping", "synthesis"} <= set(modules):
        raise CheckpointError("its generator has no mapping and synthesis networks; needed a StyleGAN2 generator")
    if any(name.startswith("synthesis.input") for name in modules) or "layer_names" in modules["synthesis"].state:
        raise CheckpointError("it is a StyleGAN3 generator, which is not supported yet; give a StyleGAN2 one")
    if network.state.get("c_dim", 0) != 0 or "mapping.embed" in modules:
        raise CheckpointError("it is class-conditional, which is not supported yet; give an unconditional generator")
    if network.state.get("img_channels", 3) != 3:
        raise CheckpointError("it does not draw pictures of three channels; give a generator of colour pictures")
    for name, record in modules.items():
        told = record.state.get("architecture", "skip")
        if told != "skip":
            raise CheckpointError(
                f"its synthesis architecture is {told_word(told)}, which is not supported yet; needed 'skip'"
            )
        _expect_activation(name, record)


def _expect_activation(name: str, record: Record) -> None:
    """Leaky ReLU everywhere but in the linear layers, and the mapping's learning rate of 0.01."""
    linear = name.rpartition(".")[2] in _LINEAR_LAYERS
    told = record.state.get("activation")
    if isinstance(told, str) and told != ("linear" if linear else "lrelu"):
        raise CheckpointError(f"{name} has the activation {told_word(told)}, which is not supported; needed 'lrelu'")
    gain = record.state.get("bias_gain")
    if name.startswith("mapping.fc") and isinstance(gain, int | float) and abs(gain - MAPPING_GAIN) > 1e-9:
        raise CheckpointError(f"its mapping has a learning rate multiplier of {gain:g}; needed {MAPPING_GAIN:g}")


def _generator_tensors(modules: dict[str, Record]) -> tuple[dict[str, Tensor], list[str]]:
    """Canonical tensors; noise that a generator does without becomes noise of strength 0."""
    tensors = _tensors(modules)
    silent = 0
    for name, record in modules.items():
        if record.state.get("use_noise") is False:
            side = record.state.get("resolution")
            if (
                not isinstance(side, int)
                or side > MAX_RESOLUTION
                or name not in (f"synthesis.b{side}.conv0", f"synthesis.b{side}.conv1")
            ):
                raise CheckpointError(f"{name} does not tell its resolution; the file is damaged, get it again")
            tensors[f"{name}.noise_const"] = torch.zeros(side, side)
            tensors[f"{name}.noise_strength"] = torch.zeros(())
            silent += 1
    said = f"{silent} layers have no noise; they are given noise of strength 0, which draws the same pictures"
    return tensors, [said] if silent else []


def _spec(modules: dict[str, Record], tensors: dict[str, Tensor], *, name: str) -> GeneratorSpec:
    """Depth, widths and resolution from the tensors; the clamp leaves no trace in weights and comes from attributes."""
    const = tensors.get("synthesis.b4.const")
    if const is None or const.ndim != 3:
        raise CheckpointError("its synthesis does not start from a constant; needed a StyleGAN2 generator")
    if const.shape[1:] != (4, 4):
        sides = " x ".join(str(side) for side in const.shape[1:])
        raise CheckpointError(f"it starts from {sides} instead of 4 x 4: non-square generators are not supported yet")
    channels, side = [], 4
    while (weight := tensors.get(f"synthesis.b{side}.conv1.weight")) is not None:
        channels.append(int(weight.shape[0]))
        side *= 2
    layers = 0
    while f"mapping.fc{layers}.weight" in tensors:
        layers += 1
    if not layers or not channels:
        raise CheckpointError("it has no mapping or no synthesis layers; needed a StyleGAN2 generator")
    w_dim, z_dim = int(tensors[f"mapping.fc{layers - 1}.weight"].shape[0]), int(tensors["mapping.fc0.weight"].shape[1])
    if any(tensors[f"mapping.fc{layer}.weight"].shape != (w_dim, w_dim if layer else z_dim) for layer in range(layers)):
        raise CheckpointError("its mapping layers have different widths, which is not supported; needed one for all")
    clamps = {clamp_of(record.state["conv_clamp"]) for record in modules.values() if "conv_clamp" in record.state}
    if len(clamps) > 1:
        raise CheckpointError("its layers have different activation limits, which is not supported; needed one for all")
    return GeneratorSpec(
        resolution=side // 2,
        w_dim=w_dim,
        z_dim=z_dim,
        channels=tuple(channels),
        mapping_layers=layers,
        conv_clamp=clamps.pop() if clamps else None,
        name=name,
    )


def _discriminator_tensors(modules: dict[str, Record], spec: GeneratorSpec) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a residual discriminator that ours computes alike.

    Raises: CheckpointError, one clause, when it is of another kind.
    """
    limited = False
    for name, record in modules.items():
        told = record.state.get("architecture", "resnet")
        if told != "resnet":
            raise CheckpointError(f"its architecture is {told_word(told)}; needed 'resnet'")
        _expect_activation(name, record)
        clamp = clamp_of(record.state.get("conv_clamp"))
        if clamp is not None and clamp < HARMLESS_CLAMP:
            raise CheckpointError(f"its activations are limited to {clamp:g}; needed no limit below {HARMLESS_CLAMP:g}")
        limited = limited or clamp is not None
    if "mapping" in modules or f"b{spec.resolution}" not in modules:
        raise CheckpointError("it judges classes, or pictures of another size than the generator's")
    spread = modules.get("b4.mbstd")
    if spread is None or spread.state.get("group_size") != GROUP or spread.state.get("num_channels") != 1:
        raise CheckpointError(f"it compares pictures in groups of another size than {GROUP}")
    said = "the discriminator's activation limit is not applied; it matters for float16 only"
    return _tensors(modules), [said] if limited else []
