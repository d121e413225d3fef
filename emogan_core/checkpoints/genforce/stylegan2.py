"""StyleGAN2 as genforce's program names it, and as Hammer does, which came after it.

Most names are the same, what lies under them is not: genforce keeps the kernels of up-sampling convolutions turned by
180 degrees and style biases without their 1, Hammer keeps both as they are used, and its settings beside the weights.
Source: reference/checkpoint-formats; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..kinds import kind_of_names
from ..nvidia.modules import told_word
from ..reading.canonical import CanonicalCheckpoint
from ..reading.weights import ForeignWeights, completed, resolution_of, told_of_judge
from .hammer import EMBEDDING, Dialect, dialect_of, expect_filters, has_bias, judge_limits
from .stylegan1 import is_stylegan1, read_genforce_stylegan1

_FILTERS = (".filter.kernel", "synthesis.upsample.kernel", ".filter")  # fixed in genforce, checked in Hammer


def read_genforce(
    entries: Mapping[str, object],
    *,
    place: str,
    judge: Mapping[str, object] | None = None,
    settings: Mapping[str, object] | None = None,
    judge_settings: Mapping[str, object] | None = None,
) -> CanonicalCheckpoint:
    """A generator from a state dict; `judge` is the file's discriminator's, settings are Hammer's of either.

    Raises: CheckpointError.
    """
    if is_stylegan1(entries):
        left_out = [told_of_judge(CheckpointError("it is of StyleGAN1's kind, which is not read"))]
        notices = left_out if judge is not None else []
        return read_genforce_stylegan1(entries, place=place, notices=notices, settings=settings)
    weights = ForeignWeights(entries, place=place)
    _expect_kind(weights)
    notices = []
    dialect = dialect_of(weights, settings, notices=notices)
    spec, tensors = _mapping(weights, dialect)
    tensors |= _synthesis(weights, spec, dialect)
    weights.expect_all_taken(ignored=_FILTERS)
    if judge is not None:
        try:
            limits = judge_limits(judge_settings)
            tensors |= _judge(ForeignWeights(judge, place="the table discriminator"), spec, dialect)
            spec = replace(spec, **limits)
        except CheckpointError as error:
            notices.append(told_of_judge(error))
    return completed(spec, tensors, notices=notices)


def _expect_kind(weights: ForeignWeights) -> None:
    place = weights.place
    if "synthesis.early_layer.weight" in weights:
        raise CheckpointError(f"{place} starts from the code instead of a constant; such networks are not supported")
    if "synthesis.early_layer.const" not in weights or "synthesis.layer0.weight" not in weights:
        kind = kind_of_names(weights.entries)
        first = ", ".join(f"{name[:60]!a}" for name in list(weights.entries)[:4])
        told = f"seems to be {kind}" if kind else f"starts with {first}: not a StyleGAN2 that genforce wrote"
        raise CheckpointError(f"{place} {told}; give another file")
    if "synthesis.layer1.style.weight" not in weights and "synthesis.layer1.weight" in weights:
        raise CheckpointError(
            f"{place} is of the residual architecture as genforce saves it: without its up-sampling convolutions, whose "
            "place the shortcuts took; not even that program can draw it"
        )


def _mapping(weights: ForeignWeights, dialect: Dialect) -> tuple[GeneratorSpec, dict[str, Tensor]]:
    """The spec, and the tensors before the synthesis."""
    place = weights.place
    blocks = (weights.count("synthesis.layer{}.weight") + 1) // 2
    layers = weights.count("mapping.dense{}.weight")
    w_dim, inputs = weights.shape("mapping.dense0.weight", dims=2)
    w_dim = weights.shape(f"mapping.dense{layers - 1}.weight", dims=2)[0]
    tensors, classes, z_dim = _classes(weights, inputs=inputs, w_dim=w_dim)
    conditioning = "concat" if classes and "mapping.embed.bias" not in tensors else "embed"
    spec = GeneratorSpec(
        resolution=resolution_of(blocks, place=place),
        w_dim=w_dim,
        z_dim=z_dim,
        channels=tuple(weights.shape(f"synthesis.layer{2 * index}.weight", dims=4)[0] for index in range(blocks)),
        mapping_layers=layers,
        conv_clamp=dialect.clamp,
        architecture=_architecture(weights, dialect),
        c_dim=classes,
        conditioning=conditioning,
    )
    for index in range(layers):
        width = w_dim if index else 2 * z_dim if conditioning == "concat" else inputs
        tensors[f"mapping.fc{index}.weight"] = weights.take(f"mapping.dense{index}.weight", w_dim, width)
        tensors[f"mapping.fc{index}.bias"] = weights.take(f"mapping.dense{index}.bias", w_dim)
    if dialect.average in weights:
        tensors["mapping.w_avg"] = weights.take(dialect.average, w_dim)
    return spec, tensors


def _classes(weights: ForeignWeights, *, inputs: int, w_dim: int) -> tuple[dict[str, Tensor], int, int]:
    """The embedding's tensors, how many classes there are, and how wide z is beside them.

    Raises: CheckpointError.
    """
    if "mapping.label_weight" in weights:  # TensorFlow's LabelConcat
        classes, z_dim = weights.shape("mapping.label_weight", dims=2)
        return {"mapping.embed.weight": weights.take("mapping.label_weight", classes, z_dim)}, classes, z_dim
    if EMBEDDING not in weights:
        return {}, 0, inputs
    embedded, classes = weights.shape(EMBEDDING, dims=2)
    z_dim, kernel = inputs - embedded, weights.take(EMBEDDING, embedded, classes)
    if embedded != (w_dim if has_bias(weights) else z_dim):
        raise CheckpointError(
            f"{weights.place} embeds classes in {embedded} numbers; needed as many as {'w' if has_bias(weights) else 'z'} has"
        )
    if has_bias(weights):
        bias = weights.take("mapping.embedding.bias", embedded)
        return {"mapping.embed.weight": kernel, "mapping.embed.bias": bias}, classes, z_dim
    return {"mapping.embed.weight": kernel.T.contiguous()}, classes, z_dim


def _architecture(weights: ForeignWeights, dialect: Dialect) -> str:
    """By what the blocks have, held against the setting where there is one."""
    shortcut = dialect.shortcut.format(before=0, here=1) + ".weight"
    found = "skip" if "synthesis.output0.weight" in weights else "resnet" if shortcut in weights else "origin"
    if dialect.architecture not in (None, found):
        raise CheckpointError(
            f"{weights.place} says that its architecture is {told_word(dialect.architecture)}, its tensors are those of '{found}'; "
            "the file is damaged"
        )
    return {"skip": "stylegan2", "resnet": "stylegan2-resnet", "origin": "stylegan2-orig"}[found]


def _synthesis(weights: ForeignWeights, spec: GeneratorSpec, dialect: Dialect) -> dict[str, Tensor]:
    width = spec.channels[0]
    tensors = {"synthesis.b4.const": weights.take("synthesis.early_layer.const", 1, width, 4, 4)[0]}
    for index, side in enumerate(spec.resolutions):
        outer, inner = spec.channels[index], spec.channels[max(index - 1, 0)]
        here = f"synthesis.b{side}"
        if index:
            tensors |= _styled(weights, 2 * index - 1, f"{here}.conv0", (outer, inner), spec, side=side)
            if dialect.turned:
                tensors[f"{here}.conv0.weight"] = tensors[f"{here}.conv0.weight"].flip(2, 3)
        if index and spec.architecture == "stylegan2-resnet":
            shortcut = dialect.shortcut.format(before=index - 1, here=index)
            tensors[f"{here}.skip.weight"] = weights.take(f"{shortcut}.weight", outer, inner, 1, 1)
        tensors |= _styled(weights, 2 * index, f"{here}.conv1", (outer, outer), spec, side=side)
        if spec.architecture == "stylegan2" or side == spec.resolution:
            tensors |= _core(weights, f"synthesis.output{index}", f"{here}.torgb", (3, outer, 1), spec)
    for name in tensors:
        if name.endswith(".affine.bias"):
            tensors[name] = tensors[name] + dialect.style_bias
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


def _judge(weights: ForeignWeights, spec: GeneratorSpec, dialect: Dialect) -> dict[str, Tensor]:
    """The residual discriminator; layers are numbered from the full picture down, kernels lie as ours do.

    Raises: CheckpointError when it is of another kind, or of other widths than the generator's.
    """
    expect_filters(weights)
    low, blocks, top = spec.channels[0], len(spec.channels), spec.channels[-1]
    sources: dict[str, tuple[str, tuple[int, ...]]] = {
        f"discriminator.b{spec.resolution}.fromrgb": ("input0", (top, 3, 1, 1))
    }
    for number, index in enumerate(range(blocks - 1, 0, -1)):
        inner, outer = spec.channels[index], spec.channels[index - 1]
        here = f"discriminator.b{spec.resolutions[index]}"
        sources[f"{here}.conv0"] = (f"layer{2 * number}", (inner, inner, 3, 3))
        sources[f"{here}.conv1"] = (f"layer{2 * number + 1}", (outer, inner, 3, 3))
        sources[f"{here}.skip"] = (dialect.judge_shortcut.format(number=number), (outer, inner, 1, 1))
    sources["discriminator.b4.conv"] = (f"layer{2 * blocks - 2}", (low, low + 1, 3, 3))
    sources["discriminator.b4.fc"] = (f"layer{2 * blocks - 1}", (low, low * 16))
    sources["discriminator.b4.out"] = (dialect.judge_output.format(number=2 * blocks), (1, low))
    tensors = {}
    for target, (source, shape) in sources.items():
        tensors[f"{target}.weight"] = weights.take(f"{source}.weight", *shape)
        if not target.endswith(".skip"):
            tensors[f"{target}.bias"] = weights.take(f"{source}.bias", shape[0])
    weights.expect_all_taken(ignored=_FILTERS)
    return tensors
