"""StyleGAN1 under the names that PyTorch programs give it: what those programs would have written."""

from __future__ import annotations

import torch
from torch import Tensor

from emogan_core.networks import Generator, tensors_of

WIDTHS = (16, 16, 12, 8, 8)  # of rosinality's, whose last block was never trained
W_DIM, LAYERS = 24, 3
TAPS = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])) / 16


def genforce_stylegan1(generator: Generator) -> dict[str, Tensor]:
    """The state dict of genforce's StyleGANGenerator."""
    spec, ours = generator.spec, tensors_of(generator)
    made = {"truncation.w_avg": ours["mapping.w_avg"], "synthesis.lod": torch.zeros(())}
    for layer in range(spec.mapping_layers):
        made[f"mapping.dense{layer}.weight"] = ours[f"mapping.fc{layer}.weight"]
        made[f"mapping.dense{layer}.bias"] = ours[f"mapping.fc{layer}.bias"] * 2**0.5
    if spec.c_dim:
        made["mapping.label_weight"] = ours["mapping.embed.weight"]
    made["synthesis.layer0.const"] = ours["synthesis.b4.const"][None]
    for index, side in enumerate(spec.resolutions):
        for layer in (0, 1):
            here, there = f"synthesis.b{side}.conv{layer}", f"synthesis.layer{2 * index + layer}"
            if f"{here}.weight" in ours:
                weight = ours[f"{here}.weight"]
                made[f"{there}.weight"] = weight.flip(2, 3) if layer == 0 and side >= 128 else weight
            if index and layer == 0:
                taps = torch.tensor([1.0, 2.0, 1.0]) / 4
                made[f"{there}.blur.kernel"] = torch.outer(taps, taps).repeat(spec.channels[index], 1, 1, 1)
            made[f"{there}.bias"] = ours[f"{here}.bias"]
            made[f"{there}.style.weight"] = ours[f"{here}.affine.weight"]
            made[f"{there}.style.bias"] = ours[f"{here}.affine.bias"]
            made[f"{there}.apply_noise.weight"] = ours[f"{here}.noise_strength"]
            made[f"{there}.apply_noise.noise"] = ours[f"{here}.noise_const"][None, None]
        made[f"synthesis.output{index}.weight"] = torch.full((3, spec.channels[index], 1, 1), 0.5)
        made[f"synthesis.output{index}.bias"] = torch.full((3,), 0.5)
    last = f"synthesis.output{len(spec.channels) - 1}"
    made[f"{last}.weight"] = ours[f"synthesis.b{spec.resolution}.torgb.weight"]
    made[f"{last}.bias"] = ours[f"synthesis.b{spec.resolution}.torgb.bias"]
    return made


def interfacegan_stylegan1(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """genforce's state dict under InterFaceGAN's names: kernels of its transposed convolutions lie as TensorFlow's."""
    words = {
        ".const": ".first_layer",
        ".style.weight": ".epilogue.style_mod.dense.linear.weight",
        ".style.bias": ".epilogue.style_mod.dense.wscale.bias",
        ".apply_noise.": ".epilogue.apply_noise.",
    }
    made = {}
    for name, tensor in state.items():
        for theirs, word in words.items():
            if theirs in name:
                name = name.replace(theirs, word)
                break
        else:
            part = name.rpartition(".")[2]
            if name.startswith("mapping.dense"):
                name = name.replace(f".{part}", ".linear.weight" if part == "weight" else ".wscale.bias")
            elif "layer" in name and name.endswith(".bias"):
                name = name.replace(".bias", ".epilogue.bias")
            elif name.startswith("synthesis.layer1") and name.endswith("layer10.weight"):
                tensor = tensor.permute(2, 3, 1, 0)
            elif name.endswith(".weight"):
                name = name.replace(".weight", ".conv.weight")
        made[name] = tensor
    return made


def hammer_stylegan1(state: dict[str, Tensor], **settings: object) -> dict[str, object]:
    """genforce's state dict as Hammer saves it, with its settings beside it."""
    words = {"truncation.w_avg": "w_avg", ".apply_noise.weight": ".noise_strength", ".apply_noise.noise": ".noise"}
    made = {}
    for name, tensor in state.items():
        if name.endswith("blur.kernel"):
            name, tensor = name.replace("blur.kernel", "filter"), tensor[:1]
        for theirs, word in words.items():
            name = name.replace(theirs, word)
        made[name] = tensor[None, :, None, None] if name.endswith("noise_strength") else tensor
    return {"models": {"generator_smooth": made}, "model_kwargs_init": {"generator_smooth": settings}}


def rosinality_stylegan1() -> dict[str, Tensor]:
    """A random state dict of rosinality's StyledGenerator, up-convolutions of 32 px and more being its transposed ones."""
    rng = torch.Generator().manual_seed(2)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng)

    made: dict[str, Tensor] = {"generator.progression.0.conv1.input": draw(1, WIDTHS[0], 4, 4)}
    for layer in range(LAYERS):
        made[f"style.{2 * layer + 1}.linear.weight_orig"] = draw(W_DIM, W_DIM)
        made[f"style.{2 * layer + 1}.linear.bias"] = draw(W_DIM) * 0.3
    for index, width in enumerate(WIDTHS):
        here, below, trained = f"generator.progression.{index}", WIDTHS[max(index - 1, 0)], index < len(WIDTHS) - 1
        if index >= 3:
            made[f"{here}.conv1.0.weight"], made[f"{here}.conv1.0.bias"] = draw(below, width, 3, 3), draw(width)
            made[f"{here}.conv1.1.weight"] = made[f"{here}.conv1.1.weight_flip"] = TAPS.repeat(width, 1, 1, 1)
        elif index:
            made[f"{here}.conv1.1.conv.weight_orig"] = draw(width, below, 3, 3)
            made[f"{here}.conv1.1.conv.bias"] = draw(width)
        made[f"{here}.conv2.conv.weight_orig"], made[f"{here}.conv2.conv.bias"] = draw(width, width, 3, 3), draw(width)
        made[f"{here}.conv2.conv.bias"] *= trained
        for layer in (1, 2):
            made[f"{here}.noise{layer}.weight_orig"] = draw(1, width, 1, 1)
            made[f"{here}.adain{layer}.style.linear.weight_orig"] = draw(2 * width, W_DIM)
            made[f"{here}.adain{layer}.style.linear.bias"] = draw(2 * width)
        made[f"generator.to_rgb.{index}.conv.weight_orig"] = draw(3, width, 1, 1)
        made[f"generator.to_rgb.{index}.conv.bias"] = draw(3)
    return made
