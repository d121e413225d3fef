"""Which of two programs wrote a StyleGAN2 whose names both use: genforce, or Hammer, which came after it.

Source: the programs' tensors and settings as files hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..errors import CheckpointError
from .foreign import ForeignWeights
from .modules import clamp_of, expect_our_filter

EMBEDDING = "mapping.embedding.weight"
_FILTER = ".filter"
_FIXED: dict[str, object] = {  # settings of Hammer that leave no trace in tensors, the same in all networks read
    "final_tanh": False,
    "demodulate": True,
    "use_wscale": True,
    "wscale_gain": 1.0,
    "lr_mul": 1.0,
    "mapping_use_wscale": True,
    "mapping_wscale_gain": 1.0,
    "mapping_lr_mul": 0.01,
    "embedding_lr_mul": 1.0,
    "noise_type": "spatial",
    "filter_kernel": (1, 3, 3, 1),
}
_EMBED: dict[str, object] = {
    "normalize_z": True,
    "normalize_embedding": True,
    "normalize_embedding_latent": False,
    "embedding_use_wscale": True,
}
_JUDGED = ("use_wscale", "wscale_gain", "lr_mul", "filter_kernel")
_CONCAT: dict[str, object] = {name: not value for name, value in _EMBED.items()}  # TensorFlow's LabelConcat


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the two programs do differently with the same names."""

    average: str
    shortcut: str  # of the block with this number
    turned: bool  # whether kernels of up-sampling convolutions lie turned by 180 degrees
    style_bias: float  # what that program adds to style biases when drawing
    clamp: float | None = None
    architecture: object = None  # as Hammer's settings tell it
    judge_shortcut: str = "skip_layer{number}"
    judge_output: str = "layer{number}"


def dialect_of(weights: ForeignWeights, settings: Mapping[str, object] | None, *, notices: list[str]) -> Dialect:
    """Told by the blur filters, which every network of either program has.

    Raises: CheckpointError when a setting is one that is not drawn here.
    """
    if "synthesis.layer1.filter" not in weights and "synthesis.filter" not in weights:
        return Dialect(average="truncation.w_avg", shortcut="synthesis.skip_layer{before}", turned=True, style_bias=1.0)
    expect_filters(weights)
    if settings is None:
        notices.append(
            "the file lacks the settings of its network (model_kwargs_init); the usual ones are taken, without a limit "
            "on activations (conv_clamp)"
        )
    told = settings or {}
    labels = (_EMBED if has_bias(weights) else _CONCAT) if EMBEDDING in weights else {}
    for name, wanted in (_FIXED | labels).items():
        came = told.get(name, wanted)
        came = tuple(came) if isinstance(came, list) else came
        if came != wanted:
            raise CheckpointError(
                f"{weights.place} has the setting {name} = {_shown(came)}; needed {wanted}, other networks are not "
                "drawn here"
            )
    return Dialect(
        average="w_avg",
        shortcut="synthesis.residual{here}",
        turned=False,
        style_bias=0.0,
        clamp=_clamp(told.get("conv_clamp"), place=weights.place),
        architecture=told.get("architecture"),
        judge_shortcut="residual{number}",
        judge_output="output",
    )


def judge_limits(settings: Mapping[str, object] | None) -> dict[str, Any]:
    """What the spec says of Hammer's discriminator, from its settings.

    Raises: CheckpointError.
    """
    told = settings or {}
    for name, wanted in {name: _FIXED[name] for name in _JUDGED}.items():
        came = told.get(name, wanted)
        if (tuple(came) if isinstance(came, list) else came) != wanted:
            raise CheckpointError(f"its setting {name} is {_shown(came)}; needed {wanted}")
    group = told.get("mbstd_groups", 4)
    if not isinstance(group, int) or not 1 < group <= 1 << 16:
        raise CheckpointError("it compares pictures in groups of an odd size; needed 2 to 65536")
    return {"discriminator_clamp": clamp_of(told.get("conv_clamp")), "discriminator_group": group}


def has_bias(weights: ForeignWeights) -> bool:
    return "mapping.embedding.bias" in weights


def expect_filters(weights: ForeignWeights) -> None:
    """Hammer keeps its blur filters with the weights.

    Raises: CheckpointError when one is not [1, 3, 3, 1].
    """
    for name, value in weights.entries.items():
        if name.endswith(_FILTER) and isinstance(value, Tensor):
            try:
                expect_our_filter(value)
            except CheckpointError as error:
                raise CheckpointError(f"{weights.place}: {error}") from error


def _shown(value: object) -> str:
    """A setting fit to be shown; what is nested stays unseen, its text may have no end."""
    return ascii(value)[:40] if isinstance(value, bool | int | float | str) else f"a {type(value).__name__}"


def _clamp(value: object, *, place: str) -> float | None:
    try:
        return clamp_of(value)
    except CheckpointError as error:
        raise CheckpointError(f"{place}: {error}") from error
