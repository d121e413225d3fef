"""Which StyleGAN2 a generator is by the names of its tensors, and the relatives of StyleGAN2 that are not read."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import CheckpointError

ARCHITECTURES = {"skip": "stylegan2", "resnet": "stylegan2-resnet", "orig": "stylegan2-orig"}
"""Ours by the names that NVIDIA's programs give them."""

_VARIANTS = {
    "backbone.synthesis.": "an EG3D generator, which draws through three dimensions",
    "mapping.embed_proj": "a StyleGAN-XL generator, which embeds classes with another network",
    "mapping.clip": "a StyleGAN-T generator, which draws from texts",
    "synthesis.init.": "a FastGAN generator, as Projected GAN trains",
    "to_rgb1.iwt": "a SWAGAN generator, which draws wavelets",
}


def architecture_of(names: Iterable[str]) -> str:
    """By what its blocks have: every block draws ("skip"), has a shortcut ("resnet"), or neither ("orig")."""
    names = set(names)
    if "synthesis.b4.torgb.weight" in names:
        return ARCHITECTURES["skip"]
    return ARCHITECTURES["resnet" if "synthesis.b8.skip.weight" in names else "orig"]


def expect_no_variant(names: Iterable[str]) -> None:
    """Refuse relatives of StyleGAN2 by their name.

    Raises: CheckpointError.
    """
    for name in names:
        for mark, what in _VARIANTS.items():
            if name.startswith(mark) or f".{mark}" in name:
                raise CheckpointError(f"it is {what}; that is not supported, give a StyleGAN1, StyleGAN2 or StyleGAN3")
