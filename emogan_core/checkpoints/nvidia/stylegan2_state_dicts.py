"""StyleGAN2 as a bare state dict under NVIDIA's names, which holds no settings; StyleRes' files among them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..reading.architectures import expect_no_variant
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import completed
from ..reading.contents import Contents
from ..reading.encoders import with_encoder
from ..reading.filters import expect_filters
from ..reading.tables import StateDict, state_dict_with
from ..reading.weights import ForeignWeights, average_row
from .stylegan2 import CONST, spec_of

_FILTER = ".resample_filter"
_STYLERES = ".modify_feature_"  # StyleRes' additions between two layers, at work during its inversions only
_STYLERES_CLAMP = 256.0  # of its program, whose generator knows no other
_STYLERES_NOTICE = "StyleRes' own layers are left out; its generator draws without them"
_NO_CLAMP_NOTICE = (
    "the file does not tell the limit on activations (conv_clamp) that its training had; none is applied, "
    "which draws the same as long as activations stay below it"
)


def detect(contents: Contents) -> StateDict | None:
    return state_dict_with(contents.top, CONST)


def read(found: StateDict) -> CanonicalCheckpoint:
    """The generator, and the encoder beside it.

    Raises: CheckpointError.
    """
    expect_no_variant(found.whole)
    entries = found.entries
    expect_filters(entries, [name for name in entries if name.endswith(_FILTER)])
    weights, tensors = ForeignWeights(entries), {}
    for name in entries:
        if not name.endswith(_FILTER) and _STYLERES not in name:
            tensors[name] = weights.take_any(name)
    styleres = any(_STYLERES in name for name in entries)
    spec = spec_of(tensors, clamp=_STYLERES_CLAMP if styleres else None)
    for side in spec.resolutions:
        for layer in ("conv0", "conv1") if side > 4 else ("conv1",):
            name = f"synthesis.b{side}.{layer}.noise"
            if f"{name}_strength" not in tensors and f"{name}_const" not in tensors:  # trained without noise
                tensors |= {f"{name}_strength": torch.zeros(()), f"{name}_const": torch.zeros(side, side)}
    tensors = with_average(tensors, found)
    checkpoint = completed(spec, tensors, notices=[_STYLERES_NOTICE if styleres else _NO_CLAMP_NOTICE])
    return with_encoder(replace(checkpoint, notices=(*found.notices, *checkpoint.notices)), found)


def with_average(tensors: dict[str, Tensor], found: StateDict) -> dict[str, Tensor]:
    """With the average latent that lies beside a state dict, where it has none of its own.

    Raises: CheckpointError.
    """
    average, bias = found.top.get("latent_avg"), tensors.get("mapping.fc0.bias")
    if average is None or bias is None or bias.ndim != 1:
        return tensors
    return {"mapping.w_avg": average_row(average, width=bias.shape[0]), **tensors}
