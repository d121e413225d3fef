"""What travels along our links, and how the links are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io

from ..emogan_core import Generator, Inversion

CATEGORY = "EmotionGAN"

GeneratorSocket = io.Custom("EMOTIONGAN_GENERATOR")
LatentSocket = io.Custom("EMOTIONGAN_LATENT")
AxesSocket = io.Custom("EMOTIONGAN_AXES")
LandmarksSocket = io.Custom("FACE_LANDMARKS")
"""The host's own."""
ExpressionSocket = io.Custom("EMOTIONGAN_EXPRESSION")
"""Intensities by expression or shape: a plain dict of numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldGenerator:
    """A generator and the host's handle on it, which decides when it lies on which device; see `host.at_work`."""

    generator: Generator
    handle: Any


@dataclass(frozen=True, slots=True)
class Places:
    """In which pictures of an IMAGE faces were found.

    Convention: the IMAGE has `count` pictures of `size` (height, width) px; face i lies in picture `rows[i]`, no two in
    one; `marks[i]` is the mark of its part of that picture, see `pictures.mark_of`.
    """

    count: int
    size: tuple[int, int]
    rows: tuple[int, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HeldInversion:
    """Faces as codes, with the generator that draws them and the places where they were found."""

    inversion: Inversion
    held: HeldGenerator
    places: Places
