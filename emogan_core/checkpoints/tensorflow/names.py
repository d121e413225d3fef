"""TensorFlow's names and layouts of a StyleGAN's variables as ours; what the numbers mean is left to the readers.

Convention: kernels come as [h, w, inputs, outputs] and go as [outputs, inputs, h, w]; maps lose their leading ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_LAYERS = {"Const": "conv0", "Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "Skip": "skip", "ToRGB": "torgb"}
_DISCRIMINATOR_LAYERS = {"FromRGB": "fromrgb", "Conv": "conv", "Conv0": "conv0", "Conv1_down": "conv1", "Skip": "skip"}
_PARTS = {
    "mod_weight": "affine.weight",
    "mod_bias": "affine.bias",
    "StyleMod/weight": "affine.weight",
    "StyleMod/bias": "affine.bias",
    "Noise/weight": "noise_strength",
}
_GROWING = re.compile(r"synthesis/ToRGB_lod(\d{1,2})/(\w+)")
_NUMBERED = re.compile(r"synthesis/noise(\d{1,2})")
_LAYER = re.compile(r"synthesis/(\d{1,4})x\1/(\w+)/([\w/]+)")
_DISCRIMINATOR = re.compile(r"(\d{1,4})x\1/(\w+)/(weight|bias)")
_DISCRIMINATOR_GREW = re.compile(r"FromRGB_lod(\d{1,2})/(weight|bias)")
_DISCRIMINATOR_CLASSES = re.compile(r"(LabelEmbed|Mapping(\d{1,2}))/(weight|bias)")
_DENSE = re.compile(r"mapping/Dense(\d{1,2})/(weight|bias)")
_WHOLE = {
    "dlatent_avg": "mapping.w_avg",
    "synthesis/lod": "synthesis.lod",
    "mapping/LabelConcat/weight": "mapping.embed.weight",
    "mapping/LabelEmbed/weight": "mapping.embed.weight",
    "mapping/LabelEmbed/bias": "mapping.embed.bias",
    "synthesis/4x4/Const/const": "synthesis.b4.const",
}


def generator_names(entries: Mapping[str, Tensor], *, first: bool) -> dict[str, Tensor]:
    """A generator's variables; `first` for StyleGAN1. Names not known here stay as they are.

    Convention: the entries' names begin with mapping/ or synthesis/ where they are a component's.
    """
    full = full_side(entries)
    return {_ours(name, full=full, first=first): _laid_out(name, tensor) for name, tensor in entries.items()}


def discriminator_names(entries: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A discriminator's variables, each with discriminator. before it; names not known here stay as they are.

    Of one that grew the layers that read smaller pictures are left out, as is the level it grew to.
    """
    full = max((int(match[1]) for name in entries if (match := _DISCRIMINATOR.fullmatch(name))), default=0)
    made = {}
    for name, tensor in entries.items():
        target, found = name, _DISCRIMINATOR.fullmatch(name)
        if found is not None and found[2] in _DISCRIMINATOR_LAYERS:
            target = f"discriminator.b{found[1]}.{_DISCRIMINATOR_LAYERS[found[2]]}.{found[3]}"
        elif name.startswith(("4x4/Dense0/", "Output/")):
            target = f"discriminator.b4.{'fc' if name[0] == '4' else 'out'}.{name.rpartition('/')[2]}"
        elif found := _DISCRIMINATOR_CLASSES.fullmatch(name):
            target = f"discriminator.mapping.{f'fc{found[2]}' if found[2] else 'embed'}.{found[3]}"
        elif found := _DISCRIMINATOR_GREW.fullmatch(name):
            if int(found[1]):
                continue
            target = f"discriminator.b{full}.fromrgb.{found[2]}"
        elif name == "lod":
            continue
        made[target] = _laid_out(name, tensor)
    return made


def full_side(entries: Mapping[str, object]) -> int:
    """The side of the largest block, 0 without blocks."""
    found = (_LAYER.fullmatch(name) for name in entries)
    return max((int(match[1]) for match in found if match is not None), default=0)


def _ours(name: str, *, full: int, first: bool) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    if found := _DENSE.fullmatch(name):
        return f"mapping.fc{found[1]}.{found[2]}"
    if found := _GROWING.fullmatch(name):
        return f"synthesis.b{full >> int(found[1])}.torgb.{_PARTS.get(found[2], found[2])}"
    if found := _NUMBERED.fullmatch(name):
        number = int(found[1]) + (not first)  # StyleGAN2 has no noise on its constant
        return f"synthesis.b{4 << (number // 2)}.conv{number % 2}.noise_const"
    if (found := _LAYER.fullmatch(name)) and found[2] in _LAYERS:
        return f"synthesis.b{found[1]}.{_LAYERS[found[2]]}.{_PARTS.get(found[3], found[3])}"
    return name


def _laid_out(name: str, tensor: Tensor) -> Tensor:
    if tensor.ndim == 4 and name.endswith("weight"):
        return tensor.permute(3, 2, 0, 1)
    if tensor.ndim == 4 and tensor.shape[0] == 1:
        return tensor[0, 0] if tensor.shape[1] == 1 and not name.endswith("const") else tensor[0]
    if tensor.ndim == 2 and not name.endswith("LabelConcat/weight"):
        return tensor.T
    return tensor
