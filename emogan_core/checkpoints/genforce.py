"""StyleGAN2 as genforce's program names it.

Kernels of up-sampling convolutions are stored turned by 180 degrees, and style biases without their 1.
Source: reference/checkpoint-formats; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ..errors import CheckpointError
from ..networks.spec import GeneratorSpec
from .canonical import CanonicalCheckpoint
from .foreign import ForeignWeights, completed, resolution_of
from .stylegan1 import is_stylegan1, read_genforce_stylegan1

_FILTERS = (".filter.kernel", "synthesis.upsample.kernel")  # fixed in that program: always [1, 3, 3, 1]
_LABELS = ("mapping.label_weight", "mapping.LabelEmbed.weight")


def read_genforce(
    entries: Mapping[str, object], *, place: str, judge: Mapping[str, object] | None = None
) -> CanonicalCheckpoint:
    """A generator from a state dict; `judge` is the file's discriminator's state dict.

    Raises: CheckpointError, by name for networks drawn by class labels.
    """
    if is_stylegan1(entries):
        left_out = ["the file's discriminator is of StyleGAN1's kind and is not read; pictures are compared without it"]
        return read_genforce_stylegan1(entries, place=place, notices=left_out if judge is not None else [])
    weights = ForeignWeights(entries, place=place)
    _expect_kind(weights)
    blocks = weights.count("synthesis.output{}.weight")
    layers = weights.count("mapping.dense{}.weight")
    w_dim, z_dim = weights.shape("mapping.dense0.weight", dims=2)
    w_dim = weights.shape(f"mapping.dense{layers - 1}.weight", dims=2)[0]
    widths = [weights.shape(f"synthesis.layer{2 * index}.weight", dims=4)[0] for index in range(blocks)]
    spec = GeneratorSpec(
        resolution=resolution_of(blocks, place=place),
        w_dim=w_dim,
        z_dim=z_dim,
        channels=tuple(widths),
        mapping_layers=layers,
    )
    tensors = {}
    for index in range(layers):
        inputs = z_dim if index == 0 else w_dim
        tensors[f"mapping.fc{index}.weight"] = weights.take(f"mapping.dense{index}.weight", w_dim, inputs)
        tensors[f"mapping.fc{index}.bias"] = weights.take(f"mapping.dense{index}.bias", w_dim)
    if "truncation.w_avg" in weights:
        tensors["mapping.w_avg"] = weights.take("truncation.w_avg", w_dim)
    tensors |= _synthesis(weights, spec)
    weights.expect_all_taken(ignored=_FILTERS)
    notices = []
    if judge is not None:
        companion = ForeignWeights(judge, place=f"{place}, discriminator")
        if _is_our_judge(companion, spec):
            tensors |= _judge(companion, spec)
        else:
            notices.append(
                "the file's discriminator is of another kind and is not read; pictures are compared without it"
            )
    return completed(spec, tensors, notices=notices)


def _expect_kind(weights: ForeignWeights) -> None:
    place = weights.place
    if any(name in weights for name in _LABELS):
        raise CheckpointError(f"{place} draws by class labels, which are not supported; give an unconditional network")
    if any(name.startswith("synthesis.skip_layer") for name in weights.entries):
        raise CheckpointError(f"{place} is a StyleGAN2 of the residual architecture; give one of the skip architecture")
    if "synthesis.early_layer.const" not in weights or "synthesis.output0.weight" not in weights:
        first = ", ".join(f"'{name[:60]}'" for name in list(weights.entries)[:4])
        raise CheckpointError(f"{place} starts with {first}: not a StyleGAN2 that genforce wrote; give another file")


def _synthesis(weights: ForeignWeights, spec: GeneratorSpec) -> dict[str, Tensor]:
    width = spec.channels[0]
    tensors = {"synthesis.b4.const": weights.take("synthesis.early_layer.const", 1, width, 4, 4)[0]}
    for index, side in enumerate(spec.resolutions):
        outer, inner = spec.channels[index], spec.channels[max(index - 1, 0)]
        here = f"synthesis.b{side}"
        if index:
            upward = _styled(weights, 2 * index - 1, f"{here}.conv0", (outer, inner), spec, side=side)
            upward[f"{here}.conv0.weight"] = upward[f"{here}.conv0.weight"].flip(2, 3)
            tensors |= upward
        tensors |= _styled(weights, 2 * index, f"{here}.conv1", (outer, outer), spec, side=side)
        tensors |= _core(weights, f"synthesis.output{index}", f"{here}.torgb", (3, outer, 1), spec)
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
        f"{target}.affine.bias": weights.take(f"{source}.style.bias", inner) + 1,  # that program adds it when drawing
    }


def _is_our_judge(weights: ForeignWeights, spec: GeneratorSpec) -> bool:
    """Whether it is residual and of the generator's widths, as that program makes it for its published networks."""
    low, blocks = spec.channels[0], len(spec.channels)
    if "skip_layer0.weight" not in weights or "input1.weight" in weights or f"layer{2 * blocks}.weight" not in weights:
        return False
    fully = weights.shape(f"layer{2 * blocks - 1}.weight", dims=2)
    out = weights.shape(f"layer{2 * blocks}.weight", dims=2)
    return fully == (low, low * 16) and out == (1, low)


def _judge(weights: ForeignWeights, spec: GeneratorSpec) -> dict[str, Tensor]:
    """The residual discriminator; layers are numbered from the full picture down, kernels lie as ours do."""
    low, blocks, top = spec.channels[0], len(spec.channels), spec.channels[-1]
    sources: dict[str, tuple[str, tuple[int, ...]]] = {
        f"discriminator.b{spec.resolution}.fromrgb": ("input0", (top, 3, 1, 1))
    }
    for number, index in enumerate(range(blocks - 1, 0, -1)):
        inner, outer = spec.channels[index], spec.channels[index - 1]
        here = f"discriminator.b{spec.resolutions[index]}"
        sources[f"{here}.conv0"] = (f"layer{2 * number}", (inner, inner, 3, 3))
        sources[f"{here}.conv1"] = (f"layer{2 * number + 1}", (outer, inner, 3, 3))
        sources[f"{here}.skip"] = (f"skip_layer{number}", (outer, inner, 1, 1))
    sources["discriminator.b4.conv"] = (f"layer{2 * blocks - 2}", (low, low + 1, 3, 3))
    sources["discriminator.b4.fc"] = (f"layer{2 * blocks - 1}", (low, low * 16))
    sources["discriminator.b4.out"] = (f"layer{2 * blocks}", (1, low))
    tensors = {}
    for target, (source, shape) in sources.items():
        tensors[f"{target}.weight"] = weights.take(f"{source}.weight", *shape)
        if not target.endswith(".skip"):
            tensors[f"{target}.bias"] = weights.take(f"{source}.bias", shape[0])
    weights.expect_all_taken(ignored=_FILTERS)
    return tensors
