"""Nodes that take a photo to a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core.errors import FaceError
from ..emogan_core.face_model import FaceFit
from ..emogan_core.faces import Crop, choose_face, crop_of, cut, fit_to_photo
from ..emogan_core.images import Photo, open_photo
from ..emogan_core.inversion import METHODS, OptimiseConfig, expect_method, invert_images, need_of
from ..emogan_core.weights import builtin_path
from . import host
from .pictures import image_of, image_of_photo, photos_of, side_by_side
from .sentences import in_one_sentence
from .sockets import CATEGORY, GeneratorSocket, HeldGenerator, HeldInversion, LatentSocket

EXAMPLE = builtin_path("examples/composite_f_multi.jpg")


class ExamplePhoto(io.ComfyNode):
    """The picture that comes with the pack, so that its workflows run as they are."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_ExamplePhoto",
            display_name="Example Photo (EmotionGAN)",
            category=CATEGORY,
            description="A portrait of nobody: the average of many people's faces (Face Research Lab, DeBruine 2016, CC BY 4.0). "
            "Put Load Image in its place for your own.",
            search_aliases=["example face", "test face", "demo photo"],
            inputs=[],
            outputs=[io.Image.Output("image", tooltip="The example portrait.")],
        )

    @classmethod
    def fingerprint_inputs(cls) -> str:
        return host.mark_of(EXAMPLE)

    @classmethod
    @in_one_sentence
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(host.outgoing(image_of_photo(open_photo(EXAMPLE))))


class InvertFace(io.ComfyNode):
    """The core's invert, with the host's bar, preview and stop button."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionGAN_InvertFace",
            display_name="Invert Face (EmotionGAN)",
            category=CATEGORY,
            description="Finds a face in each photo and the code with which the generator redraws it. "
            "Runs once per photo; Apply Expression then edits in a moment.",
            search_aliases=["gan inversion", "projector", "encode face", "latent from photo", "w+ inversion"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="Photos with a face seen from the front, at least 64 px wide and turned by no more than about 35 "
                    "degrees. A batch is inverted together.",
                ),
                GeneratorSocket.Input(
                    "generator", tooltip="The generator that shall redraw the face, from Load Generator."
                ),
                io.Int.Input("face", default=0, min=0, max=63, tooltip="Which face of each photo: 0 is the largest."),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default="hybrid",
                    tooltip="encode: at once and rough. optimise: step by step from the average face. "
                    "hybrid: encode, then optimise from there.",
                ),
                io.Int.Input(
                    "steps",
                    default=OptimiseConfig().hybrid_steps,
                    min=1,
                    max=1000,
                    advanced=True,
                    tooltip="Steps of optimise and hybrid; more redraws closer and takes longer. encode has none.",
                ),
            ],
            outputs=[
                LatentSocket.Output("inversion", tooltip="Codes and places of the faces, for Apply Expression."),
                io.Image.Output("redrawn", tooltip="How the generator redraws each face, before any edit."),
            ],
        )

    @classmethod
    @in_one_sentence
    def execute(cls, image: Tensor, generator: HeldGenerator, face: int, method: str, steps: int) -> io.NodeOutput:
        expect_method(generator.generator, method)
        photos = photos_of(image)
        spec = generator.generator.spec
        crops, fits = _places(photos, face, spec.crop)
        target = torch.cat([cut(photo, crop, spec.resolution) for photo, crop in zip(photos, crops, strict=True)])
        report = host.progress(lambda drawn, first: side_by_side(target[first : first + len(drawn)], drawn))
        config = OptimiseConfig(steps=steps, hybrid_steps=steps)
        needed = need_of(generator.generator, method, device=host.device_of(generator)).peak(len(photos))
        with host.at_work(generator, bytes_needed=needed) as network:
            inversion = invert_images(network, target, method=method, config=config, progress=report)
        inversion = replace(inversion, crops=crops, faces=fits)
        redrawn = host.outgoing(image_of(inversion.reconstruction))
        both = image_of(torch.cat([inversion.target, inversion.reconstruction], dim=3))
        size = (int(image.shape[1]), int(image.shape[2]))
        return io.NodeOutput(HeldInversion(inversion, generator, size), redrawn, ui=ui.PreviewImage(both, cls=cls))


def _places(photos: Sequence[Photo], face: int, frame: str) -> tuple[tuple[Crop, ...], tuple[FaceFit, ...]]:
    """Where the wanted face lies in each photo, and the face model fitted to it.

    Raises: FaceError, saying which photo of a batch it is about.
    """
    crops, fits = [], []
    for number, photo in enumerate(photos, start=1):
        host.stop_if_cancelled()
        try:
            found = choose_face(photo, face)
            crops.append(crop_of(found, frame))
            fits.append(fit_to_photo(photo, found))
        except FaceError as error:
            where = f"image {number} of {len(photos)}: " if len(photos) > 1 else ""
            raise FaceError(f"{where}{error}") from error
    return tuple(crops), tuple(fits)
