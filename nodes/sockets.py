"""How our links are named; what travels along them is in `payloads`."""

from __future__ import annotations

from comfy_api.latest import io

from .payloads import HeldGenerator, HeldInversion, Places

__all__ = [
    "CATEGORY",
    "AxesSocket",
    "ExpressionSocket",
    "GeneratorSocket",
    "HeldGenerator",
    "HeldInversion",
    "LandmarksSocket",
    "LatentSocket",
    "Places",
]

CATEGORY = "EmotionGAN"

GeneratorSocket = io.Custom("EMOTIONGAN_GENERATOR")
LatentSocket = io.Custom("EMOTIONGAN_LATENT")
AxesSocket = io.Custom("EMOTIONGAN_AXES")
LandmarksSocket = io.Custom("FACE_LANDMARKS")
"""The host's own."""
ExpressionSocket = io.Custom("EMOTIONGAN_EXPRESSION")
"""Intensities by expression or shape: a plain dict of numbers."""
