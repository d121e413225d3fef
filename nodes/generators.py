"""Nodes that bring a generator and let it draw faces of nobody."""

from __future__ import annotations

from pathlib import Path

import torch
from comfy_api.latest import io
from torch import Tensor

from ..emogan_core import (
    MAX_CLASSES,
    SHOWN_BYTES,
    Generator,
    Inversion,
    Latent,
    brief,
    builtin_path,
    drawn_in_groups,
    frame_of,
    load_generator,
    need_to_draw,
    open_generator,
    photo_from_tensor,
    place_drawn,
    sampled,
    sha256_of,
    summarised,
)
from . import host
from .pictures import enlarged, image_of, mark_of, photos_of
from .sentences import in_one_sentence
from .sockets import CATEGORY, GeneratorSocket, HeldGenerator, HeldInversion, LatentSocket, Places

NO_CLASS = -1
SMALLEST_SHOWN = 512


def generator_input(tooltip: str) -> io.Input:
    """A generator, which need not be connected."""
    return GeneratorSocket.Input("generator", optional=True, tooltip=f"{tooltip}; without a link, the built-in one.")


def held_builtin() -> HeldGenerator:
    """The built-in generator, for a node to which none was connected."""
    return host.hold(load_generator(host.BUILTIN))


class LoadGenerator(io.ComfyNode):
    """A file to a generator that the host manages."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_LoadGenerator",
            display_name="Load Generator (EmotionGAN)",
            category=CATEGORY,
            description="Loads the network that draws faces. The built-in one needs no download, and no such node: it is taken "
            "where none is connected. Others are StyleGAN files that you put into models/stylegan. Nothing inside a file is ever run.",
            search_aliases=["stylegan", "stylegan2", "stylegan3", "gan", "face generator", "load gan", "pkl"],
            inputs=[
                io.Combo.Input(
                    "name",
                    options=host.choices(host.GENERATORS),
                    default=host.BUILTIN,
                    tooltip="'builtin' is the generator that comes with EmotionGAN; others are .safetensors, .pkl, .pt and "
                    ".pth files in models/stylegan, and what Convert Generator wrote. Where to get some: Node Info. "
                    "The built-in expressions move photos with every generator.",
                ),
            ],
            outputs=[
                GeneratorSocket.Output(
                    "generator", tooltip="The generator, for Invert Face, Sample Faces and Fit Expression GLM."
                ),
                io.String.Output(
                    "report", tooltip="What the file is, its licence as far as known, and what it lacked."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(cls, name: str = host.BUILTIN) -> bool | str:
        return host.checked(host.GENERATORS, name)

    @classmethod
    def fingerprint_inputs(cls, name: str) -> str:
        return host.mark_of(source_of(name))

    @classmethod
    @in_one_sentence
    def execute(cls, name: str) -> io.NodeOutput:
        opened = open_generator(source_of(name))
        sha256 = sha256_of(opened.path)
        report = "\n".join([*summarised(opened, sha256=sha256), *host.advice(host.GENERATORS)])
        return io.NodeOutput(host.hold(opened.generator), report, ui=host.told(brief(opened, sha256=sha256)))


class SampleFaces(io.ComfyNode):
    """Random codes, drawn; with them, what Invert Face would give for a photo."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_SampleFaces",
            display_name="Sample Faces (EmotionGAN)",
            category=CATEGORY,
            description="Draws faces of nobody, ready to be edited: connect both outputs to Apply Expression.",
            search_aliases=["random face", "generate face", "portrait", "gan sample", "thispersondoesnotexist"],
            inputs=[
                generator_input("The generator that draws, from Load Generator"),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The same seed draws the same faces on every machine.",
                ),
                io.Float.Input(
                    "psi",
                    default=0.5,
                    min=-1.0,
                    max=1.5,
                    step=0.05,
                    tooltip="How far from the average face: 0 is the average itself, 0.5 is safe, 1 is as varied as the "
                    "training pictures and sometimes broken.",
                ),
                io.Int.Input("count", default=1, min=1, max=64, tooltip="How many faces to draw."),
                io.Int.Input(
                    "size",
                    default=0,
                    min=0,
                    max=2048,
                    step=8,
                    advanced=True,
                    tooltip="Side of the pictures in pixels, to which they are smoothly resized; 0 is the generator's own, but at "
                    f"least {SMALLEST_SHOWN}.",
                ),
                io.Int.Input(
                    "class_index",
                    display_name="class",
                    default=NO_CLASS,
                    min=NO_CLASS,
                    max=MAX_CLASSES - 1,
                    optional=True,
                    advanced=True,
                    tooltip="Which class to draw, counted from 0, for generators with classes, which need it; -1 for all others.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The drawn faces, one picture each."),
                LatentSocket.Output(
                    "inversion", tooltip="Their codes, exact rather than estimated, for Apply Expression."
                ),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        seed: int,
        psi: float,
        count: int,
        size: int,
        generator: HeldGenerator | None = None,
        class_index: int = NO_CLASS,
    ) -> io.NodeOutput:
        generator = generator or held_builtin()
        spec, label = generator.generator.spec, None if class_index == NO_CLASS else class_index
        report = host.progress()

        def draw(network: Generator) -> tuple[Latent, Tensor, str]:
            latent = sampled(network, count, psi=psi, seed=_signed(seed), label=label)
            drawn = [part.clamp(-1, 1).cpu() for part in drawn_in_groups(network, latent.ws, progress=report)]
            return Latent(latent.ws.cpu(), network.fingerprint), torch.cat(drawn), frame_of(network)

        need = need_to_draw(spec, device=host.device_of(generator))
        latent, drawn, frame = host.at_work(generator, draw, bytes_needed=need.peak(count, most=SHOWN_BYTES))
        side = size or max(SMALLEST_SHOWN, spec.resolution)
        pictures = enlarged(drawn, side)
        crops, fits = zip(*(place_drawn(photo_from_tensor(one), frame) for one in pictures), strict=True)
        faces = None if None in fits else fits
        inversion = Inversion(latent, target=drawn, reconstruction=drawn, crops=crops, metrics={}, faces=faces)
        image = host.outgoing(image_of(pictures))
        marks = tuple(mark_of(photo, crop) for photo, crop in zip(photos_of(image), crops, strict=True))
        places = Places(count, (side, side), tuple(range(count)), marks)
        return io.NodeOutput(image, HeldInversion(inversion, generator, places))


def source_of(name: str) -> Path:
    """The file behind a choice."""
    return builtin_path("generator.safetensors") if name == host.BUILTIN else host.chosen_path(host.GENERATORS, name)


def _signed(seed: int) -> int:
    """A 64-bit seed as PyTorch takes it."""
    return seed - (1 << 64) if seed >= 1 << 63 else seed
