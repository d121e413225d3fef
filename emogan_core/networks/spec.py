"""What a generator is, apart from its weights."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import CheckpointError

MAX_RESOLUTION = 2048
MAX_CHANNELS = 2048


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """Architecture and provenance of a generator.

    Convention: `channels` lists the width of each block from 4 px up to `resolution`; `crop` is the frame faces are
    cut in ("tight" or "ffhq"); `conv_clamp` bounds activations or is None; `name` and `licence` are for people.
    Raises: CheckpointError when sizes are impossible.
    """

    resolution: int
    w_dim: int
    z_dim: int
    channels: tuple[int, ...]
    mapping_layers: int
    crop: str = "ffhq"
    conv_clamp: float | None = None
    architecture: str = "stylegan2"
    name: str = "unnamed"
    licence: str = "unknown"

    def __post_init__(self) -> None:
        blocks = int(math.log2(self.resolution)) - 1 if self.resolution > 0 else 0
        if not 8 <= self.resolution <= MAX_RESOLUTION or 4 << (blocks - 1) != self.resolution:
            raise CheckpointError(
                f"a resolution of {self.resolution} came; needed a power of two from 8 to {MAX_RESOLUTION}"
            )
        sizes = (*self.channels, self.w_dim, self.z_dim)
        if len(self.channels) != blocks or not all(1 <= size <= MAX_CHANNELS for size in sizes):
            raise CheckpointError(
                f"widths {self.channels}, w_dim {self.w_dim}, z_dim {self.z_dim} do not fit {self.resolution} px; "
                f"needed {blocks} block widths, all sizes from 1 to {MAX_CHANNELS}"
            )
        if self.architecture != "stylegan2":
            raise CheckpointError(f"architecture '{self.architecture}' is not known here; use a stylegan2 file")
        if not 1 <= self.mapping_layers <= 64:
            raise CheckpointError(f"{self.mapping_layers} mapping layers came; needed 1 to 64")

    @property
    def resolutions(self) -> tuple[int, ...]:
        return tuple(4 << block for block in range(len(self.channels)))

    @property
    def num_ws(self) -> int:
        return 2 * len(self.channels)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def anatomy(self) -> str:
        """The part of the spec that decides what the network computes; it enters the fingerprint."""
        parts = {key: value for key, value in asdict(self).items() if key not in ("name", "licence", "crop")}
        return json.dumps(parts, sort_keys=True)


def spec_from_json(text: str) -> GeneratorSpec:
    """Read a spec back.

    Raises: CheckpointError when fields are missing, unknown or of the wrong type.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["channels"] = tuple(int(width) for width in fields["channels"])
        for name in ("resolution", "w_dim", "z_dim", "mapping_layers"):
            fields[name] = int(fields[name])
        return GeneratorSpec(**fields)
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise CheckpointError(f"the generator's description cannot be read ({error}); the file is damaged") from error
