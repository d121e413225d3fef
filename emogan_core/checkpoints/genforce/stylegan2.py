"""StyleGAN2 as genforce's program names it, and as Hammer does, which came after it.

Most names are the same, what lies under them is not: genforce keeps the kernels of up-sampling convolutions turned by
180 degrees and style biases without their 1, Hammer keeps both as they are used, and its settings beside the weights.
Source: docs/tensor-names.md; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import completed, no_discriminator_notice
from ..reading.contents import Contents
from ..reading.settings import word
from ..reading.sizes import mapping_sizes, resolution_of
from ..reading.tables import StateDict, state_dict_with, table_at
from ..reading.weights import ForeignWeights
from .hammer import (
    EMBEDDING,
    Conventions,
    conventions_of,
    discriminator_facts_of,
    expect_hammer_filters,
    has_bias,
)

MARKS = ("synthesis.layer0.", "synthesis.early_layer.")
_FILTERS = (".filter.kernel", "synthesis.upsample.kernel", ".filter")  # fixed in genforce, checked in Hammer


def detect(contents: Contents) -> StateDict | None:
    return state_dict_with(contents.top, *MARKS)


def read(found: StateDict) -> CanonicalCheckpoint:
    """The generator, and the residual discriminator beside it.

    Raises: CheckpointError.
    """
    weights = ForeignWeights(found.entries)
    _expect_kind(weights)
    notices = list(found.notices)
    settings = table_at(found.top, "model_kwargs_init") or {}
    conventions = conventions_of(weights, table_at(settings, found.key), notices=notices)
    spec, tensors = _mapping(weights, conventions)
    tensors |= _synthesis(weights, spec, conventions)
    weights.expect_all_taken(ignored=_FILTERS)
    discriminator = found.beside("discriminator")
    if discriminator is not None:
        try:
            facts = discriminator_facts_of(table_at(settings, "discriminator"))
            tensors |= _discriminator(ForeignWeights(discriminator), spec, conventions)
            spec = replace(spec, **facts)
        except CheckpointError as error:
            notices.append(no_discriminator_notice(error))
    return completed(spec, tensors, notices=notices)


def _expect_kind(weights: ForeignWeights) -> None:
    if "synthesis.early_layer.weight" in weights:
        raise CheckpointError("it starts from the code instead of a constant; such networks are not supported")
    if "synthesis.early_layer.const" not in weights or "synthesis.layer0.weight" not in weights:
        first = ", ".join(f"{name[:60]!a}" for name in list(weights.entries)[:4])
        raise CheckpointError(f"it starts with {first}: not a StyleGAN2 that genforce wrote; give another file")
    if "synthesis.layer1.style.weight" not in weights and "synthesis.layer1.weight" in weights:
        raise CheckpointError(
            "it is of the residual architecture as genforce saves it: without its up-sampling convolutions, whose "
            "place the shortcuts took; not even that program can draw it"
        )


def _mapping(weights: ForeignWeights, conventions: Conventions) -> tuple[GeneratorSpec, dict[str, Tensor]]:
    """The spec, and the tensors before the synthesis."""
    blocks = (weights.count("synthesis.layer{}.weight") + 1) // 2
    layers = [
        weights.shape(f"mapping.dense{index}.weight", dims=2)
        for index in range(weights.count("mapping.dense{}.weight"))
    ]
    tensors, classes, concat = _classes(weights)
    sizes = mapping_sizes(layers, classes=classes, concat=concat)
    spec = GeneratorSpec(
        **sizes,
        resolution=resolution_of(blocks),
        channels=tuple(weights.shape(f"synthesis.layer{2 * index}.weight", dims=4)[0] for index in range(blocks)),
        conv_clamp=conventions.clamp,
        architecture=_architecture(weights, conventions),
    )
    for index, shape in enumerate(layers):
        tensors[f"mapping.fc{index}.weight"] = weights.take(f"mapping.dense{index}.weight", *shape)
        tensors[f"mapping.fc{index}.bias"] = weights.take(f"mapping.dense{index}.bias", spec.w_dim)
    if conventions.average in weights:
        tensors["mapping.w_avg"] = weights.take(conventions.average, spec.w_dim)
    return spec, tensors


def _classes(weights: ForeignWeights) -> tuple[dict[str, Tensor], tuple[int, int] | None, bool]:
    """The embedding's tensors, how many classes there are and how wide each is, and whether it is LabelConcat's.

    Raises: CheckpointError.
    """
    if "mapping.label_weight" in weights:  # TensorFlow's LabelConcat
        count, width = weights.shape("mapping.label_weight", dims=2)
        return {"mapping.embed.weight": weights.take("mapping.label_weight", count, width)}, (count, width), True
    if EMBEDDING not in weights:
        return {}, None, False
    width, count = weights.shape(EMBEDDING, dims=2)
    kernel = weights.take(EMBEDDING, width, count)
    if has_bias(weights):
        bias = weights.take("mapping.embedding.bias", width)
        return {"mapping.embed.weight": kernel, "mapping.embed.bias": bias}, (count, width), False
    return {"mapping.embed.weight": kernel.T.contiguous()}, (count, width), True


def _architecture(weights: ForeignWeights, conventions: Conventions) -> str:
    """By what the blocks have, held against the setting where there is one."""
    shortcut = conventions.shortcut.format(before=0, here=1) + ".weight"
    found = "skip" if "synthesis.output0.weight" in weights else "resnet" if shortcut in weights else "origin"
    if conventions.architecture not in (None, found):
        raise CheckpointError(
            f"it says that its architecture is {word(conventions.architecture)}, its tensors are those of '{found}'; "
            "the file is damaged"
        )
    return {"skip": "stylegan2", "resnet": "stylegan2-resnet", "origin": "stylegan2-orig"}[found]


def _synthesis(weights: ForeignWeights, spec: GeneratorSpec, conventions: Conventions) -> dict[str, Tensor]:
    width = spec.channels[0]
    tensors = {"synthesis.b4.const": weights.take("synthesis.early_layer.const", 1, width, 4, 4)[0]}
    for index, side in enumerate(spec.resolutions):
        outer, inner = spec.channels[index], spec.channels[max(index - 1, 0)]
        here = f"synthesis.b{side}"
        if index:
            tensors |= _styled(weights, 2 * index - 1, f"{here}.conv0", (outer, inner), spec, side=side)
            if conventions.turned:
                tensors[f"{here}.conv0.weight"] = tensors[f"{here}.conv0.weight"].flip(2, 3)
        if index and spec.architecture == "stylegan2-resnet":
            shortcut = conventions.shortcut.format(before=index - 1, here=index)
            tensors[f"{here}.skip.weight"] = weights.take(f"{shortcut}.weight", outer, inner, 1, 1)
        tensors |= _styled(weights, 2 * index, f"{here}.conv1", (outer, outer), spec, side=side)
        if spec.architecture == "stylegan2" or side == spec.resolution:
            tensors |= _core(weights, f"synthesis.output{index}", f"{here}.torgb", (3, outer, 1), spec)
    for name in tensors:
        if name.endswith(".affine.bias"):
            tensors[name] = tensors[name] + conventions.style_bias
    return tensors


def _styled(
    weights: ForeignWeights, number: int, target: str, widths: tuple[int, int], spec: GeneratorSpec, *, side: int
) -> dict[str, Tensor]:
    source = f"synthesis.layer{number}"
    tensors = _core(weights, source, target, (*widths, 3), spec)
    tensors[f"{target}.noise_strength"] = weights.take(f"{source}.noise_strength")
    if f"{source}.noise" in weights:
        tensors[f"{target}.noise_const"] = weights.take(f"{source}.noise", 1, 1, side, side)[0, 0]
    return tensors


def _core(
    weights: ForeignWeights, source: str, target: str, sizes: tuple[int, int, int], spec: GeneratorSpec
) -> dict[str, Tensor]:
    """Kernel, bias and style of one layer; `sizes` are outputs, inputs and the kernel's side."""
    outer, inner, side = sizes
    return {
        f"{target}.weight": weights.take(f"{source}.weight", outer, inner, side, side),
        f"{target}.bias": weights.take(f"{source}.bias", outer),
        f"{target}.affine.weight": weights.take(f"{source}.style.weight", inner, spec.w_dim),
        f"{target}.affine.bias": weights.take(f"{source}.style.bias", inner),
    }


def _discriminator(weights: ForeignWeights, spec: GeneratorSpec, conventions: Conventions) -> dict[str, Tensor]:
    """The residual discriminator; layers are numbered from the full picture down, kernels lie as ours do.

    Raises: CheckpointError when it is of another kind, or of other widths than the generator's.
    """
    expect_hammer_filters(weights)
    low, blocks, top = spec.channels[0], len(spec.channels), spec.channels[-1]
    sources: dict[str, tuple[str, tuple[int, ...]]] = {
        f"discriminator.b{spec.resolution}.fromrgb": ("input0", (top, 3, 1, 1))
    }
    for number, index in enumerate(range(blocks - 1, 0, -1)):
        inner, outer = spec.channels[index], spec.channels[index - 1]
        here = f"discriminator.b{spec.resolutions[index]}"
        sources[f"{here}.conv0"] = (f"layer{2 * number}", (inner, inner, 3, 3))
        sources[f"{here}.conv1"] = (f"layer{2 * number + 1}", (outer, inner, 3, 3))
        sources[f"{here}.skip"] = (conventions.discriminator_shortcut.format(number=number), (outer, inner, 1, 1))
    sources["discriminator.b4.conv"] = (f"layer{2 * blocks - 2}", (low, low + 1, 3, 3))
    sources["discriminator.b4.fc"] = (f"layer{2 * blocks - 1}", (low, low * 16))
    sources["discriminator.b4.out"] = (conventions.discriminator_output.format(number=2 * blocks), (1, low))
    tensors = {}
    for target, (source, shape) in sources.items():
        tensors[f"{target}.weight"] = weights.take(f"{source}.weight", *shape)
        if not target.endswith(".skip"):
            tensors[f"{target}.bias"] = weights.take(f"{source}.bias", shape[0])
    weights.expect_all_taken(ignored=_FILTERS)
    return tensors
