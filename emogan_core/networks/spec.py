"""What a generator is, apart from its weights."""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from ..errors import CheckpointError
from ..weights import plain_json

MAX_RESOLUTION = 2048
MAX_CHANNELS = 2048
MAX_CLASSES = 1 << 16
"""Of a class-conditional generator."""

PYRAMIDS = ("stylegan1", "stylegan2", "stylegan2-resnet", "stylegan2-orig")  # a block of convolutions per resolution
ARCHITECTURES = (*PYRAMIDS, "stylegan3")
CONDITIONINGS = ("embed", "concat")
_NAMES_ONLY = (
    "name",
    "licence",
    "crop",
    "discriminator_clamp",
    "discriminator_group",
)  # no part of what the generator computes


@dataclass(frozen=True, slots=True)
class AliasFree:
    """How StyleGAN3's layers divide the spectrum; the defaults are configuration T, R has kernel 1 and radial filters.

    Convention: frequencies in cycles per picture, or as a factor; `filter_size` in taps of the lower of the two rates.
    Raises: CheckpointError when a number is impossible.
    Source: Karras et al. 2021, "Alias-Free Generative Adversarial Networks", section 3 and appendix C.
    """

    num_layers: int = 14
    num_critical: int = 2
    first_cutoff: float = 2.0
    first_stopband: float = 2.0**2.1
    last_stopband_rel: float = 2.0**0.3
    margin_size: int = 10
    output_scale: float = 0.25
    conv_kernel: int = 3
    filter_size: int = 6
    lrelu_upsampling: int = 2
    use_radial_filters: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            kind, value = type(field.default), getattr(self, field.name)
            if type(value) is not kind and not (kind is float and type(value) is int):
                raise CheckpointError(
                    f"the {field.name} of a StyleGAN3 came as {type(value).__name__}; needed {kind.__name__}; "
                    "the file is damaged"
                )
        counts = (self.num_layers - 2, 32 - self.num_layers, self.num_critical, self.num_layers - self.num_critical)
        sizes = (self.margin_size, 64 - self.margin_size, self.filter_size - 1, 32 - self.filter_size)
        rates = (self.first_cutoff, self.first_stopband - self.first_cutoff, self.last_stopband_rel - 1)
        usual = self.conv_kernel in (1, 3) and self.lrelu_upsampling in (1, 2, 4)
        if min(*counts, *sizes) < 0 or not all(0 < rate < 1e4 for rate in rates) or not usual:
            raise CheckpointError(
                f"the layers of a StyleGAN3 cannot be laid out as declared ({self}); the file is damaged"
            )
        if not 0 < self.output_scale < 1e4:
            raise CheckpointError(f"an output scale of {self.output_scale} came; needed a positive number")


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """Architecture and provenance of a generator.

    Convention: `channels` lists the width of each block from 4 px up to `resolution`, or of each layer's output but the
    last one's for StyleGAN3, which `alias_free` describes; `crop` is the frame faces are cut in ("tight", "ffhq", or "" where no file told);
    `conv_clamp` bounds activations or is None; `c_dim` classes, 0 for none, meet z as `conditioning` says: by a
    normalised embedding ("embed") or by a bare one normalised with z ("concat"); `name` and `licence` are for people.
    Of the discriminator that may come along, `discriminator_clamp` bounds the activations and `discriminator_group` says how many
    pictures it compares, None for all.
    Raises: CheckpointError when sizes are impossible.
    """

    resolution: int
    w_dim: int
    z_dim: int
    channels: tuple[int, ...]
    mapping_layers: int
    crop: str = ""
    conv_clamp: float | None = None
    architecture: str = "stylegan2"
    name: str = "unnamed"
    licence: str = "unknown"
    c_dim: int = 0
    conditioning: str = "embed"
    alias_free: AliasFree | None = None
    discriminator_clamp: float | None = None
    discriminator_group: int | None = 4

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise CheckpointError(
                f"architecture '{self.architecture[:40]}' is not known here; needed one of {', '.join(ARCHITECTURES)}"
            )
        blocks = int(math.log2(self.resolution)) - 1 if self.resolution > 0 else 0
        if not 8 <= self.resolution <= MAX_RESOLUTION or 4 << (blocks - 1) != self.resolution:
            raise CheckpointError(
                f"a resolution of {self.resolution} came; needed a power of two from 8 to {MAX_RESOLUTION}"
            )
        if (self.alias_free is not None) != (self.architecture == "stylegan3"):
            raise CheckpointError(f"{self.architecture} does not go with the layout declared; the file is damaged")
        widths = blocks if self.alias_free is None else self.alias_free.num_layers
        sizes = (*self.channels, self.w_dim, self.z_dim)
        if len(self.channels) != widths or not all(1 <= size <= MAX_CHANNELS for size in sizes):
            raise CheckpointError(
                f"widths {str(self.channels)[:80]}, w_dim {self.w_dim}, z_dim {self.z_dim} do not fit {self.resolution} px; "
                f"needed {widths} widths, all sizes from 1 to {MAX_CHANNELS}"
            )
        if not 1 <= self.mapping_layers <= 64:
            raise CheckpointError(f"{self.mapping_layers} mapping layers came; needed 1 to 64")
        if not 0 <= self.c_dim <= MAX_CLASSES or self.conditioning not in CONDITIONINGS:
            raise CheckpointError(
                f"{self.c_dim} classes by '{self.conditioning[:40]}' came; needed 0 to {MAX_CLASSES} by "
                f"{' or '.join(CONDITIONINGS)}"
            )
        limits = (self.conv_clamp, self.discriminator_clamp, self.discriminator_group)
        if not all(limit is None or 0 < limit < math.inf for limit in limits):
            raise CheckpointError(f"activation limits and group {limits} came; needed positive numbers or none")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The side of each block's pictures; a pyramid's, StyleGAN3 has none."""
        return tuple(4 << block for block in range(len(self.channels))) if self.alias_free is None else ()

    @property
    def num_ws(self) -> int:
        """How many rows the codes in W+ have."""
        return 2 * len(self.channels) if self.alias_free is None else self.alias_free.num_layers + 2

    def to_json(self) -> str:
        """The spec as text, as files of ours hold it."""
        return json.dumps(self._parts(), sort_keys=True)

    @property
    def hash_key(self) -> str:
        """The part of the spec that decides what the network computes; it enters the fingerprint."""
        return json.dumps(
            {key: value for key, value in self._parts().items() if key not in _NAMES_ONLY}, sort_keys=True
        )

    def _parts(self) -> dict[str, object]:
        """The fields as plain values; those that came later only where they say something, so that hashes stay."""
        later = {field.name: field.default for field in fields(self) if field.name in _LATER}
        return {key: value for key, value in asdict(self).items() if key not in later or value != later[key]}


_TEXTS = ("crop", "architecture", "name", "licence", "conditioning")
_FORMER_NAMES = {"judge_clamp": "discriminator_clamp", "judge_group": "discriminator_group"}
_LATER = ("c_dim", "conditioning", "alias_free", "discriminator_clamp", "discriminator_group")


def spec_from_json(text: str) -> GeneratorSpec:
    """Read a spec back.

    Raises: CheckpointError when fields are missing, unknown or of the wrong type.
    """
    try:
        declared: dict[str, Any] = plain_json(text)
        declared = {_FORMER_NAMES.get(name, name): value for name, value in declared.items()}
        for name in _TEXTS:
            if not isinstance(declared.get(name, ""), str):
                raise TypeError(f"{name} is no text")
        if not isinstance(declared.get("discriminator_group"), int | None):
            raise TypeError("discriminator_group is no whole number")
        declared["channels"] = tuple(int(width) for width in declared["channels"])
        for name in ("resolution", "w_dim", "z_dim", "mapping_layers", "c_dim"):
            declared[name] = int(declared.get(name, 0 if name == "c_dim" else MISSING))
        if "alias_free" in declared:
            declared["alias_free"] = AliasFree(**declared["alias_free"])
        return GeneratorSpec(**declared)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        why = ascii(str(error))[:160]
        raise CheckpointError(f"the generator's description cannot be read ({why}); get the file again") from error
