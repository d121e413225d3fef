"""What travels along our links, and how the links are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io

from ..emogan_core.inversion import Inversion
from ..emogan_core.networks import Generator

CATEGORY = "EmotionGAN"

GeneratorSocket = io.Custom("EMOTIONGAN_GENERATOR")
LatentSocket = io.Custom("EMOTIONGAN_LATENT")
AxesSocket = io.Custom("EMOTIONGAN_AXES")


@dataclass(frozen=True, slots=True, eq=False)
class HeldGenerator:
    """A generator and the host's handle on it, which decides when it lies on which device; see `host.at_work`."""

    generator: Generator
    handle: Any


@dataclass(frozen=True, slots=True, eq=False)
class HeldInversion:
    """Faces as codes, with the generator that draws them and the size of the pictures they were found in.

    Convention: `size` is (height, width) of the IMAGE, in pixels; one row of the inversion per picture.
    """

    inversion: Inversion
    held: HeldGenerator
    size: tuple[int, int]
