"""How much memory drawing, encoding and inverting take, so that batches can be cut to fit and a host can make room.

The estimates are for devices that draw a batch at once; they lie a little above what was measured (tests/networks/
test_memory.py measures again), because a host told too little runs out of memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .build import Generator
from .discriminator import Discriminator
from .filtered import TILE_NUMBERS
from .irse import IrseEncoder
from .perceptual import PerceptualNet
from .recogniser import FaceRecogniser
from .spec import GeneratorSpec
from .stylegan3 import frequency_bands, peak_numbers

GROUP_BYTES = 4 << 30
BYTES = 4  # of a number
LARGEST_LIVE = 6  # numbers alive while drawing, per number of the largest block's output; measured 5.0 to 5.8
LARGEST_LIVE_RESIDUAL = 7  # measured 5.5 to 6.7
KEPT = {"stylegan1": 5.5, "stylegan3": 2.2}  # numbers kept for the backward pass, per number of every layer's output
KEPT_OTHERWISE = 7.5  # measured 5.7 to 6.9
KEPT_BY_DISCRIMINATOR = 4.0  # measured 3.3 to 3.7
KEPT_BY_PERCEPTUAL, KEPT_BY_RECOGNISER = 3.0, 3.0  # measured
TILES_DRAWN, TILES_KEPT = 1.6, 3.0  # measured 1.0 and 2.3 of tiles that were not full
ENCODED = 6  # numbers alive per number of an encoder's first map; measured 4.0


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes beside the weights: `fixed` whatever the number of pictures, and `each` for every one."""

    each: int
    fixed: int = 0

    def of(self, count: int) -> int:
        """Bytes for `count` pictures at once."""
        return self.fixed + count * self.each

    def groups(self, count: int, *, most: int = GROUP_BYTES) -> Iterator[slice]:
        """Slices over `count` pictures, each as long as `most` bytes allow and at least one."""
        size = self._group(most)
        for start in range(0, count, size):
            yield slice(start, min(start + size, count))

    def peak(self, count: int, *, most: int = GROUP_BYTES) -> int:
        """Bytes for `count` pictures that are taken group by group."""
        return self.of(min(count, self._group(most)))

    def _group(self, most: int) -> int:
        return max(1, (most - self.fixed) // max(self.each, 1))


def need_to_draw(spec: GeneratorSpec, *, device: str = "cuda") -> Need:
    """The memory that drawing pictures without gradients takes, on a kind of device ("cpu", "cuda")."""
    if spec.alias_free is not None:
        return Need(peak_numbers(spec) * BYTES, round(TILES_DRAWN * _tile(device)) * BYTES)
    live = LARGEST_LIVE_RESIDUAL if spec.architecture == "stylegan2-resnet" else LARGEST_LIVE
    largest = max(width * side**2 for width, side in zip(spec.channels, spec.resolutions, strict=True))
    return Need(live * largest * BYTES)


def need_to_encode(generator: Generator, *, device: str = "cuda") -> Need:
    """For pictures that the encoder reads and that are drawn of its codes."""
    encoder, drawing = generator.encoder, need_to_draw(generator.spec, device=device)
    if encoder is None:
        return Need(0)
    if not isinstance(encoder, IrseEncoder):
        each = ENCODED * encoder.channels[-1] * encoder.resolution**2 * BYTES
        return Need(max(drawing.each, each), drawing.fixed)
    first = encoder.layout.stem * encoder.layout.side**2
    return Need(max(drawing.each, ENCODED * first * BYTES), drawing.fixed)


def need_to_invert(generator: Generator, *, device: str = "cuda") -> Need:
    """For pictures that are drawn with gradients, and go through the discriminator where there is one."""
    spec, discriminator = generator.spec, generator.discriminator
    kept = KEPT.get(spec.architecture, KEPT_OTHERWISE) * _numbers_drawn(spec)
    kept += 0 if discriminator is None else KEPT_BY_DISCRIMINATOR * _numbers_discriminated(discriminator)
    fixed = 0 if spec.alias_free is None else TILES_KEPT * _tile(device)
    return Need(round(kept) * BYTES, round(fixed) * BYTES)


def need_to_compare(side: int, perceptual: PerceptualNet | None, identity: FaceRecogniser | None) -> Need:
    """For pictures of a side that networks of the user look at with gradients; their weights included, as copies are made."""
    networks = [one for one in (perceptual, identity) if one is not None]
    kept = 0.0 if perceptual is None else KEPT_BY_PERCEPTUAL * perceptual.numbers(side)
    kept += 0.0 if identity is None else KEPT_BY_RECOGNISER * identity.numbers()
    return Need(round(kept) * BYTES, BYTES * sum(part.numel() for one in networks for part in one.parameters()))


def _numbers_drawn(spec: GeneratorSpec) -> int:
    """Outputs of all layers that draw one picture."""
    if spec.alias_free is None:
        return sum(2 * width * side**2 for width, side in zip(spec.channels, spec.resolutions, strict=True))
    return sum(width * band.side**2 for width, band in zip((*spec.channels, 3), frequency_bands(spec), strict=True))


def _numbers_discriminated(discriminator: Discriminator) -> int:
    return sum(2 * width * (4 << index) ** 2 for index, width in enumerate(discriminator.channels))


def _tile(device: str) -> int:
    return TILE_NUMBERS.get(device, TILE_NUMBERS["cuda"])
