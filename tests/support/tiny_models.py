"""Tiny model files and a portrait, for tests that go through the command line."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import torch
from skimage import data
from tiny import make_generator

from emogan_core.checkpoints import write_generator
from emogan_core.expressions import ExpressionAxes, ExpressionAxis, save_axes
from emogan_core.face_model import load_face_model
from emogan_core.images import Photo
from emogan_core.latents import Latent, save_latent
from emogan_core.networks import Generator

_EMPTY = {"str": "", "int": 50, "float": 0.5, "bool": False}
_MOVES = {"happiness": ("mouthSmileLeft", "mouthSmileRight"), "anger": ("browDownLeft", "browDownRight")}


def axis(name: str, generator: Generator, *, experimental: bool = False) -> ExpressionAxis:
    """A random direction, a third of the latent's spread long, and a movement of the face model for some names.

    What is told about it is made up.
    """
    rng = torch.Generator().manual_seed(len(name))
    direction = torch.randn(generator.spec.num_ws, generator.spec.w_dim, generator=rng) * generator.w_std * 0.3
    plain = [field for field in fields(ExpressionAxis) if field.default_factory is MISSING]
    told = {field.name: _EMPTY.get(str(field.type), ()) for field in plain}
    told |= {"name": name, "direction": direction, "readout": direction.mean(0), "model": "pattern", "link": "logit"}
    told |= {"level_gain": 1.0}
    told |= {"layer_weights": (1.0,) * generator.spec.num_ws, "experimental": experimental}
    if name in _MOVES:
        told["coefficients"] = torch.tensor([float(shape in _MOVES[name]) for shape in load_face_model().names])
    return ExpressionAxis(**told)


def write_models(folder: Path) -> None:
    """generator, axes and latent, and the same of another generator, as safetensors in `folder`."""
    for prefix, seed in (("", 0), ("other_", 1)):
        generator = make_generator(seed=seed)
        write_generator(folder / f"{prefix}generator.safetensors", generator, half=False)
        axes = (axis("happiness", generator), axis("anger", generator, experimental=True))
        save_axes(folder / f"{prefix}axes.safetensors", ExpressionAxes(axes=axes, fingerprint=generator.fingerprint))
        ws = generator.w_avg.expand(1, generator.spec.num_ws, -1).clone()
        save_latent(folder / f"{prefix}latent.safetensors", Latent(ws, generator.fingerprint))


def portrait() -> Photo:
    """Eileen Collins, 256 px, NASA's portrait in the public domain, as scikit-image ships it."""
    return Photo(np.ascontiguousarray(data.astronaut()[:256, 96:352, :3]))


def without_progress(said: str) -> str:
    """What was said on standard error apart from the lines that tell of phases over two seconds, as busy machines have."""
    return re.sub(r"^[a-z ]+: \d+ of \d+, about \d+ s left\n", "", said, flags=re.MULTILINE)
