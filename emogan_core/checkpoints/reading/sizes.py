"""What shapes of tensors say of a generator, and the sizes that are not drawn here.

Errors are clauses without the file's name, which is put before them once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import CheckpointError
from ...networks.spec import MAX_RESOLUTION

Shape = tuple[int, ...]
MAX_MAPPING = 1 << 24  # numbers; usual are 8 layers of 512, 2 million, and 10,000 samples pass through them


def mapping_sizes(
    layers: Sequence[Shape], *, classes: tuple[int, int] | None = None, concat: bool = False
) -> dict[str, Any]:
    """What a GeneratorSpec says of a mapping network: mapping_layers, w_dim, z_dim, c_dim and conditioning.

    Convention: `layers` are the kernels' shapes [outputs, inputs]; `classes` how many there are and in how many numbers
    each is embedded; `concat` for embeddings that are normalised together with z.
    Raises: CheckpointError.
    """
    if not layers:
        raise CheckpointError("it has no mapping network; needed one from z to w")
    w_dim, inputs = layers[-1][0], layers[0][1]
    if any(shape != (w_dim, w_dim if index else inputs) for index, shape in enumerate(layers)):
        raise CheckpointError("its mapping layers have different widths, which is not supported; needed one for all")
    numbers = sum(outputs * entering for outputs, entering in layers)
    if numbers > MAX_MAPPING:
        raise CheckpointError(f"its mapping network has {numbers} numbers; needed at most {MAX_MAPPING}")
    sizes: dict[str, Any] = {"mapping_layers": len(layers), "w_dim": w_dim, "z_dim": inputs}
    if classes is None:
        return sizes
    count, width = classes
    z_dim = inputs - width
    if width != (z_dim if concat else w_dim):
        wanted = f"z has, {z_dim}" if concat else f"w has, {w_dim}"
        raise CheckpointError(f"it embeds classes in {width} numbers; needed as many as {wanted}")
    if z_dim < 1:
        raise CheckpointError("it draws from classes alone, without z (z_dim 0); needed a generator that takes z")
    return sizes | {"z_dim": z_dim, "c_dim": count, "conditioning": "concat" if concat else "embed"}


def resolution_of(blocks: int) -> int:
    """Side of the pictures that `blocks` blocks from 4 px up draw.

    Raises: CheckpointError.
    """
    if not 2 <= blocks <= MAX_RESOLUTION.bit_length() - 2:
        raise CheckpointError(f"it has {blocks} resolutions; needed 2 (8 px) to 10 ({MAX_RESOLUTION} px)")
    return 4 << (blocks - 1)


def expect_square(sides: Shape) -> None:
    """The constant that a pyramid of blocks starts from.

    Raises: CheckpointError.
    """
    if sides != (4, 4):
        raise CheckpointError(
            f"it starts from {' x '.join(map(str, sides))} instead of 4 x 4: generators of pictures that are not square, "
            "such as StyleGAN-Human, are not supported"
        )


def expect_colours(channels: int) -> None:
    """Raises: CheckpointError for pictures that are not of three colours."""
    if channels != 3:
        raise CheckpointError(
            f"it draws pictures of {channels} channels instead of three; give a generator of colour pictures"
        )
