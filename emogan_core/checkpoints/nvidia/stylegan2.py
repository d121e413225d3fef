"""StyleGAN2 under its canonical names, as NVIDIA's PyTorch programs save it: the spec read off the tensors.

Errors of all functions but `read_state_dict` are clauses without the file's name; the readers put it in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..reading.canonical import CanonicalCheckpoint
from ..reading.weights import ForeignWeights, completed
from .modules import expect_our_filter

ARCHITECTURES = {"skip": "stylegan2", "resnet": "stylegan2-resnet", "orig": "stylegan2-orig"}
CONST = "synthesis.b4.const"
STYLERES = ".modify_feature_"  # StyleRes' additions between two layers, at work during its inversions only
STYLERES_CLAMP = 256.0  # of its program, whose generator knows no other
_FILTER = ".resample_filter"
_VARIANTS = {
    "backbone.synthesis.": "an EG3D generator, which draws through three dimensions",
    "mapping.embed_proj": "a StyleGAN-XL generator, which embeds classes with another network",
    "mapping.clip": "a StyleGAN-T generator, which draws from texts",
    "synthesis.init.": "a FastGAN generator, as Projected GAN trains",
    "to_rgb1.iwt": "a SWAGAN generator, which draws wavelets",
}


def spec_of(tensors: Mapping[str, Tensor], *, clamp: float | None, name: str) -> GeneratorSpec:
    """Depth, widths, classes, architecture and resolution; what leaves no trace in weights, the clamp, is handed in.

    Raises: CheckpointError when the tensors are no square StyleGAN2 that draws colours.
    """
    channels = _channels(tensors)
    layers = depth_of(tensors)
    if not layers or not channels:
        raise CheckpointError("it has no mapping or no synthesis layers; needed a StyleGAN2 generator")
    widths = [shape_of(tensors, f"mapping.fc{layer}.weight", dims=2) for layer in range(layers)]
    w_dim, inputs, c_dim = widths[-1][0], widths[0][1], 0
    if any(shape != (w_dim, w_dim if layer else inputs) for layer, shape in enumerate(widths)):
        raise CheckpointError("its mapping layers have different widths, which is not supported; needed one for all")
    if "mapping.embed.weight" in tensors:
        embedded, c_dim = shape_of(tensors, "mapping.embed.weight", dims=2)
        inputs -= embedded
        if embedded != w_dim:
            raise CheckpointError(f"it embeds classes in {embedded} numbers; needed as many as w has, {w_dim}")
        if inputs <= 0:
            raise CheckpointError("it draws from classes alone, without z (z_dim 0); needed a generator that takes z")
    side = 2 << len(channels)
    colours = shape_of(tensors, f"synthesis.b{side}.torgb.weight", dims=4)[0]
    if colours != 3:
        raise CheckpointError(
            f"it draws pictures of {colours} channels instead of three; give a generator of colour pictures"
        )
    return GeneratorSpec(
        resolution=side,
        w_dim=w_dim,
        z_dim=inputs,
        channels=channels,
        mapping_layers=layers,
        conv_clamp=clamp,
        architecture=architecture_of(tensors),
        name=name,
        c_dim=c_dim,
    )


def read_state_dict(entries: Mapping[str, object], *, place: str, average: Tensor | None = None) -> CanonicalCheckpoint:
    """A generator from a bare state dict, which tells no settings; `average` is the file's own where it has one.

    Raises: CheckpointError.
    """
    weights, tensors, notices = ForeignWeights(entries, place=place), {}, []
    try:
        expect_no_variant(entries)
        for name, value in entries.items():
            if name.endswith(_FILTER) and isinstance(value, Tensor):
                expect_our_filter(value)
            elif STYLERES not in name:
                dims = value.ndim if isinstance(value, Tensor) else 1
                tensors[name] = weights.take(name, *weights.shape(name, dims=dims))
        if any(STYLERES in name for name in entries):
            clamp: float | None = STYLERES_CLAMP
            notices.append("StyleRes' own layers are left out; its generator draws without them")
        else:
            clamp = None
            notices.append(
                "the file does not tell the limit on activations (conv_clamp) that its training had; none is applied, "
                "which draws the same as long as activations stay below it"
            )
        spec = spec_of(tensors, clamp=clamp, name="unnamed")
    except CheckpointError as error:
        told = str(error)
        raise CheckpointError(told if told.startswith(place) else f"{place}: {told}") from error
    for side in spec.resolutions:
        for layer in ("conv0", "conv1") if side > 4 else ("conv1",):
            name = f"synthesis.b{side}.{layer}.noise"
            if f"{name}_strength" not in tensors and f"{name}_const" not in tensors:  # trained without noise
                tensors |= {f"{name}_strength": torch.zeros(()), f"{name}_const": torch.zeros(side, side)}
    if average is not None:
        tensors.setdefault("mapping.w_avg", average)
    return completed(spec, tensors, notices=notices)


def architecture_of(names: Iterable[str]) -> str:
    """By what its blocks have: every block draws ("skip"), has a shortcut ("resnet"), or neither ("orig")."""
    names = set(names)
    if "synthesis.b4.torgb.weight" in names:
        return ARCHITECTURES["skip"]
    return ARCHITECTURES["resnet" if "synthesis.b8.skip.weight" in names else "orig"]


def expect_no_variant(names: Iterable[str]) -> None:
    """Refuse relatives of StyleGAN2 by their name.

    Raises: CheckpointError.
    """
    for name in names:
        for mark, what in _VARIANTS.items():
            if name.startswith(mark) or f".{mark}" in name:
                raise CheckpointError(f"it is {what}; that is not supported, give a StyleGAN1, StyleGAN2 or StyleGAN3")


def _channels(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    const = tensors.get(CONST)
    if const is None or const.ndim != 3:
        raise CheckpointError("its synthesis does not start from a constant; needed a StyleGAN2 generator")
    if const.shape[1:] != (4, 4):
        sides = " x ".join(str(side) for side in const.shape[1:])
        raise CheckpointError(
            f"it starts from {sides} instead of 4 x 4: generators of pictures that are not square, such as "
            "StyleGAN-Human, are not supported"
        )
    channels, side = [], 4
    while f"synthesis.b{side}.conv1.weight" in tensors:
        channels.append(shape_of(tensors, f"synthesis.b{side}.conv1.weight", dims=4)[0])
        side *= 2
    return tuple(channels)


def depth_of(tensors: Mapping[str, Tensor]) -> int:
    """How many layers the mapping network has."""
    depth = 0
    while f"mapping.fc{depth}.weight" in tensors:
        depth += 1
    return depth


def shape_of(tensors: Mapping[str, Tensor], name: str, *, dims: int) -> tuple[int, ...]:
    """A tensor's shape, once it is known to have numbers along `dims` axes.

    Raises: CheckpointError.
    """
    found = tensors.get(name)
    if found is None or found.ndim != dims or not found.numel():
        came = "is missing" if found is None else f"has the shape {list(found.shape)[:8]}"
        raise CheckpointError(f"'{name}' {came}; needed {dims} axes; the file is damaged or another kind of network")
    return tuple(found.shape)
