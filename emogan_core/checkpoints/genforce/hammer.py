"""Which of two programs wrote a StyleGAN2 whose names both use: genforce, or Hammer, which came after it.

Source: the programs' tensors and settings as files hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..reading.filters import expect_filters
from ..reading.settings import clamp_of, discriminator_facts, expect_settings
from ..reading.weights import ForeignWeights

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
_OF_DISCRIMINATORS = ("use_wscale", "wscale_gain", "lr_mul", "filter_kernel")
_NO_SETTINGS_NOTICE = (
    "the file lacks the settings of its network (model_kwargs_init); the usual ones are taken, without a limit "
    "on activations (conv_clamp)"
)


@dataclass(frozen=True, slots=True)
class Conventions:
    """What the two programs do differently with the same names."""

    average: str
    shortcut: str  # of the block with this number
    turned: bool  # whether kernels of up-sampling convolutions lie turned by 180 degrees
    style_bias: float  # what that program adds to style biases when drawing
    clamp: float | None = None
    architecture: object = None  # as Hammer's settings tell it
    discriminator_shortcut: str = "skip_layer{number}"
    discriminator_output: str = "layer{number}"


def conventions_of(
    weights: ForeignWeights, settings: Mapping[str, object] | None, *, notices: list[str]
) -> Conventions:
    """Told by the blur filters: Hammer keeps them with the weights.

    Raises: CheckpointError when a setting is one that is not drawn here.
    """
    if "synthesis.layer1.filter" not in weights and "synthesis.filter" not in weights:
        return Conventions(
            average="truncation.w_avg", shortcut="synthesis.skip_layer{before}", turned=True, style_bias=1.0
        )
    expect_hammer_filters(weights)
    if settings is None:
        notices.append(_NO_SETTINGS_NOTICE)
    declared = settings or {}
    labels = (_EMBED if has_bias(weights) else _CONCAT) if EMBEDDING in weights else {}
    expect_settings(declared, _FIXED | labels)
    return Conventions(
        average="w_avg",
        shortcut="synthesis.residual{here}",
        turned=False,
        style_bias=0.0,
        clamp=clamp_of(declared.get("conv_clamp")),
        architecture=declared.get("architecture"),
        discriminator_shortcut="residual{number}",
        discriminator_output="output",
    )


def discriminator_facts_of(settings: Mapping[str, object] | None) -> dict[str, Any]:
    """What the spec says of Hammer's discriminator, from its settings.

    Raises: CheckpointError.
    """
    declared = settings or {}
    expect_settings(declared, {name: _FIXED[name] for name in _OF_DISCRIMINATORS})
    return discriminator_facts(clamp=clamp_of(declared.get("conv_clamp")), group=declared.get("mbstd_groups", 4))


def has_bias(weights: ForeignWeights) -> bool:
    """Whether embeddings of classes have a bias, as StyleGAN2-ADA's do and LabelConcat's do not."""
    return "mapping.embedding.bias" in weights


def expect_hammer_filters(weights: ForeignWeights) -> None:
    """Raises: CheckpointError when one of the filters that Hammer keeps is not [1, 3, 3, 1]."""
    expect_filters(weights.entries, [name for name in weights.entries if name.endswith(_FILTER)])
