"""Nodes that take a photo to a code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core import (
    LIKENESS_DISTANCES,
    METHODS,
    SMOOTHING,
    ClipFaces,
    Crop,
    Inversion,
    OptimiseConfig,
    Photo,
    StepReport,
    builtin_path,
    crop_of,
    cut,
    cut_mask,
    expect_method,
    frame_of,
    ignored_note,
    invert_images,
    need_of,
    need_to_draw,
    open_photo,
)
from . import host
from .finding import LEAVE, STOP, Found, face_inputs, find_all, find_clip, landmarks_input, smoothing_input
from .generators import generator_input, held_builtin
from .likeness import NONE, checked_files, identity_input, likeness_of, mark_of_files, perceptual_input
from .pictures import image_of, image_of_photo, mark_of, masks_of, photos_of, side_by_side
from .sentences import in_one_sentence
from .sockets import CATEGORY, HeldGenerator, HeldInversion, LatentSocket, Places

NO_LIMIT = 0.0
EXAMPLES = {
    name: builtin_path(f"examples/{file}.jpg")
    for name, file in (("woman", "composite_f_multi"), ("man", "composite_m_african"))
}


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
            search_aliases=["example face", "test face", "demo photo", "portrait", "sample photo"],
            inputs=[
                io.Combo.Input(
                    "which",
                    options=list(EXAMPLES),
                    default="woman",
                    optional=True,
                    tooltip="Which of the portraits; both are averages, of women and of men.",
                )
            ],
            outputs=[io.Image.Output("image", tooltip="The example portrait.")],
        )

    @classmethod
    def fingerprint_inputs(cls, which: str = "woman") -> str:
        return host.mark_of(EXAMPLES[which])

    @classmethod
    @in_one_sentence
    def execute(cls, which: str = "woman") -> io.NodeOutput:
        return io.NodeOutput(host.outgoing(image_of_photo(open_photo(EXAMPLES[which]))))


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
            search_aliases=[
                *("gan inversion", "projector", "encode face", "latent from photo", "w+ inversion"),
                *("portrait", "find face", "fit face", "face from photo", "liveportrait"),
            ],
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="Photos with a face seen from the front, at least 64 px wide and turned by no more than about 35 "
                    "degrees. A batch is inverted together.",
                ),
                generator_input("The generator that shall redraw the face, from Load Generator"),
                *face_inputs(of="each photo"),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default="hybrid",
                    tooltip="encode: at once and rough. optimise: step by step from the most alike of many samples. "
                    "hybrid: encode, then optimise from there. tune: hybrid, then the generator's own weights follow each face, "
                    "as a small change kept with the inversion; redraws closest and takes four times as long.",
                ),
                io.Int.Input(
                    "steps",
                    default=OptimiseConfig().hybrid_steps,
                    min=1,
                    max=1000,
                    advanced=True,
                    tooltip="Steps of optimise and hybrid; tuning has twice as many more. More redraws closer and takes longer. "
                    "encode has none.",
                ),
                io.Combo.Input(
                    "without_face",
                    options=[LEAVE, STOP],
                    default=LEAVE,
                    optional=True,
                    advanced=True,
                    tooltip="What becomes of pictures of a batch in which no usable face is found. leave unchanged: they pass "
                    "through every edit as they are, and the report says so. stop: the run ends with a sentence about them.",
                ),
                landmarks_input(),
                io.Mask.Input(
                    "face_mask",
                    optional=True,
                    tooltip="Which face, by a mask over it instead of by number, one for all pictures or one for each. Has no "
                    "say where face_landmarks are connected.",
                ),
                io.Float.Input(
                    "seconds",
                    default=NO_LIMIT,
                    min=NO_LIMIT,
                    max=3600.0,
                    step=1.0,
                    optional=True,
                    advanced=True,
                    tooltip="Optimising stops in that many seconds, at the best so far; 0 takes all steps, however long.",
                ),
                io.Float.Input(
                    "editability",
                    default=OptimiseConfig().editability,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="0 redraws closest, 1 edits most cleanly. encode has no such choice.",
                ),
                io.Mask.Input(
                    "ignore_mask",
                    optional=True,
                    tooltip="Where the photo does not count when it is redrawn: a hand, hair, glasses. One for all pictures or "
                    "one for each.",
                ),
                io.Boolean.Input(
                    "clip",
                    default=False,
                    optional=True,
                    tooltip="On when the batch is the frames of one clip, in order: one face is followed through it and taken as "
                    "one person, so that edits do not jitter. Off takes each picture by itself.",
                ),
                smoothing_input(),
                perceptual_input(),
                identity_input("redrawings are compared by who they show as well, and the report tells the distance."),
            ],
            outputs=[
                LatentSocket.Output("inversion", tooltip="Codes and places of the faces, for Apply Expression."),
                io.Image.Output("redrawn", tooltip="How the generator redraws each face, before any edit."),
                io.String.Output(
                    "report", tooltip="How close each face was redrawn, and which pictures have no usable face."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(cls, perceptual: str = NONE, identity: str = NONE) -> bool | str:
        return checked_files(perceptual, identity)

    @classmethod
    def fingerprint_inputs(cls, perceptual: str = NONE, identity: str = NONE, **others: object) -> str:
        return mark_of_files(perceptual, identity)

    @classmethod
    @in_one_sentence
    def execute(
        cls,
        image: Tensor,
        face: int,
        method: str,
        steps: int,
        generator: HeldGenerator | None = None,
        without_face: str = LEAVE,
        face_landmarks: object = None,
        face_mask: Tensor | None = None,
        seconds: float = NO_LIMIT,
        editability: float = 0.5,
        ignore_mask: Tensor | None = None,
        clip: bool = False,
        smoothing: float = SMOOTHING,
        perceptual: str = NONE,
        identity: str = NONE,
    ) -> io.NodeOutput:
        generator = generator or held_builtin()
        expect_method(generator.generator, method)
        config = replace(_config(steps, seconds, editability), likeness=likeness_of(perceptual, identity))
        photos, spec, stop = photos_of(image), generator.generator.spec, without_face == STOP
        if clip:
            found = _of_clip(
                find_clip(photos, face, landmarks=face_landmarks, mask=face_mask, smoothing=smoothing, stop=stop)
            )
        else:
            found = find_all(photos, face, landmarks=face_landmarks, mask=face_mask, stop=stop)
        frame = spec.crop or _drawn_frame(generator)
        crops = tuple(crop_of(one, frame) for one in found.faces)
        cuts, marks = [], []
        for row, crop in zip(found.rows, crops, strict=True):
            photo = photos[row]
            cuts.append(cut(photo, crop, spec.resolution))
            marks.append(mark_of(photo, crop))
        ignored = _cut_masks(ignore_mask, image, found.rows, crops, spec.resolution)
        if ignored is not None:
            found = replace(found, notes=(*found.notes, *_mask_notes(found.rows, ignored)))
        inversion = _inverted(generator, torch.cat(cuts), method, ignored, config)
        places = Places(len(photos), (int(image.shape[1]), int(image.shape[2])), found.rows, tuple(marks))
        held = HeldInversion(replace(inversion, crops=crops, faces=found.fits), generator, places)
        redrawn, shown = (
            host.outgoing(image_of(inversion.reconstruction)),
            host.told(found.notes) | _seen(cls, inversion),
        )
        return io.NodeOutput(held, redrawn, _told(inversion, found), ui=shown)


def _config(steps: int, seconds: float, editability: float) -> OptimiseConfig:
    budget = None if seconds == NO_LIMIT else seconds
    return OptimiseConfig(steps, steps, 2 * steps, seconds=budget, editability=editability)


def _inverted(
    generator: HeldGenerator, target: Tensor, method: str, ignored: Tensor | None, config: OptimiseConfig
) -> Inversion:
    """Codes of pictures, found | redrawn shown on the node while it works and afterwards."""
    report = host.progress(lambda drawn, first: side_by_side(target[first : first + len(drawn)], drawn))
    device = host.device_of(generator)
    needed = need_of(generator.generator, method, likeness=config.likeness, device=device).peak(len(target))
    inversion = host.at_work(
        generator,
        lambda network: invert_images(network, target, method=method, ignored=ignored, config=config, progress=report),
        bytes_needed=needed,
    )
    report(StepReport(1, 1, "inverting", preview=inversion.reconstruction))
    return inversion


def _drawn_frame(generator: HeldGenerator) -> str:
    """The frame in which it draws faces, where its file tells none."""
    needed = need_to_draw(generator.generator.spec, device=host.device_of(generator)).peak(1)
    return host.at_work(generator, frame_of, bytes_needed=needed)


def _seen(cls: type[io.ComfyNode], inversion: Inversion) -> dict[str, list[str]]:
    """Found | redrawn as it is in the end, for the page to show also when the node is taken from the cache.

    A text that names the picture; as a picture it would count as one of the job's results.
    """
    picture = Photo(np.array(side_by_side(inversion.target, inversion.reconstruction)))
    (shown,) = ui.PreviewImage(image_of_photo(picture), cls=cls).as_dict()["images"]
    return {host.SEEN: [json.dumps(shown)]}


def _cut_masks(
    mask: Tensor | None, image: Tensor, rows: Sequence[int], crops: Sequence[Crop], side: int
) -> Tensor | None:
    """A MASK, one for all pictures or one for each, in the faces' crops.

    Raises: ShapeError for one of another size or number.
    """
    if mask is None:
        return None
    masks = masks_of(mask, count=len(image), size=image.shape[1:3])
    chosen = [one.numpy() for one in masks if one is not None]
    return torch.cat([cut_mask(chosen[row], crop, side) for row, crop in zip(rows, crops, strict=True)])


def _mask_notes(rows: Sequence[int], ignored: Tensor) -> list[str]:
    """Faces of which a mask leaves nearly nothing, or all."""
    notes = [(row, ignored_note(ignored[at : at + 1])) for at, row in enumerate(rows)]
    return [f"image {row + 1}: {note}" for row, note in notes if note]


def _of_clip(clip: ClipFaces) -> Found:
    return Found(clip.rows, clip.faces, clip.fits, tuple(f"left unchanged: {note}" for note in clip.notes))


def _told(inversion: Inversion, found: Found) -> str:
    """A line for each face, then one for each picture without."""
    metrics = inversion.metrics
    distances = [name for name in LIKENESS_DISTANCES if name in metrics]
    lines = [
        f"image {row + 1}: redrawn with a PSNR of {metrics['psnr_db'][at]:.1f} dB, "
        + "".join(f"{name.replace('_', ' ')} {metrics[name][at]:.3f}, " for name in distances)
        + f"face model {fit.error_cm:.2f} cm from the landmarks, head turned {round(fit.pose.yaw_deg):+d} degrees"
        for at, (row, fit) in enumerate(zip(found.rows, found.fits, strict=True))
    ]
    return "\n".join([*lines, *found.notes])
