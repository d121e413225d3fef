"""Our generator under the names of other programs: what those programs would have written."""

from __future__ import annotations

import torch
from torch import Tensor

from emogan_core.networks import Generator, tensors_of

_KERNEL = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0]))


def rosinality_names(generator: Generator) -> dict[str, Tensor]:
    """The state dict of that program's Generator, filters and noises included."""
    spec, ours = generator.spec, tensors_of(generator)
    made = {"input.input": ours["synthesis.b4.const"][None]}
    for index in range(spec.mapping_layers):
        made[f"style.{index + 1}.weight"] = ours[f"mapping.fc{index}.weight"]
        made[f"style.{index + 1}.bias"] = ours[f"mapping.fc{index}.bias"]
    number = 0
    for index, side in enumerate(spec.resolutions):
        for layer in ("conv0", "conv1") if index else ("conv1",):
            here, there = f"synthesis.b{side}.{layer}", f"convs.{number - 1}" if number else "conv1"
            made[f"{there}.conv.weight"] = ours[f"{here}.weight"][None]
            made[f"{there}.conv.modulation.weight"] = ours[f"{here}.affine.weight"]
            made[f"{there}.conv.modulation.bias"] = ours[f"{here}.affine.bias"]
            made[f"{there}.activate.bias"] = ours[f"{here}.bias"]
            made[f"{there}.noise.weight"] = ours[f"{here}.noise_strength"].reshape(1)
            made[f"noises.noise_{number}"] = ours[f"{here}.noise_const"][None, None]
            if layer == "conv0":
                made[f"{there}.conv.blur.kernel"] = _KERNEL / 16
            number += 1
        here, there = f"synthesis.b{side}.torgb", f"to_rgbs.{index - 1}" if index else "to_rgb1"
        made[f"{there}.conv.weight"] = ours[f"{here}.weight"][None]
        made[f"{there}.conv.modulation.weight"] = ours[f"{here}.affine.weight"]
        made[f"{there}.conv.modulation.bias"] = ours[f"{here}.affine.bias"]
        made[f"{there}.bias"] = ours[f"{here}.bias"].reshape(1, 3, 1, 1)
        if index:
            made[f"{there}.upsample.kernel"] = _KERNEL / 16
    return made


def rosinality_discriminator(generator: Generator) -> dict[str, Tensor]:
    """The state dict of that program's Discriminator."""
    spec, ours = generator.spec, tensors_of(generator)
    top = f"discriminator.b{spec.resolution}.fromrgb"
    made = {"convs.0.0.weight": ours[f"{top}.weight"], "convs.0.1.bias": ours[f"{top}.bias"]}
    for number, side in enumerate(reversed(spec.resolutions[1:]), start=1):
        here, there = f"discriminator.b{side}", f"convs.{number}"
        made[f"{there}.conv1.0.weight"], made[f"{there}.conv1.1.bias"] = _pair(ours, f"{here}.conv0")
        made[f"{there}.conv2.1.weight"], made[f"{there}.conv2.2.bias"] = _pair(ours, f"{here}.conv1")
        made[f"{there}.skip.1.weight"] = ours[f"{here}.skip.weight"]
        made[f"{there}.conv2.0.kernel"] = made[f"{there}.skip.0.kernel"] = _KERNEL / 64
    made["final_conv.0.weight"], made["final_conv.1.bias"] = _pair(ours, "discriminator.b4.conv")
    made["final_linear.0.weight"], made["final_linear.0.bias"] = _pair(ours, "discriminator.b4.fc")
    made["final_linear.1.weight"], made["final_linear.1.bias"] = _pair(ours, "discriminator.b4.out")
    return made


def basicsr_names(names: dict[str, Tensor]) -> dict[str, Tensor]:
    """A generator's or discriminator's state dict of rosinality's under the names of BasicSR, which keeps no filters."""
    made = {}
    for name, tensor in names.items():
        root, _, rest = name.partition(".")
        conv = rest.replace("conv.", "modulated_conv.", 1) if "conv.weight" in rest or "modulation" in rest else rest
        if name.endswith(".kernel"):
            continue
        if root == "style":
            made[f"style_mlp.{rest}"] = tensor
        elif root == "input":
            made["constant_input.weight"] = tensor
        elif root == "noises":
            made[name.replace("noise_", "noise")] = tensor
        elif root in ("conv1", "convs") and "input.input" in names:
            made[f"style_{root}.{conv.replace('noise.weight', 'weight')}"] = tensor
        elif root == "convs":
            made[f"conv_body.{rest}"] = tensor
        else:
            made[f"{root}.{conv}"] = tensor
    return made


def genforce_names(generator: Generator) -> dict[str, Tensor]:
    """The state dict of that program's StyleGAN2Generator."""
    spec, ours = generator.spec, tensors_of(generator)
    made = {"truncation.w_avg": ours["mapping.w_avg"], "synthesis.early_layer.const": ours["synthesis.b4.const"][None]}
    for index in range(spec.mapping_layers):
        made[f"mapping.dense{index}.weight"], made[f"mapping.dense{index}.bias"] = _pair(ours, f"mapping.fc{index}")
    if spec.c_dim:
        made["mapping.label_weight"] = ours["mapping.embed.weight"]
    for index, side in enumerate(spec.resolutions):
        for layer in ("conv0", "conv1", "torgb") if index else ("conv1", "torgb"):
            here = f"synthesis.b{side}.{layer}"
            if f"{here}.weight" not in ours:
                continue
            number = 2 * index - (layer == "conv0")
            there = f"synthesis.output{index}" if layer == "torgb" else f"synthesis.layer{number}"
            weight, made[f"{there}.bias"] = _pair(ours, here)
            made[f"{there}.weight"] = weight.flip(2, 3) if layer == "conv0" else weight
            made[f"{there}.style.weight"] = ours[f"{here}.affine.weight"]
            made[f"{there}.style.bias"] = ours[f"{here}.affine.bias"] - 1
            if layer != "torgb":
                made[f"{there}.noise_strength"] = ours[f"{here}.noise_strength"]
                made[f"{there}.noise"] = ours[f"{here}.noise_const"][None, None]
            if layer == "conv0":
                made[f"{there}.filter.kernel"] = (_KERNEL / 16)[None, None]
    made["synthesis.upsample.kernel"] = (_KERNEL / 16)[None, None]
    return made


def hammer_names(generator: Generator) -> dict[str, Tensor]:
    """The state dict of Hammer's StyleGAN2Generator: genforce's names over tensors as they are used."""
    spec, ours = generator.spec, tensors_of(generator)
    made: dict[str, Tensor] = {}
    for name, tensor in genforce_names(generator).items():
        if name.endswith("style.bias"):
            made[name] = tensor + 1
        elif name.endswith(".filter.kernel"):
            layer = name.removesuffix(".filter.kernel")
            made[f"{layer}.filter"], made[f"{layer}.weight"] = _KERNEL / 64, made[f"{layer}.weight"].flip(2, 3)
        elif name == "mapping.label_weight":
            made["mapping.embedding.weight"] = tensor.T if spec.conditioning == "concat" else tensor
        elif name != "synthesis.upsample.kernel":
            made["w_avg" if name == "truncation.w_avg" else name] = tensor
    if "mapping.embed.bias" in ours:
        made["mapping.embedding.bias"] = ours["mapping.embed.bias"]
    for index, side in enumerate(spec.resolutions):
        if f"synthesis.b{side}.skip.weight" in ours:
            made[f"synthesis.residual{index}.weight"] = ours[f"synthesis.b{side}.skip.weight"]
            made[f"synthesis.residual{index}.filter"] = _KERNEL / 64
    return made | ({"synthesis.filter": _KERNEL / 64} if spec.architecture == "stylegan2" else {})


def hammer_discriminator(generator: Generator) -> dict[str, Tensor]:
    """The state dict of Hammer's StyleGAN2Discriminator."""
    last, made = f"layer{2 * len(generator.spec.resolutions)}", {}
    for name, tensor in genforce_discriminator(generator).items():
        if name.endswith(".filter.kernel"):
            made[name.replace("skip_layer", "residual").removesuffix(".kernel")] = _KERNEL / 64
        else:
            made[name.replace("skip_layer", "residual").replace(last, "output")] = tensor
    return made


def genforce_discriminator(generator: Generator) -> dict[str, Tensor]:
    """The state dict of that program's StyleGAN2Discriminator."""
    spec, ours = generator.spec, tensors_of(generator)
    made: dict[str, Tensor] = {}
    layers = {f"b{spec.resolution}.fromrgb": "input0"}
    for number, side in enumerate(reversed(spec.resolutions[1:])):
        layers |= {f"b{side}.conv0": f"layer{2 * number}", f"b{side}.conv1": f"layer{2 * number + 1}"}
        made[f"skip_layer{number}.weight"] = ours[f"discriminator.b{side}.skip.weight"]
        made[f"skip_layer{number}.filter.kernel"] = (_KERNEL / 64)[None, None]
    last = 2 * len(spec.resolutions) - 2
    layers |= {"b4.conv": f"layer{last}", "b4.fc": f"layer{last + 1}", "b4.out": f"layer{last + 2}"}
    for here, there in layers.items():
        made[f"{there}.weight"], made[f"{there}.bias"] = _pair(ours, f"discriminator.{here}")
    return made


def _pair(ours: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return ours[f"{name}.weight"], ours[f"{name}.bias"]
