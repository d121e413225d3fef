"""StyleGAN2 as rosinality's program names it, also inside pSp, e4e, ReStyle and HyperStyle files.

Source: docs/tensor-names.md; the names are facts of the files, the mathematics is that of `networks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from ...errors import CheckpointError
from ...networks.spec import GeneratorSpec
from ..reading.architectures import expect_no_variant
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import completed, no_discriminator_notice
from ..reading.contents import Contents
from ..reading.encoders import with_encoder
from ..reading.filters import expect_filters
from ..reading.sizes import mapping_sizes, resolution_of
from ..reading.tables import StateDict, state_dict_with
from ..reading.weights import ForeignWeights, average_row

CONST = "input.input"  # what every generator of that program starts from
_KERNELS = (".kernel",)  # the fixed binomial filter [1, 3, 3, 1] of every such network; checked, then not needed
_AVERAGE = "latent_avg"
Renamed = Callable[[Mapping[str, object]], Mapping[str, object]]


def detect(contents: Contents) -> StateDict | None:
    return state_dict_with(contents.top, CONST)


def read(found: StateDict, *, renamed: Renamed = dict) -> CanonicalCheckpoint:
    """The generator, and the discriminator and encoder beside it.

    Convention: `found` has this program's names already, `renamed` gives them to the discriminator's tensors.
    Raises: CheckpointError.
    """
    expect_no_variant(found.entries)
    weights = ForeignWeights(found.entries)
    _expect_kernels(weights)
    blocks = 1 + weights.count("to_rgbs.{}.conv.weight")
    layers = weights.count("style.{}.weight", start=1)
    sizes = mapping_sizes([weights.shape(f"style.{layer + 1}.weight", dims=2) for layer in range(layers)])
    widths = [weights.shape(CONST, dims=4)[1]]
    widths += [weights.shape(f"convs.{2 * index}.conv.weight", dims=5)[1] for index in range(blocks - 1)]
    spec = GeneratorSpec(**sizes, resolution=resolution_of(blocks), channels=tuple(widths))
    tensors = _mapping(weights, spec) | _synthesis(weights, spec)
    weights.expect_all_taken(ignored=(*_KERNELS, _AVERAGE))
    average = found.top.get(_AVERAGE)
    if average is not None:
        tensors["mapping.w_avg"] = average_row(average, width=spec.w_dim)
    notices = list(found.notices)
    discriminator = found.beside("d", "discriminator")
    if discriminator is not None:
        try:
            tensors |= _discriminator(ForeignWeights(renamed(discriminator)), spec)
        except CheckpointError as error:
            notices.append(no_discriminator_notice(error))
    return with_encoder(completed(spec, tensors, notices=notices), found)


def _mapping(weights: ForeignWeights, spec: GeneratorSpec) -> dict[str, Tensor]:
    tensors = {}
    for index in range(spec.mapping_layers):
        inputs = spec.z_dim if index == 0 else spec.w_dim
        tensors[f"mapping.fc{index}.weight"] = weights.take(f"style.{index + 1}.weight", spec.w_dim, inputs)
        tensors[f"mapping.fc{index}.bias"] = weights.take(f"style.{index + 1}.bias", spec.w_dim)
    return tensors


def _synthesis(weights: ForeignWeights, spec: GeneratorSpec) -> dict[str, Tensor]:
    width = spec.channels[0]
    tensors = {"synthesis.b4.const": weights.take("input.input", 1, width, 4, 4)[0]}
    for index, side in enumerate(spec.resolutions):
        outer, inner = spec.channels[index], spec.channels[max(index - 1, 0)]
        here = f"synthesis.b{side}"
        if index == 0:
            tensors |= _styled(weights, "conv1", f"{here}.conv1", (outer, outer), spec, noise=0)
            tensors |= _rgb(weights, "to_rgb1", f"{here}.torgb", outer, spec)
            continue
        first, second = 2 * index - 2, 2 * index - 1
        tensors |= _styled(weights, f"convs.{first}", f"{here}.conv0", (outer, inner), spec, noise=first + 1)
        tensors |= _styled(weights, f"convs.{second}", f"{here}.conv1", (outer, outer), spec, noise=second + 1)
        tensors |= _rgb(weights, f"to_rgbs.{index - 1}", f"{here}.torgb", outer, spec)
    return tensors


def _styled(
    weights: ForeignWeights, source: str, target: str, widths: tuple[int, int], spec: GeneratorSpec, *, noise: int
) -> dict[str, Tensor]:
    """One styled convolution; `widths` are outputs and inputs. Its style bias holds the 1 already."""
    outer, inner = widths
    tensors = {
        f"{target}.weight": weights.take(f"{source}.conv.weight", 1, outer, inner, 3, 3)[0],
        f"{target}.bias": weights.take(f"{source}.activate.bias", outer),
        f"{target}.affine.weight": weights.take(f"{source}.conv.modulation.weight", inner, spec.w_dim),
        f"{target}.affine.bias": weights.take(f"{source}.conv.modulation.bias", inner),
        f"{target}.noise_strength": weights.take(f"{source}.noise.weight", 1)[0],
    }
    name = f"noises.noise_{noise}"
    if name in weights:  # converters before autumn 2019 wrote none
        side = 4 << ((noise + 1) // 2)
        tensors[f"{target}.noise_const"] = weights.take(name, 1, 1, side, side)[0, 0]
    return tensors


def _rgb(weights: ForeignWeights, source: str, target: str, width: int, spec: GeneratorSpec) -> dict[str, Tensor]:
    return {
        f"{target}.weight": weights.take(f"{source}.conv.weight", 1, 3, width, 1, 1)[0],
        f"{target}.bias": weights.take(f"{source}.bias", 1, 3, 1, 1).flatten(),
        f"{target}.affine.weight": weights.take(f"{source}.conv.modulation.weight", width, spec.w_dim),
        f"{target}.affine.bias": weights.take(f"{source}.conv.modulation.bias", width),
    }


def _discriminator(weights: ForeignWeights, spec: GeneratorSpec) -> dict[str, Tensor]:
    """The residual discriminator; its first convolution is the one that reads RGB."""
    _expect_kernels(weights)
    top = spec.channels[-1]
    here = f"discriminator.b{spec.resolution}"
    tensors = {
        f"{here}.fromrgb.weight": weights.take("convs.0.0.weight", top, 3, 1, 1),
        f"{here}.fromrgb.bias": weights.take("convs.0.1.bias", top),
    }
    for number, index in enumerate(range(len(spec.channels) - 1, 0, -1), start=1):
        inner, outer = spec.channels[index], spec.channels[index - 1]
        here, source = f"discriminator.b{spec.resolutions[index]}", f"convs.{number}"
        tensors[f"{here}.conv0.weight"] = weights.take(f"{source}.conv1.0.weight", inner, inner, 3, 3)
        tensors[f"{here}.conv0.bias"] = weights.take(f"{source}.conv1.1.bias", inner)
        tensors[f"{here}.conv1.weight"] = weights.take(f"{source}.conv2.1.weight", outer, inner, 3, 3)
        tensors[f"{here}.conv1.bias"] = weights.take(f"{source}.conv2.2.bias", outer)
        tensors[f"{here}.skip.weight"] = weights.take(f"{source}.skip.1.weight", outer, inner, 1, 1)
    low = spec.channels[0]
    tensors["discriminator.b4.conv.weight"] = weights.take("final_conv.0.weight", low, low + 1, 3, 3)
    tensors["discriminator.b4.conv.bias"] = weights.take("final_conv.1.bias", low)
    tensors["discriminator.b4.fc.weight"] = weights.take("final_linear.0.weight", low, low * 16)
    tensors["discriminator.b4.fc.bias"] = weights.take("final_linear.0.bias", low)
    tensors["discriminator.b4.out.weight"] = weights.take("final_linear.1.weight", 1, low)
    tensors["discriminator.b4.out.bias"] = weights.take("final_linear.1.bias", 1)
    weights.expect_all_taken(ignored=_KERNELS)
    return tensors


def _expect_kernels(weights: ForeignWeights) -> None:
    """Raises: CheckpointError when a stored filter is not [1, 3, 3, 1], at whatever gain."""
    expect_filters(weights.entries, [name for name in weights.entries if name.endswith(_KERNELS)], any_gain=True)
