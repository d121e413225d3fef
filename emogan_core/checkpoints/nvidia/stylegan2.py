"""A StyleGAN2's spec, read off its tensors under NVIDIA's names, which are the canonical ones."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..reading.architectures import architecture_of
from ..reading.sizes import expect_colours, expect_square, mapping_sizes

CONST = "synthesis.b4.const"


def spec_of(tensors: Mapping[str, Tensor], *, clamp: float | None) -> GeneratorSpec:
    """Depth, widths, classes, architecture and resolution; what leaves no trace in weights, the clamp, is handed in.

    Raises: CheckpointError when the tensors are no square StyleGAN2 that draws colours.
    """
    channels = _channels(tensors)
    layers = mapping_shapes(tensors)
    if not layers or not channels:
        raise CheckpointError("it has no mapping or no synthesis layers; needed a StyleGAN2 generator")
    sizes = mapping_sizes(layers, classes=classes_of(tensors))
    side = 2 << len(channels)
    expect_colours(shape_of(tensors, f"synthesis.b{side}.torgb.weight", dims=4)[0])
    return GeneratorSpec(
        **sizes, resolution=side, channels=channels, conv_clamp=clamp, architecture=architecture_of(tensors)
    )


def mapping_shapes(tensors: Mapping[str, Tensor]) -> list[tuple[int, ...]]:
    """The kernels' shapes of the mapping network's layers.

    Raises: CheckpointError.
    """
    shapes: list[tuple[int, ...]] = []
    while f"mapping.fc{len(shapes)}.weight" in tensors:
        shapes.append(shape_of(tensors, f"mapping.fc{len(shapes)}.weight", dims=2))
    return shapes


def classes_of(tensors: Mapping[str, Tensor]) -> tuple[int, int] | None:
    """How many classes there are and in how many numbers each is embedded; None without classes.

    Raises: CheckpointError.
    """
    if "mapping.embed.weight" not in tensors:
        return None
    width, count = shape_of(tensors, "mapping.embed.weight", dims=2)
    return count, width


def shape_of(tensors: Mapping[str, Tensor], name: str, *, dims: int) -> tuple[int, ...]:
    """A tensor's shape, once it is known to have numbers along `dims` axes.

    Raises: CheckpointError.
    """
    found = tensors.get(name)
    if found is None or found.ndim != dims or not found.numel():
        came = "is missing" if found is None else f"has the shape {list(found.shape)[:8]}"
        raise CheckpointError(f"'{name}' {came}; needed {dims} axes; the file is damaged or another kind of network")
    return tuple(found.shape)


def _channels(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    const = tensors.get(CONST)
    if const is None or const.ndim != 3:
        raise CheckpointError("its synthesis does not start from a constant; needed a StyleGAN2 generator")
    expect_square(tuple(const.shape[1:]))
    channels, side = [], 4
    while f"synthesis.b{side}.conv1.weight" in tensors:
        channels.append(shape_of(tensors, f"synthesis.b{side}.conv1.weight", dims=4)[0])
        side *= 2
    return tuple(channels)
