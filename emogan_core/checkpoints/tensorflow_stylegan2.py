"""TensorFlow's StyleGAN2, once its tensors have our names: kernels that up-sample are turned, styles lack their one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..errors import CheckpointError
from ..networks.spec import GeneratorSpec
from .canonical import CanonicalCheckpoint
from .foreign import ForeignWeights, completed
from .pyramids import take_mapping, take_noise, take_start, told_of_silence
from .stylegan2 import architecture_of


def read_stylegan2(
    entries: Mapping[str, object], *, place: str, clamp: float | None, notices: list[str]
) -> CanonicalCheckpoint:
    """A generator of any of the three architectures.

    Raises: CheckpointError.
    """
    weights = ForeignWeights(entries, place=place)
    mapping, tensors = take_mapping(weights)
    start, more = take_start(weights)
    spec = GeneratorSpec(**mapping, **start, architecture=architecture_of(entries), conv_clamp=clamp)
    tensors |= more
    for index, side in enumerate(spec.resolutions):
        here, width, below = f"synthesis.b{side}", spec.channels[index], spec.channels[max(index - 1, 0)]
        if index:
            tensors |= _modulated(weights, f"{here}.conv0", (width, below, 3), spec, turned=True)
            tensors |= take_noise(weights, f"{here}.conv0", side=side)
        tensors |= _modulated(weights, f"{here}.conv1", (width, width, 3), spec)
        tensors |= take_noise(weights, f"{here}.conv1", side=side)
        if f"{here}.skip.weight" in weights:  # one number per pair of channels: there is nothing to turn
            tensors[f"{here}.skip.weight"] = weights.take(f"{here}.skip.weight", width, below, 1, 1)
        if f"{here}.torgb.weight" in weights:
            tensors |= _modulated(weights, f"{here}.torgb", (3, width, 1), spec)
    weights.expect_all_taken(ignored=())
    notices += told_of_silence(weights, tensors)
    return completed(spec, tensors, notices=notices)


def _modulated(
    weights: ForeignWeights, name: str, sizes: tuple[int, int, int], spec: GeneratorSpec, *, turned: bool = False
) -> dict[str, Tensor]:
    """`sizes` are outputs, inputs and the kernel's side."""
    outer, inner, side = sizes
    weight = weights.take(f"{name}.weight", outer, inner, side, side)
    return {
        f"{name}.weight": weight.flip(2, 3) if turned else weight,
        f"{name}.bias": weights.take(f"{name}.bias", outer),
        f"{name}.affine.weight": weights.take(f"{name}.affine.weight", inner, spec.w_dim),
        f"{name}.affine.bias": weights.take(f"{name}.affine.bias", inner) + 1,
    }


def judge_tensors(entries: Mapping[str, object], resolution: int) -> dict[str, Tensor]:
    """The tensors of a residual discriminator of pictures of `resolution` px.

    Raises: CheckpointError.
    """
    weights = ForeignWeights(entries, place="it")
    sources: dict[str, tuple[int, ...]] = {}
    side, top = 8, 0
    while f"discriminator.b{side}.skip.weight" in weights:
        here = f"discriminator.b{side}"
        outer, top = weights.shape(f"{here}.skip.weight", dims=4)[:2]
        sources[f"{here}.conv0"], sources[f"{here}.conv1"] = (top, top, 3, 3), (outer, top, 3, 3)
        sources[f"{here}.skip"] = (outer, top, 1, 1)
        side *= 2
    if side != 2 * resolution:
        raise CheckpointError("it is not residual, or judges pictures of another size than the generator's")
    sources[f"discriminator.b{resolution}.fromrgb"] = (top, 3, 1, 1)
    for name, dims in (("conv", 4), ("fc", 2), ("out", 2)):
        sources[f"discriminator.b4.{name}"] = weights.shape(f"discriminator.b4.{name}.weight", dims=dims)
    tensors = {}
    for name, shape in sources.items():
        tensors[f"{name}.weight"] = weights.take(f"{name}.weight", *shape)
        if not name.endswith(".skip"):
            tensors[f"{name}.bias"] = weights.take(f"{name}.bias", shape[0])
    _expect_end(sources)
    weights.expect_all_taken(ignored=())
    return tensors


def _expect_end(sources: Mapping[str, tuple[int, ...]]) -> None:
    """The last layers must fit each other and the blocks, but for the channels that compare pictures.

    Raises: CheckpointError.
    """
    low = sources["discriminator.b8.conv1"][0]
    conv, fully, out = (sources[f"discriminator.b4.{name}"] for name in ("conv", "fc", "out"))
    parts = max(conv[1] - low, 1)
    if (
        conv[0] != low
        or conv[2:] != (3, 3)
        or conv[1] < low
        or low % parts
        or fully != (low, low * 16)
        or out != (1, low)
    ):
        raise CheckpointError(f"its last layers are {list(conv)}, {list(fully)} and {list(out)}; needed one logit")


def judge_facts(settings: Mapping[str, object], function: str, *, clamp: float | None) -> dict[str, Any]:
    """What the spec says of a discriminator: `judge_clamp` and `judge_group`, by its settings or its program's defaults.

    Raises: CheckpointError.
    """
    group = settings.get("mbstd_group_size", None if function == "D_main" else 4)
    if group is not None and (isinstance(group, bool) or not isinstance(group, int) or not 0 <= group <= 1 << 16):
        raise CheckpointError("it compares pictures in groups of an odd size; needed 1 to 65536, or none")
    return {"judge_clamp": clamp, "judge_group": None if group is None else max(group, 1)}
