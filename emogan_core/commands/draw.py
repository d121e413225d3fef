"""`emogan sample` and `emogan apply`: the generator's own pictures, of random codes and of a latent file."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Mapping, Sequence

import torch

from ..checkpoints import load_generator
from ..compose import put_back
from ..errors import ShapeError
from ..expressions import ExpressionAxes, apply_expressions, load_axes, move_latent
from ..faces import frame_of, place_drawn
from ..images import Photo, photo_from_tensor
from ..inversion import Inversion
from ..latents import Latent, load_latent
from ..networks.build import Generator
from ..networks.sampling import drawn_in_groups, sampled
from ..networks.tuned import with_delta
from ..progress import Progress, StepReport, silent
from ..provenance import edit_record
from ..sheets import contact_sheet
from ..wording import counted, numbered
from .arguments import Outcome, expect_possible, input_files, intensities_of, load_models, spelled, spelled_out
from .outputs import Outputs
from .unused_options import refuse_unused

NO_FACE = "the face model fits no face there, so nothing was moved"


def sample(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Faces of nobody, drawn from random codes."""
    outputs.expect_photos([arguments.out], inputs=input_files(arguments))
    if not math.isfinite(arguments.psi) or abs(arguments.psi) > 2:
        raise ShapeError(f"psi {arguments.psi} came; give --psi from -2 to 2")
    intensities = intensities_of(arguments)
    if not intensities and not arguments.neutral_first and arguments.axes != "builtin":
        refuse_unused({"--axes": arguments.axes}, "about --expression or --neutral-first, and neither came")
    notes: list[str] = []
    generator = load_generator(arguments.generator, device=arguments.device)
    axes = load_axes(arguments.axes) if intensities or arguments.neutral_first else None
    if axes is not None:
        intensities, notes = spelled_out(intensities, axes)
        expect_possible(generator, axes, intensities)
    latent = sampled(generator, arguments.count, psi=arguments.psi, seed=arguments.seed, label=arguments.label)
    faces = drawn(generator, latent, progress)
    if axes is not None:
        faces, said = expressed(
            generator, latent, faces, axes, intensities, neutral_first=arguments.neutral_first, progress=progress
        )
        notes += [note if len(at) == len(faces) else f"{note} ({numbered('face', at)})" for note, at in said.items()]
    picture = faces[0]
    if len(faces) > 1:
        columns = math.ceil(math.sqrt(len(faces)))
        rows = [faces[start : start + columns] for start in range(0, len(faces), columns)]
        asked = f"{spelled(intensities)}, " if intensities else ""
        subtitle = f"{asked}seed {arguments.seed}, psi {arguments.psi:g}, generator {generator.fingerprint[:12]}"
        picture = contact_sheet(rows, title="Faces of nobody", subtitle=subtitle, tile_px=128)
    record = {"program": "EmotionGAN", "generated": True, "generator": generator.fingerprint}
    outputs.save_photo(arguments.out, picture, record=record)
    report = record | {"count": len(faces), "psi": arguments.psi, "seed": arguments.seed, "class": arguments.label}
    report |= {"expressions": intensities, "neutral_first": arguments.neutral_first, "notices": notes}
    return report, [f"{counted(len(faces), 'face')} drawn: wrote {arguments.out}", *notes]


def expressed(
    generator: Generator,
    latent: Latent,
    faces: Sequence[Photo],
    axes: ExpressionAxes,
    intensities: Mapping[str, float],
    *,
    neutral_first: bool,
    progress: Progress,
) -> tuple[list[Photo], dict[str, list[int]]]:
    """Drawn faces with expressions, and what there is to say of which of them, by number from 1.

    Their own pixels are moved, as a photo's are. Where axes fitted on examples know a direction of this generator, it
    draws the faces along them instead.
    """
    own = axes.fingerprint == generator.fingerprint
    along = own and any(axes[name].has_direction and not axes[name].designed for name in intensities)
    moved, said, frame, empty = list[Photo](), dict[str, list[int]](), frame_of(generator), torch.zeros(1, 3, 1, 1)
    for row, face in enumerate(faces):
        crop, fit = place_drawn(face, frame)
        known = Inversion(latent[row], empty, empty, (crop,), {}, None if fit is None else (fit,))
        edit = apply_expressions(known, axes, intensities, neutral_first=neutral_first)
        if along:
            moved += drawn(generator, edit.latent, silent)
        elif fit is None:
            moved.append(face)
            said.setdefault(NO_FACE, []).append(row + 1)
        else:
            moved.append(put_back(generator, face, known, edit, redraw=False).photo)
            for note in edit.notices[0]:
                said.setdefault(note, []).append(row + 1)
        progress(StepReport(row + 1, len(faces), "moving"))
    return moved, said


def apply(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """The generator's picture of a latent with other expressions."""
    intensities = intensities_of(arguments)
    outputs.expect_photos([arguments.out], inputs=input_files(arguments, arguments.latent))
    latent = load_latent(arguments.latent)
    if len(latent) != 1:
        raise ShapeError(f"{arguments.latent.name} holds {counted(len(latent), 'latent')}; give a file with one")
    generator, axes = load_models(arguments)
    intensities, notes = spelled_out(intensities, axes)
    expect_possible(generator, axes, intensities, drawn=True)
    edited = move_latent(latent, axes, intensities)
    record = edit_record(intensities, generator=generator.fingerprint, axes=axes.content_fingerprint)
    outputs.save_photo(arguments.out, drawn(generator, edited, progress)[0], record=record)
    return dict(record), [f"{spelled(intensities)}: wrote {arguments.out}", *notes]


def drawn(generator: Generator, latent: Latent, progress: Progress) -> list[Photo]:
    """The generator's pictures of a latent of its own.

    Raises: ShapeError when the codes do not have the generator's rows and width.
    """
    needed = (generator.spec.num_ws, generator.spec.w_dim)
    if tuple(latent.ws.shape[1:]) != needed:
        raise ShapeError(
            f"a latent came with rows {tuple(latent.ws.shape[1:])}, this generator needs {needed}; invert again with it"
        )
    alone = latent.delta is None
    parts = (
        [latent] if alone else [latent[row] for row in range(len(latent))]
    )  # faces with a delta are drawn one by one
    return [
        photo_from_tensor(image)
        for part in parts
        for images in drawn_in_groups(with_delta(generator, part.delta), part.ws, progress=progress)
        for image in images
    ]
