"""Degraded faces: blurred, compressed, dark, or half covered, by Pillow and not by the training's own degradation."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from torch import Tensor

Degradation = Callable[[Image.Image], Image.Image]


def blurred(picture: Image.Image) -> Image.Image:
    """By 2 px of 128, as when the face was 50 px wide."""
    return picture.filter(ImageFilter.GaussianBlur(2))


def compressed(picture: Image.Image) -> Image.Image:
    """By JPEG at quality 15."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=15)
    return Image.open(file).convert("RGB")


def dark(picture: Image.Image) -> Image.Image:
    """With half the light."""
    return ImageEnhance.Brightness(picture).enhance(0.5)


def covered(picture: Image.Image) -> Image.Image:
    """A cheek and a corner of the mouth behind a hand: a skin-coloured ellipse."""
    picture = picture.copy()
    width, height = picture.size
    ImageDraw.Draw(picture).ellipse((-0.1 * width, 0.5 * height, 0.4 * width, 1.1 * height), fill=(190, 150, 130))
    return picture


DEGRADATIONS: Mapping[str, Degradation] = {
    "blurred": blurred,
    "compressed": compressed,
    "dark": dark,
    "half covered": covered,
}


def degraded(images: Tensor, degradation: Degradation) -> Tensor:
    """Pictures [n, 3, h, w] in [-1, 1], each degraded in one way."""
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    changed = [np.array(degradation(Image.fromarray(picture))) for picture in pixels]
    return torch.from_numpy(np.stack(changed)).permute(0, 3, 1, 2).float() / 127.5 - 1
