"""StyleGAN2 under its canonical names, as NVIDIA's PyTorch programs save it: the spec read off the tensors.

Errors are clauses without the file's name; the readers put it in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from ..errors import CheckpointError
from ..networks.spec import GeneratorSpec

ARCHITECTURES = {"skip": "stylegan2", "resnet": "stylegan2-resnet", "orig": "stylegan2-orig"}
_VARIANTS = {
    "backbone.": "an EG3D generator, which draws through three dimensions",
    "mapping.embed_proj": "a StyleGAN-XL generator, which embeds classes with another network",
    "synthesis.fourier": "a generator that starts from Fourier features",
    "synthesis.b4.shape": "a StyleGAN2 with spatial codes",
}


def spec_of(tensors: Mapping[str, Tensor], *, clamp: float | None, name: str) -> GeneratorSpec:
    """Depth, widths, classes, architecture and resolution; what leaves no trace in weights, the clamp, is handed in.

    Raises: CheckpointError when the tensors are no square StyleGAN2 that draws colours.
    """
    channels = _channels(tensors)
    layers = _consecutive("mapping.fc{}.weight", tensors)
    if not layers or not channels:
        raise CheckpointError("it has no mapping or no synthesis layers; needed a StyleGAN2 generator")
    widths = [_shape(tensors, f"mapping.fc{layer}.weight", 2) for layer in range(layers)]
    w_dim, inputs, c_dim = widths[-1][0], widths[0][1], 0
    if any(shape != (w_dim, w_dim if layer else inputs) for layer, shape in enumerate(widths)):
        raise CheckpointError("its mapping layers have different widths, which is not supported; needed one for all")
    if "mapping.embed.weight" in tensors:
        embedded, c_dim = _shape(tensors, "mapping.embed.weight", 2)
        inputs -= embedded
        if embedded != w_dim:
            raise CheckpointError(f"it embeds classes in {embedded} numbers; needed as many as w has, {w_dim}")
        if inputs <= 0:
            raise CheckpointError("it draws from classes alone, without z (z_dim 0); needed a generator that takes z")
    side = 2 << len(channels)
    colours = _shape(tensors, f"synthesis.b{side}.torgb.weight", 4)[0]
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
    names = tuple(names)
    for mark, what in _VARIANTS.items():
        if any(name.startswith(mark) for name in names):
            raise CheckpointError(f"it is {what}; that is not supported, give a StyleGAN1, StyleGAN2 or StyleGAN3")


def _channels(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    const = tensors.get("synthesis.b4.const")
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
        channels.append(_shape(tensors, f"synthesis.b{side}.conv1.weight", 4)[0])
        side *= 2
    return tuple(channels)


def _consecutive(pattern: str, tensors: Mapping[str, Tensor]) -> int:
    count = 0
    while pattern.format(count) in tensors:
        count += 1
    return count


def _shape(tensors: Mapping[str, Tensor], name: str, dims: int) -> tuple[int, ...]:
    found = tensors.get(name)
    if found is None or found.ndim != dims:
        came = "is missing" if found is None else f"has {found.ndim} axes instead of {dims}"
        raise CheckpointError(f"'{name}' {came}; the file is damaged or another kind of network")
    return tuple(found.shape)
