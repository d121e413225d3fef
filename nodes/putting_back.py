"""What every node that edits shares: its inputs and outputs, and bringing edits back into pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..emogan_core import (
    LIMIT,
    Composite,
    Edit,
    ExpressionAxes,
    ExpressionError,
    Generator,
    Photo,
    ShapeError,
    StepReport,
    add_intensities,
    counted,
    expect_room,
    need_to_put_back,
    numbered,
    parse_intensities,
    put_back,
    spelled_as_known,
)
from . import host
from .pictures import around_faces, image_of, mark_of, photos_of, with_edit
from .sockets import ExpressionSocket, HeldInversion, LatentSocket

PARTS = {"brows": ("brow",), "eyes": ("eye",), "mouth": ("cheek", "nose", "jaw", "mouth")}
"""What can be taken from another face by itself, in regions of the face model."""
SLIDER_STEP = 0.01
MASK_BYTES, REDRAWN_BYTES = 4, 12  # a pixel
MOST_SHOWN = 64
"""Frames whose faces are shown on a node."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture to be made: which picture of the IMAGE, which face of the inversion (None: leave it), and its edit."""

    picture: int
    face: int | None
    edit: Edit | None


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """Edited pictures, masks and redrawn faces as the host keeps them, a preview of the first MOST_SHOWN faces, and what
    there is to say, a sentence each."""

    pictures: Tensor
    mask: Tensor
    redrawn: Tensor
    shown: Tensor
    told: tuple[str, ...]


def inputs_from_inversion() -> list[io.Input]:
    """What every edit starts from."""
    return [
        io.Image.Input("image", tooltip="The very photos that were inverted; the edit is put back into them."),
        LatentSocket.Input("inversion", tooltip="From Invert Face, or from Sample Faces."),
    ]


def slider(
    name: str, *, least: float = 0.0, most: float, default: float = 0.0, tooltip: str, advanced: bool = False
) -> io.Input:
    """The intensity of one expression or shape."""
    return io.Float.Input(
        name,
        default=default,
        min=least,
        max=most,
        step=SLIDER_STEP,
        display_mode=io.NumberDisplay.slider,
        tooltip=tooltip,
        advanced=advanced,
    )


def part_inputs(verb: str, *, eyes: str) -> list[io.Input]:
    """Which parts of a face an expression is taken for."""
    told = {
        "brows": "the brows",
        "eyes": eyes,
        "mouth": "mouth, jaw, cheeks and nose, with the shading that goes with them",
    }
    return [
        io.Boolean.Input(name, default=True, tooltip=f"On {verb} {what}; off leaves them as they are.")
        for name, what in told.items()
    ]


def regions_of(**chosen: bool) -> tuple[str, ...]:
    """The regions of the face model that belong to the chosen parts."""
    return tuple(region for part, on in chosen.items() if on for region in PARTS[part])


def more_input(example: str) -> io.Input:
    """Expressions and shapes by name."""
    return io.String.Input(
        "more",
        default="",
        optional=True,
        placeholder=example,
        tooltip="Intensities of what has no slider, as name=number, separated by commas: expressions of your own axes, and "
        f"every shape of the face model, with Left or Right for one side. From -{LIMIT:g} to {LIMIT:g}.",
    )


def draft_input() -> io.Input:
    """Quick or fine."""
    return io.Boolean.Input(
        "draft",
        default=False,
        optional=True,
        tooltip="For moving sliders live: mode motion then works at half the fineness, which is quicker and looks nearly "
        "the same. Off for the result.",
    )


def switches() -> list[io.Input]:
    """How an edit is made."""
    return [
        draft_input(),
        io.Boolean.Input(
            "neutral_first",
            default=False,
            optional=True,
            tooltip="On takes the expression that the photo shows off first, so that sliders start from a neutral face; with "
            "all sliders at 0 that is all it does.",
        ),
        io.Boolean.Input(
            "absolute",
            default=False,
            optional=True,
            advanced=True,
            tooltip="On sets each slider that is not at 0 as a level, whatever the photo shows already; off adds to what it shows.",
        ),
    ]


def expression_input() -> io.Input:
    """Intensities that come along a link."""
    return ExpressionSocket.Input(
        "expression",
        optional=True,
        tooltip="Intensities from Load Expression, Read Expression or another edit; the sliders are added to them.",
    )


def outputs_of_edit() -> list[io.Output]:
    """What every edit gives."""
    return [
        io.Image.Output("image", tooltip="The edited photos, at their own size."),
        io.Mask.Output("mask", tooltip="Where each photo was changed, and how strongly; 0 is untouched."),
    ]


def expression_output() -> io.Output:
    """What an edit asked for."""
    return ExpressionSocket.Output(
        "expression", tooltip="The intensities of this edit, for Save Expression or another edit."
    )


def frames_of(inversion: HeldInversion, edits: Edit | Sequence[Edit]) -> list[Frame]:
    """One frame for every picture that came; `edits` has one edit for every face."""
    face_in = {picture: face for face, picture in enumerate(inversion.places.rows)}
    return [
        Frame(picture, face, None if face is None else edits[face])
        for picture, face in ((picture, face_in.get(picture)) for picture in range(inversion.places.count))
    ]


def edited(
    image: Tensor,
    inversion: HeldInversion,
    frames: Sequence[Frame],
    *,
    mode: str = "motion",
    draft: bool,
    redraw: bool = False,
) -> Edited:
    """Every frame with its edit in it, and with `redraw` the generator's pictures of the edited faces.

    Frames are made one after the other, into room that was asked for before.

    Raises: ShapeError for pictures that are not the inverted ones; EmoganError where the frames do not fit into memory; as
    `put_back`.
    """
    photos = expect_same_pictures(image, inversion)
    report, held, side = host.progress(), inversion.held, inversion.held.generator.spec.resolution
    said = dict[str, list[int]]()
    faces = sum(frame.face is not None and frame.edit is not None for frame in frames) if redraw else 0
    (height, width, channels), count = image.shape[1:], len(frames)
    expect_room(
        count * height * width * (channels * image.element_size() + MASK_BYTES) + faces * side * side * REDRAWN_BYTES,
        what=f"{counted(count, 'frame')} of {width} x {height} px",
    )

    def work(network: Generator) -> tuple[Tensor, Tensor, Tensor]:
        pictures = torch.empty((count, height, width, channels), dtype=image.dtype, device=image.device)
        masks, redrawn = torch.zeros(count, height, width), torch.zeros(faces, side, side, 3)
        drawn = 0
        for number, frame in enumerate(frames):
            pictures[number] = image[frame.picture]
            if frame.face is not None and frame.edit is not None:
                one, photo = inversion.inversion[frame.face], photos[frame.picture]
                made = put_back(network, photo, one, frame.edit, mode=mode, draft=draft, redraw=redraw)
                _take_note(said, made, number + 1)
                pictures[number] = with_edit(image[frame.picture], made)
                masks[number] = torch.from_numpy(made.mask)
                if redraw:
                    redrawn[drawn] = image_of(made.redrawn)[0]
                    drawn += 1
            report(StepReport(number + 1, count, "editing"))
        return pictures, masks, redrawn

    needed = need_to_put_back(held.generator, device=host.device_of(held))
    pictures, masks, redrawn = host.at_work(held, work, bytes_needed=needed)
    result = host.outgoing(pictures, dtype=image.dtype)
    return Edited(
        pictures=result,
        mask=host.outgoing(masks),
        redrawn=host.outgoing(redrawn),
        shown=_shown(result, inversion, frames),
        told=tuple(note if len(at) == count else f"{numbered('image', at)}: {note}" for note, at in said.items()),
    )


def _take_note(said: dict[str, list[int]], made: Composite, number: int) -> None:
    """Keep what an edited photo has to say of itself, with its number."""
    notices = made.report.get("notices")
    for note in notices if isinstance(notices, tuple) else ():
        said.setdefault(note, []).append(number)


def _shown(pictures: Tensor, inversion: HeldInversion, frames: Sequence[Frame]) -> Tensor:
    """The part around each face of the first frames."""
    crops = inversion.inversion.crops
    assert crops is not None  # every node that inverts or samples gives them
    kept = [(row, frame.face) for row, frame in enumerate(frames) if frame.face is not None][:MOST_SHOWN]
    if not kept:
        return pictures[:1]
    return around_faces([pictures[row] for row, _ in kept], [crops[face] for _, face in kept])


def output_of(
    cls: type[io.ComfyNode], made: Edited, *others: object, told: Sequence[str] = (), rest: str = "and more"
) -> io.NodeOutput:
    """Pictures, masks and what else a node gives; the faces are shown on it, with what there is to say."""
    shown = ui.PreviewImage(made.shown, cls=cls).as_dict()
    return io.NodeOutput(made.pictures, made.mask, *others, ui={**shown, **host.told([*told, *made.told], rest=rest)})


def intensities_of(
    sliders: Mapping[str, float], more: str, expression: Mapping[str, float] | None, axes: ExpressionAxes
) -> dict[str, float]:
    """Intensities by expression: sliders that are not at 0, what `more` adds in any spelling, and what came along a link.

    Raises: ExpressionError for text that is not name=number, or an expression named twice.
    """
    named, moved = (
        spelled_as_known(parse_intensities(more, where="'more'"), axes)[0],
        {name: value for name, value in sliders.items() if value != 0},
    )
    for name in named:
        if name in moved:
            raise ExpressionError(f"'{name}' has two intensities; give it by slider or in 'more', once")
    return add_intensities(expression or {}, moved, named)


def expect_same_pictures(image: Tensor, inversion: HeldInversion) -> Sequence[Photo]:
    """The photos of an IMAGE, unless they cannot be the inverted ones.

    Raises: ShapeError.
    """
    places = inversion.places
    came = (len(image), int(image.shape[1]), int(image.shape[2]))
    needed = (places.count, *places.size)
    if came != needed:
        raise ShapeError(
            f"an image of {came[0]} x {came[2]} x {came[1]} px came, but faces were found in one of {needed[0]} x "
            f"{needed[2]} x {needed[1]} px (pictures x width x height); connect the image that was inverted"
        )
    photos = photos_of(image)
    for face, (picture, mark) in enumerate(zip(places.rows, places.marks, strict=True)):
        crops = inversion.inversion.crops
        if crops is None or mark_of(photos[picture], crops[face]) != mark:
            which = f"image {picture + 1} of {places.count}" if places.count > 1 else "the image"
            raise ShapeError(
                f"{which} shows another face than the one that was inverted there, or the same after an edit; connect "
                "the image that was inverted, or invert this one"
            )
    return photos
