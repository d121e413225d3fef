"""What several commands ask of their arguments; everything that can be refused early is refused here."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..checkpoints import load_generator
from ..checkpoints.likeness import load_perceptual, load_recogniser
from ..errors import EmoganError, ExpressionError, SpaceMismatch
from ..expressions import ExpressionAxes, checked_intensity, load_axes, move_latent, spelled_as_known
from ..faces import MOSTLY_CLEAR, Face, choose_among, clear_share, find_faces
from ..images import Photo, bits_kept
from ..inversion import LIKENESS_DISTANCES, Inversion, Likeness, OptimiseConfig, cut_mask, ignored_note, invert
from ..latents import Latent
from ..networks.build import Generator
from ..progress import Progress
from ..wording import counted
from .mask_file import read_mask

MASK_PX = 128  # at which it is looked at what of a face a mask leaves out

Outcome = tuple[dict[str, object], list[str]]
"""What a command has to say: as one JSON object, and as lines for people."""


def intensities_of(arguments: Namespace) -> dict[str, float]:
    """Expressions with their intensities: NAME=X carries its own, the others are paired with --intensity in order.

    1 where no intensity was given at all.
    """
    asked = [_split(text) for text in arguments.expression]
    bare = [name for name, number in asked if number is None]
    texts: list[str] = arguments.intensity or ["1"] * len(bare)
    if asked and not bare and arguments.intensity:
        raise ExpressionError(
            f"--intensity {texts[0]} came, but every --expression has its own ({', '.join(arguments.expression)}); give "
            "each once"
        )
    if len(bare) != len(texts):
        raise ExpressionError(
            f"{len(bare)} --expression came with {len(texts)} --intensity; give one intensity for each expression, "
            "or write --expression NAME=X"
        )
    names = [name for name, _ in asked]
    if len(set(names)) < len(names):
        raise ExpressionError(f"an expression came twice ({', '.join(names)}); name each once")
    left = iter(texts)
    return {name: _number(name, next(left) if number is None else number) for name, number in asked}


def spelled_out(intensities: Mapping[str, float], axes: ExpressionAxes) -> tuple[dict[str, float], list[str]]:
    """The same by the names that are known, and what there is to say about other spellings.

    Raises: ExpressionError when two names mean one expression.
    """
    known, told = spelled_as_known(intensities, axes)
    return known, [f"note: {sentence}" for sentence in told]


def _split(text: str) -> tuple[str, str | None]:
    """A name, and the number after its last "=" where there is one."""
    name, equals, number = text.rpartition("=")
    return (name.strip(), number.strip()) if equals else (text, None)


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ExpressionError(f"the intensity of '{name}' is '{text}'; give a finite number from -3 to 3")
    return value


def input_files(arguments: Namespace, *files: Path) -> list[Path]:
    """Every file that is read and must not be written over."""
    models = (getattr(arguments, name, "builtin") for name in ("generator", "axes"))
    networks = [*getattr(arguments, "perceptual", []), *filter(None, [getattr(arguments, "identity", None)])]
    return [*files, *networks, *(Path(model) for model in models if model != "builtin")]


def load_models(arguments: Namespace) -> tuple[Generator, ExpressionAxes]:
    return load_generator(arguments.generator, device=arguments.device), load_axes(arguments.axes)


def expect_possible(
    generator: Generator, axes: ExpressionAxes, intensities: Mapping[str, float], *, drawn: bool = False
) -> None:
    """Refuse unknown expressions, intensities out of range and foreign axes before the long work.

    Convention: `drawn` says that the generator knows an edit by its latent alone, so that every axis needs a part in it.
    Raises: SpaceMismatch when axes were fitted for another generator and the face model has no part in them;
    ExpressionError; ShapeError when the rows of W+ differ.
    """
    own = axes.fingerprint == generator.fingerprint
    for name, value in intensities.items():
        axis = axes[name]
        checked_intensity(name, value)
        if not own and (drawn or not axis.has_coefficients):
            raise SpaceMismatch(
                f"the axes were fitted for generator {axes.fingerprint[:12]}, but '{generator.spec.name}' is "
                f"{generator.fingerprint[:12]}; use that generator, or fit axes for this one with 'emogan fit'"
            )
        if drawn and not axis.has_direction:
            able = ", ".join(one.name for one in axes if one.has_direction)
            raise ExpressionError(
                f"expression '{name}' moves a photo's own pixels and has no direction among latents; use "
                f"'emogan edit' in mode motion{f', or one of {able}' if able else ': none of these axes has one'}"
            )
    if own:
        ws = generator.w_avg.expand(1, generator.spec.num_ws, -1)
        move_latent(Latent(ws, generator.fingerprint), axes, intensities)


def distances_of(metrics: Mapping[str, Sequence[float]]) -> list[str]:
    """A line on what networks of the user say of an inversion, none where there are none."""
    told = [
        f"{name.replace('_', ' ')} {float(values[0]):.3f}"
        for name, values in metrics.items()
        if name in LIKENESS_DISTANCES
    ]
    return [f"redrawn by the generator: {', '.join(told)} from the photo"] if told else []


def first_of(metrics: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: round(float(values[0]), 4) for name, values in metrics.items()}


def inverted(
    arguments: Namespace, generator: Generator, photo: Photo, progress: Progress
) -> tuple[Inversion, list[str]]:
    """The face that `--face` names as `--method` and the other options of an inversion have it, and the notes.

    Raises: EmoganError for numbers out of range; FaceError as `chosen_face`; PhotoError as `read_mask`; as `likeness_of`;
    as `invert`.
    """
    config = OptimiseConfig(seconds=arguments.seconds, likeness=likeness_of(arguments))
    if arguments.editability is not None:
        config = replace(config, editability=arguments.editability)
    masks, said = None, list[str]()
    if arguments.ignore is not None:
        height, width = photo.pixels.shape[:2]
        mask, said = read_mask(arguments.ignore, (height, width))
        masks = [mask]
    face, notes = chosen_face(photo, arguments.face)
    inversion = invert(
        generator, photo, method=arguments.method, face=face, ignored=masks, config=config, progress=progress
    )
    if masks is not None and inversion.crops is not None:
        said += [note for note in [ignored_note(cut_mask(masks[0], inversion.crops[0], MASK_PX))] if note]
    return inversion, [*notes, *(f"note: {sentence}" for sentence in said)]


def likeness_of(arguments: Namespace) -> Likeness:
    """The networks of `--perceptual` and `--identity`.

    Raises: EmoganError for more files than there can be; CheckpointError.
    """
    files: list[Path] = arguments.perceptual
    if len(files) > 2:
        raise EmoganError(f"--perceptual came {len(files)} times; give the network, and LPIPS' linear layers after it")
    return Likeness(
        perceptual=load_perceptual(*files) if files else None,
        identity=None if arguments.identity is None else load_recogniser(arguments.identity),
    )


def chosen_face(photo: Photo, number: int | None) -> tuple[Face, list[str]]:
    """The face of a number, the largest for None, and what there is to say about the others where nobody chose.

    Raises: FaceError when there is none such, or it cannot be edited.
    """
    found = find_faces(photo)
    face = choose_among(found, photo, number or 0)
    if number is not None or len(found) < 2:
        return face, []
    others = "--face 1 takes the other" if len(found) == 2 else f"--face 1 to {len(found) - 1} take the others"
    numbers = "'emogan read PHOTO --faces NUMBERED.png' shows which is which"
    return face, [
        f"note: {counted(len(found), 'face was', 'faces were')} found and the largest was taken; {others}, --face 0 this one; {numbers}"
    ]


def notes_of(photo: Photo, target: Path | None = None) -> list[str]:
    """What there is to say about a photo that was read, and about its depth where it is saved."""
    notes = [f"note: {notice}" for notice in photo.notices]
    if target is not None and (kept := bits_kept(target, photo)) < photo.bits:
        best = ".tif keeps them" if photo.bits == 32 else ".png and .tif keep them"
        notes.append(f"note: {target.name} holds {kept} bits a channel, the photo has {photo.bits}; {best}")
    return notes


def clear_notes(photo: Photo, landmarks: NDArray[np.float64], name: str) -> list[str]:
    """What there is to say about a face that can hardly be seen for the photo's alpha."""
    clear = clear_share(photo, landmarks)
    if clear <= MOSTLY_CLEAR:
        return []
    return [
        f"note: the face in {name} is {clear:.0%} transparent; the colours beneath were taken, and hardly show. Fill the "
        "transparency in first if they are to be seen"
    ]


def spelled(intensities: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:+g}" for name, value in intensities.items())
