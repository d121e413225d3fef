"""What StyleGAN3's pickles and state dicts share: its layers' names, its spec, and what layers must be by its layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import AliasFree, GeneratorSpec
from ...networks.stylegan3 import frequency_bands, resampling
from ..pickles import Record
from ..reading.sizes import expect_colours, mapping_sizes
from .stylegan2 import classes_of, mapping_shapes, shape_of

MAX_LAYERS = 64
_LAYER = re.compile(r"synthesis\.(L(\d{1,3})_(\d{1,5})_(\d{1,5}))", re.ASCII)


def layer_names(paths: Iterable[str]) -> list[str]:
    """The names of layers in their order.

    Raises: CheckpointError when they do not count up from 0.
    """
    found = [match for path in paths if (match := _LAYER.fullmatch(path))]
    found.sort(key=lambda match: int(match[2]))
    if [int(match[2]) for match in found] != list(range(len(found))) or not 4 <= len(found) <= MAX_LAYERS:
        raise CheckpointError(
            f"its {len(found)} StyleGAN3 layers are not numbered L0 to L{max(len(found) - 1, 3)}; the file is damaged"
        )
    return [match[1] for match in found]


def renamed(tensors: Mapping[str, Tensor], layers: list[str]) -> dict[str, Tensor]:
    """Layers by their number alone."""
    numbers = {layer: str(index) for index, layer in enumerate(layers)}
    found: dict[str, Tensor] = {}
    for path, tensor in tensors.items():
        root, _, rest = path.removeprefix("synthesis.").partition(".")
        own = path.startswith("synthesis.") and root in numbers
        found[f"synthesis.L{numbers[root]}.{rest}" if own else path] = tensor
    return found


def spec_of(tensors: Mapping[str, Tensor], layout: AliasFree, *, resolution: int, clamp: float | None) -> GeneratorSpec:
    """Widths and depth from the tensors; the activation limit, which leaves no trace in them, is handed in.

    Raises: CheckpointError.
    """
    shapes = mapping_shapes(tensors)
    if not shapes:
        raise CheckpointError("its mapping has no layers; needed a StyleGAN3 generator")
    sizes = mapping_sizes(shapes, classes=classes_of(tensors))
    widths = [shape_of(tensors, f"synthesis.L{index}.weight", dims=4)[0] for index in range(layout.num_layers + 1)]
    expect_colours(widths[-1])
    return GeneratorSpec(
        **sizes,
        resolution=resolution,
        channels=tuple(widths[:-1]),
        conv_clamp=clamp,
        architecture="stylegan3",
        alias_free=layout,
    )


def expect_layers(modules: Mapping[str, Record], spec: GeneratorSpec, layers: list[str]) -> None:
    """What every layer tells of itself is what the layout makes of it.

    Raises: CheckpointError.
    """
    found = frequency_bands(spec)
    for index, layer in enumerate(layers):
        before, after, plan = found[max(index - 1, 0)], found[index], resampling(spec, index)
        width = 3 if index == len(layers) - 1 else spec.channels[index]
        missing = (plan.size_out - 1) * plan.down + plan.up_taps + plan.down_taps - 1 - plan.size_in * plan.up
        ends = [plan.before, missing - plan.before]
        wanted: dict[str, object] = {
            "name": f"L{index}_{after.side}_{width}",
            "in_sampling_rate": before.rate,
            "out_sampling_rate": after.rate,
            "up_factor": plan.up,
            "down_factor": plan.down,
            "padding": ends * 2,
        }
        declared = modules[f"synthesis.{layer}"].state | {"name": layer}
        for key, value in wanted.items():
            if declared.get(key, value) != value:
                raise CheckpointError(
                    f"the {key} of its layer {layer} cannot follow from its layout, which needs {value}; the file is "
                    "damaged or a variant not supported, such as pictures that are not square"
                )
    waves = modules["synthesis.input"].state if "synthesis.input" in modules else {}
    for key, value in (("sampling_rate", found[0].rate), ("bandwidth", found[0].cutoff)):
        came = waves.get(key, value)
        if not isinstance(came, int | float) or abs(came - value) > 1e-6 * value:
            raise CheckpointError(f"the {key} of its waves cannot follow from its layout; the file is damaged")
