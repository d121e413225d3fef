"""StyleGAN3 as a bare state dict, which holds no settings; StyleGAN3-editing's files among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import AliasFree
from ..pickles import Record
from ..reading.architectures import expect_no_variant
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import completed
from ..reading.contents import Contents
from ..reading.encoders import with_encoder
from ..reading.tables import StateDict, state_dict_with
from ..reading.weights import ForeignWeights
from .stylegan2 import shape_of
from .stylegan2_state_dicts import with_average
from .stylegan3 import expect_layers, layer_names, renamed, spec_of

FIRST_RATE = 16  # of the published networks
PUBLISHED_CLAMP = 256.0
_FREQUENCIES = "synthesis.input.freqs"  # what only StyleGAN3 has
_TRANSFORM = "synthesis.input.transform"
_TAKEN_AS_PUBLISHED = (
    "the file holds weights without settings: bands, output scale and activation limit are taken as published"
)
_BATCH_OF_TRANSFORMS = "the file's transforms are those of a batch and are left out"


def detect(contents: Contents) -> StateDict | None:
    return state_dict_with(contents.top, _FREQUENCIES)


def read(found: StateDict) -> CanonicalCheckpoint:
    """The generator, and the encoder beside it.

    Convention: what the names and shapes do not show is taken as published: bands, scale, limit.
    Raises: CheckpointError.
    """
    expect_no_variant(found.whole)
    layers = layer_names({name.rpartition(".")[0] for name in found.entries})
    weights, taken, notices = ForeignWeights(found.entries), {}, [_TAKEN_AS_PUBLISHED]
    for name, value in found.entries.items():
        if name == _TRANSFORM and isinstance(value, Tensor) and value.ndim == 3:
            taken[name] = torch.eye(3)  # an encoder's training leaves those of its last batch
            notices.append(_BATCH_OF_TRANSFORMS)
        else:
            taken[name] = weights.take_any(name)
    tensors = renamed(taken, layers)
    resolution = int(layers[-1].split("_")[1])
    spec = spec_of(tensors, _published_layout(tensors, layers), resolution=resolution, clamp=PUBLISHED_CLAMP)
    expect_layers({f"synthesis.{layer}": Record("", {}) for layer in layers}, spec, layers)
    checkpoint = completed(spec, with_average(tensors, found), notices=notices)
    return with_encoder(replace(checkpoint, notices=(*found.notices, *checkpoint.notices)), found)


def _published_layout(tensors: Mapping[str, Tensor], layers: list[str]) -> AliasFree:
    """The published layout with what shapes show: kernel, filters, margin, and where the radial filters end."""
    usual = AliasFree()
    filters = [tensors.get(f"synthesis.L{index}.down_filter") for index in range(len(layers) - 1)]
    radial = [found is not None and found.ndim == 2 for found in filters]
    raised, left = divmod(shape_of(tensors, "synthesis.L0.up_filter", dims=1)[0], usual.filter_size)
    if left:
        raise CheckpointError(
            f"its first filter has {raised * usual.filter_size + left} taps; without the settings, which the file does "
            f"not hold, only filters of {usual.filter_size} taps a sample are understood; give its .pkl"
        )
    return replace(
        usual,
        num_layers=len(layers) - 1,
        num_critical=radial.count(False) if any(radial) else usual.num_critical,
        margin_size=(int(layers[0].split("_")[1]) - FIRST_RATE) // 2,
        conv_kernel=shape_of(tensors, "synthesis.L0.weight", dims=4)[2],
        lrelu_upsampling=raised,
        use_radial_filters=any(radial),
    )
