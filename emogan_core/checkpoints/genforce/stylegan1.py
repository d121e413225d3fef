"""StyleGAN1 as genforce, InterFaceGAN and Hammer name it: programs of one group, whose names differ in parts.

Source: docs/tensor-names.md and the programs' tensors; the names are facts of the files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from torch import Tensor

from ...errors import CheckpointError
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import no_discriminator_notice
from ..reading.contents import Contents
from ..reading.filters import STYLEGAN1, expect_filters
from ..reading.settings import MAPPING_RATE, expect_settings, shown
from ..reading.stylegan1 import TURNED_FROM, read_stylegan1
from ..reading.tables import StateDict, state_dict_with, table_at
from .stylegan2 import MARKS

_MARKS_OF_STYLEGAN1 = (
    "synthesis.layer0.apply_noise.weight",
    "synthesis.layer0.epilogue.apply_noise.weight",
    "synthesis.lod",
)
_FILTERS = (".blur.kernel", ".filter")
_SPECIFIC = ("truncation.truncation",)  # InterFaceGAN's psi per layer
_WHOLE = {
    "truncation.w_avg": "mapping.w_avg",
    "w_avg": "mapping.w_avg",
    "mapping.label_weight": "mapping.embed.weight",
    "mapping.embedding": "mapping.embed.weight",
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
    "noise": "noise_const",
}
_DENSE = re.compile(r"mapping\.dense(\d{1,2})\.(?:linear\.|wscale\.)?(weight|bias)")
_LAYER = re.compile(r"synthesis\.layer(\d{1,2})\.(.+)")
_OUTPUT = re.compile(r"synthesis\.output(\d{1,2})\.(?:conv\.)?(weight|bias)")
_FIXED: Mapping[str, object] = {  # settings that Hammer keeps beside the weights and that leave no trace in them
    "normalize_z": True,
    "repeat_w": True,
    "mapping_use_wscale": True,
    "mapping_wscale_gain": math.sqrt(2),
    "init_res": 4,
    "final_tanh": False,
    "use_wscale": True,
    "wscale_gain": math.sqrt(2),
    "lr_mul": 1.0,
    "noise_type": "spatial",
    "filter_kernel": [1, 2, 1],
    "eps": 1e-8,
}


def detect(contents: Contents) -> StateDict | None:
    found = state_dict_with(contents.top, *MARKS)
    return found if found is not None and any(name in found.entries for name in _MARKS_OF_STYLEGAN1) else None


def read(found: StateDict) -> CanonicalCheckpoint:
    """The generator; discriminators of StyleGAN1 are left out.

    Raises: CheckpointError.
    """
    notices = list(found.notices)
    if found.beside("discriminator") is not None:
        notices.append(no_discriminator_notice(CheckpointError("it is of StyleGAN1's kind, which is not read")))
    settings = table_at(table_at(found.top, "model_kwargs_init") or {}, found.key) or {}
    expect_settings(settings, _FIXED)
    rate = settings.get("mapping_lr_mul", MAPPING_RATE)
    fused, least = settings.get("fused_scale", "auto"), settings.get("fused_scale_res", TURNED_FROM)
    if not isinstance(rate, float | int) or not isinstance(least, int) or not 1e-6 <= rate <= 1e6:
        raise CheckpointError(f"its settings of rate and size are {shown(rate)} and {shown(least)}; needed numbers")
    filters = [name for name in found.entries if name.endswith(_FILTERS)]
    expect_filters(found.entries, filters, taps=STYLEGAN1)
    left_aside = {*filters, *_SPECIFIC}
    own = dict(_named(name, value) for name, value in found.entries.items() if name not in left_aside)
    return read_stylegan1(
        own,
        notices=notices,
        turned_from=(8 if fused else 1 << 30) if isinstance(fused, bool) else least,
        mapping_gain=rate / MAPPING_RATE,
    )


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
        if part == "noise_strength" and isinstance(value, Tensor):
            value = value.flatten()  # Hammer's has four axes
        return target, _inner(value, leading=2) if target.endswith("noise_const") else value
    return name, value


def _inner(value: object, *, leading: int) -> object:
    """Without the leading axes of one."""
    if isinstance(value, Tensor) and value.ndim == 4 and all(side == 1 for side in value.shape[:leading]):
        return value[(0,) * leading]
    return value
