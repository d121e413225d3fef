"""`emogan demo`: the whole path without any input, from a face of nobody to a sheet of expressions."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..compose import put_back
from ..errors import OutputError
from ..expressions import ExpressionAxes, apply_expressions, read_eta
from ..faces import Crop
from ..faces.find import refine
from ..files import refuse_overwrite
from ..images import Photo, photo_from_tensor, save_photo, tensor_from_photo
from ..inversion import Inversion, invert_images
from ..latents import Latent
from ..networks.build import Generator
from ..networks.sampling import sampled
from ..progress import Progress, StepReport, silent
from ..records import edit_record
from ..sheets import contact_sheet
from .arguments import Outcome, first_of, load_models, rehearse
from .draw import drawn

PSI = 0.5  # where the built-in faces are at their best
CANDIDATES = 32
CURVE = (-0.5, 0.0, 0.5, 1.0, 1.5)
SAVED_AT = 1.0


def make_demo(arguments: Namespace, progress: Progress) -> Outcome:
    """Draw a face, take it for a photo, invert it, and edit it with every expression over a curve of intensities."""
    folder: Path = arguments.out
    _make_folder(folder)
    generator, axes = load_models(arguments)
    rehearse(generator, axes, dict.fromkeys(axes.names, 0.0))
    calm = calm_face(generator, axes, progress, seed=arguments.seed, label=arguments.label)
    photo = drawn(generator, calm, progress)[0]
    inversion = invert_drawn(generator, photo, method=arguments.method, progress=progress)
    about = {"generator": generator.fingerprint, "axes": axes.content_fingerprint}
    save_photo(folder / "drawn.png", photo, record={"program": "EmotionGAN", "generated": True} | about)
    written = ["drawn.png"]
    rows: list[list[Photo]] = []
    for step, axis in enumerate(axes, start=1):
        row = [photo, photo_from_tensor(inversion.reconstruction)]
        for intensity in CURVE:
            edited = apply_expressions(inversion.latent, axes, {axis.name: intensity})
            row.append(put_back(generator, photo, inversion, edited, mode=arguments.mode).photo)
        rows.append(row)
        picture = row[2 + CURVE.index(SAVED_AT)]
        record = edit_record(
            {axis.name: SAVED_AT}, generator=about["generator"], axes=about["axes"], mode=arguments.mode
        )
        name = f"edited-{step}-{_plain(axis.name)}.png"
        save_photo(folder / name, picture, record=record)
        written.append(name)
        progress(StepReport(step, len(axes), "editing"))
    sheet = contact_sheet(
        rows,
        title="One drawn face, every expression",
        subtitle=f"a face of nobody, seed {arguments.seed}, mode {arguments.mode}; generator {generator.fingerprint[:12]}",
        column_labels=["drawn", "inverted", *(f"{intensity:+g}" if intensity else "0" for intensity in CURVE)],
        row_labels=[axis.name + (" (experimental)" if axis.experimental else "") for axis in axes],
        tile_px=max(128, generator.spec.resolution),
    )
    save_photo(folder / "sheet.png", sheet, record={"program": "EmotionGAN", "edited": True} | about)
    metrics = first_of(inversion.metrics)
    report: dict[str, object] = about | {"seed": arguments.seed, "inversion": metrics, "expressions": list(axes.names)}
    return report, [f"contact sheet: {folder / 'sheet.png'}", *(f"picture: {folder / name}" for name in written)]


def calm_face(
    generator: Generator, axes: ExpressionAxes, progress: Progress, *, seed: int, label: int | None = None
) -> Latent:
    """Of some random faces, among those the face finder is surest of, the one with the least expression."""
    faces = sampled(generator, CANDIDATES, psi=PSI, seed=seed, label=label)
    scores: list[float] = []
    for picture in drawn(generator, faces, silent):
        scores.append(refine(picture, [_whole(picture)])[0].score)
        progress(StepReport(len(scores), CANDIDATES, "choosing a face"))
    surest = sorted(range(CANDIDATES), key=lambda row: -scores[row])[: CANDIDATES // 8]
    most = torch.stack([read_eta(faces, axes, name) for name in axes.names]).amax(dim=0)  # [CANDIDATES] log odds
    return faces[min(surest, key=lambda row: float(most[row]))]


def invert_drawn(generator: Generator, photo: Photo, *, method: str, progress: Progress) -> Inversion:
    """Invert a picture that is the generator's own frame from edge to edge: there is nothing to search for."""
    inversion = invert_images(generator, tensor_from_photo(photo), method=method, progress=progress)
    quad = _whole(photo)
    crop = Crop(quad=quad, landmarks=refine(photo, [quad])[0].landmarks, frame=generator.spec.crop)
    return replace(inversion, crops=(crop,))


def _whole(photo: Photo) -> NDArray[np.float64]:
    height, width = photo.pixels.shape[:2]
    return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])


def _make_folder(folder: Path) -> None:
    """Create the output folder, only its last level, and see that it can be written to."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror or error}; give a new folder in one that exists"
        ) from error
    refuse_overwrite(folder / "sheet.png")


def _plain(name: str) -> str:
    """An expression's name as part of a file name: letters and digits only."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:40]
