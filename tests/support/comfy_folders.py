"""What a ComfyUI of the tests finds in its folders, and the workflow that most of them start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from comfy_host import Graph
from PIL import Image
from tiny_models import portrait, write_models

from emogan_core.images import Photo, save_photo

NAMED = ("happiness", "surprise", "anger", "sadness", "disgust", "fear", "contempt")
SLIDERS = dict.fromkeys(NAMED, 0.0)


def filled_folder(folder: Path) -> Path:
    """A base folder for a host, with tiny models and a portrait."""
    for name in ("models/stylegan", "models/emotiongan_axes", "input"):
        (folder / name).mkdir(parents=True)
    write_models(folder)
    for prefix in ("", "other_"):
        (folder / f"{prefix}generator.safetensors").rename(folder / f"models/stylegan/{prefix}generator.safetensors")
        (folder / f"{prefix}axes.safetensors").rename(folder / f"models/emotiongan_axes/{prefix}axes.safetensors")
    photo = portrait()
    save_photo(folder / "input/portrait.png", photo)
    save_photo(folder / "input/mirrored.png", Photo(np.ascontiguousarray(photo.pixels[:, ::-1])))
    Image.fromarray(
        np.tile((np.arange(photo.pixels.shape[1]) % 256).astype(np.uint8), (photo.pixels.shape[0], 1))
    ).save(folder / "input/ramp.png")
    return folder


def edit_graph() -> Graph:
    """A photo edited with the tiny models, saved; its mask and its redrawn face shown."""
    return (
        Graph({})
        .with_node("generator", "EmotionGAN_LoadGenerator", name="generator.safetensors")
        .with_node("axes", "EmotionGAN_LoadAxes", name="axes.safetensors")
        .with_node("photo", "LoadImage", image="portrait.png")
        .with_inversion("invert", of="photo", method="hybrid", steps=3)
        .with_node(
            "apply",
            "EmotionGAN_ApplyExpression",
            image=["photo", 0],
            inversion=["invert", 0],
            axes=["axes", 0],
            mode="paste",
            **(SLIDERS | {"happiness": 1.0}),
        )
        .with_node("save", "SaveImage", images=["apply", 0], filename_prefix="test")
        .with_node("mask", "MaskPreview", mask=["apply", 1])
        .with_node("redrawn", "PreviewImage", images=["apply", 2])
    )
