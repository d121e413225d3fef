"""Which of two programs wrote a StyleGAN2 whose names both use: genforce, or Hammer, which came after it.

Source: the programs' tensors and settings as files hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


def dialect_of(weights: ForeignWeights, settings: Mapping[str, object] | None, *, notices: list[str]) -> Dialect:
    """Told by the blur filters, which every network of either program has.

    Raises: CheckpointError when a setting is one that is not drawn here.
    """
    if "synthesis.layer1.filter" not in weights and "synthesis.filter" not in weights:
        return Dialect(average="truncation.w_avg", shortcut="synthesis.skip_layer{before}", turned=True, style_bias=1.0)
    for name, value in weights.entries.items():
        if name.endswith(_FILTER) and isinstance(value, Tensor):
            _expect_filter(value, place=weights.place)
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
                f"{weights.place} has the setting {name} = {str(came)[:40]!a}; needed {wanted}, other networks are not "
                "drawn here"
            )
    return Dialect(
        average="w_avg",
        shortcut="synthesis.residual{here}",
        turned=False,
        style_bias=0.0,
        clamp=_clamp(told.get("conv_clamp"), place=weights.place),
        architecture=told.get("architecture"),
    )


def has_bias(weights: ForeignWeights) -> bool:
    return "mapping.embedding.bias" in weights


def _expect_filter(tensor: Tensor, *, place: str) -> None:
    try:
        expect_our_filter(tensor)
    except CheckpointError as error:
        raise CheckpointError(f"{place}: {error}") from error


def _clamp(value: object, *, place: str) -> float | None:
    try:
        return clamp_of(value)
    except CheckpointError as error:
        raise CheckpointError(f"{place}: {error}") from error
