"""`emogan demo`: the whole path without any input, from two faces of nobody and a drawn one to a sheet of expressions."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..compose import put_back
from ..expressions import ExpressionAxes, apply_expressions, read_eta
from ..faces import drawn_face, frame_of, place_drawn, window_around
from ..images import Photo, open_photo, photo_from_tensor, tensor_from_photo
from ..inversion import Inversion, invert, invert_images
from ..latents import Latent
from ..networks.build import Generator
from ..networks.sampling import sampled
from ..progress import Progress, StepReport, in_parts, silent
from ..provenance import edit_record
from ..sheets import contact_sheet
from ..weights import builtin_path
from .arguments import Outcome, expect_possible, first_of, input_files, load_models
from .draw import drawn
from .outputs import Outputs, make_folder

EXAMPLES = ("composite_f_multi", "composite_m_african")
DRAWN, REDRAWN = "drawn", "redrawn"
CREDIT = "composites: Face Research Lab, DeBruine 2016, CC BY 4.0"
PSI = 0.5  # where the built-in faces are at their best
CANDIDATES = 32
SAVED_AT = 1.0
TILE_PX = 240


def make_demo(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Give two composites of many people, and one face that the generator draws, every expression at intensity 1."""
    folder: Path = arguments.out
    make_folder(folder)
    generator, axes = load_models(arguments)
    is_paste, able = arguments.mode == "paste", _drawable(generator, axes)
    blind = is_paste and generator.encoder is None
    expect_possible(generator, axes, dict.fromkeys(sorted(able) if is_paste and able else axes.names, 0.0), drawn=blind)
    targets = [
        _target(folder, name, step, axis.name) for name in (*EXAMPLES, DRAWN) for step, axis in enumerate(axes, start=1)
    ]
    outputs.expect_photos([folder / "sheet.png", folder / "drawn.png", *targets], inputs=input_files(arguments))
    about = {"generator": generator.fingerprint, "axes": axes.content_fingerprint}
    faces = [_example(generator, name, arguments, progress) for name in EXAMPLES]
    faces.append(_drawn(generator, axes, arguments, progress))
    outputs.save_photo(
        folder / "drawn.png", faces[-1].photo, record={"program": "EmotionGAN", "generated": True} | about
    )
    rows: list[list[Photo | None]] = []
    for number, face in enumerate(faces):
        report = in_parts(progress, number, len(faces))
        edited = face.edited(generator, axes, report)
        rows.append([face.shown(face.photo), *(None if picture is None else face.shown(picture) for picture in edited)])
        for step, (axis, picture) in enumerate(zip(axes, edited, strict=True), start=1):
            if picture is not None:
                record = edit_record({axis.name: SAVED_AT}, **about, mode=face.mode)
                outputs.save_photo(_target(folder, face.name, step, axis.name), picture, record=record)
    shown = faces[-1].able(generator, axes)
    unseen = [axis.name for axis in axes if axis.name not in shown]
    empty = f"; empty: {' and '.join(unseen)} move photos only" if unseen else ""
    sheet = contact_sheet(
        rows,
        title="Every expression on faces of nobody",
        subtitle=f"intensity 1, mode {arguments.mode}; {CREDIT}; drawn: seed {arguments.seed}, redrawn by "
        f"generator {generator.fingerprint[:12]}{empty}",
        column_labels=["before", *(axis.name + (" (experimental)" if axis.experimental else "") for axis in axes)],
        row_labels=[face.name for face in faces],
        tile_px=TILE_PX,
    )
    pictures = [f"picture: {path}" for path in outputs.written]
    outputs.save_photo(folder / "sheet.png", sheet, record={"program": "EmotionGAN", "edited": True} | about)
    metrics = {face.name: first_of(face.inversion.metrics) for face in faces}
    said: dict[str, object] = about | {"seed": arguments.seed, "expressions": list(axes.names)}
    said |= {"inversions": metrics, "attribution": CREDIT}
    notes = [f"note: {' and '.join(unseen)} move photos only, so the drawn face has none of it"] if unseen else []
    return said, [f"contact sheet: {folder / 'sheet.png'}", *pictures, *notes]


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """A picture to edit, and its one face."""

    name: str
    photo: Photo
    inversion: Inversion
    mode: str  # of `put_back`, or REDRAWN

    def able(self, generator: Generator, axes: ExpressionAxes) -> Collection[str]:
        """The expressions that its mode can show."""
        if self.mode == "motion":
            return axes.names
        return _drawable(generator, axes, readable=self.inversion.faces is not None)

    def edited(self, generator: Generator, axes: ExpressionAxes, progress: Progress) -> list[Photo | None]:
        """The picture with each expression at intensity 1, None for those that its mode cannot show."""
        able = self.able(generator, axes)
        made: list[Photo | None] = []
        for step, axis in enumerate(axes, start=1):
            progress(StepReport(step, len(axes), "editing"))
            if axis.name not in able:
                made.append(None)
                continue
            edit = apply_expressions(self.inversion, axes, {axis.name: SAVED_AT})
            if self.mode == REDRAWN:
                # mode paste, as it takes drawn pictures that show no face
                made.append(
                    photo_from_tensor(put_back(generator, self.photo, self.inversion, edit, mode="paste").redrawn)
                )
            else:
                made.append(put_back(generator, self.photo, self.inversion, edit, mode=self.mode, redraw=False).photo)
        return made

    def shown(self, picture: Photo) -> Photo:
        """The part of a picture around the face, for the sheet."""
        assert self.inversion.crops is not None  # both ways here know where the face is
        height, width = picture.pixels.shape[:2]
        left, top, side = window_around(self.inversion.crops[0], height=height, width=width)
        return Photo(picture.pixels[top : top + side, left : left + side])


def _drawable(generator: Generator, axes: ExpressionAxes, *, readable: bool = True) -> set[str]:
    """The expressions of which a generator's own picture shows anything.

    Those that it has a direction for, and, where it has an encoder and the face model can be read, all that move a face.
    """
    own, read = axes.fingerprint == generator.fingerprint, readable and generator.encoder is not None
    return {axis.name for axis in axes if (own and axis.has_direction) or (read and axis.has_coefficients)}


def _example(generator: Generator, name: str, arguments: Namespace, progress: Progress) -> _Face:
    photo = open_photo(builtin_path(f"examples/{name}.jpg"))
    inversion = invert(generator, photo, method=arguments.method, progress=progress)
    return _Face(name, photo, inversion, arguments.mode)


def _drawn(generator: Generator, axes: ExpressionAxes, arguments: Namespace, progress: Progress) -> _Face:
    calm = calm_face(generator, axes, progress, seed=arguments.seed, label=arguments.label)
    photo = drawn(generator, calm, progress)[0]
    inversion = invert_drawn(generator, photo, method=arguments.method, progress=progress)
    return _Face(DRAWN, photo, inversion, REDRAWN)  # it has no finer pixels of its own that motion could keep


def calm_face(
    generator: Generator, axes: ExpressionAxes, progress: Progress, *, seed: int, label: int | None = None
) -> Latent:
    """Of some random faces, among those the face finder is surest of, the one with the least expression."""
    faces = sampled(generator, CANDIDATES, psi=PSI, seed=seed, label=label)
    scores: list[float] = []
    for picture in drawn(generator, faces, silent):
        scores.append(drawn_face(picture).score)
        progress(StepReport(len(scores), CANDIDATES, "choosing a face"))
    surest = sorted(range(CANDIDATES), key=lambda row: -scores[row])[: CANDIDATES // 8]
    names = [axis.name for axis in axes if axis.has_direction and axes.fingerprint == generator.fingerprint]
    if not names:  # nothing reads these codes
        return faces[surest[0]]
    most = torch.stack([read_eta(faces, axes, name) for name in names]).amax(dim=0)  # [CANDIDATES] log odds
    return faces[min(surest, key=lambda row: float(most[row]))]


def invert_drawn(generator: Generator, photo: Photo, *, method: str, progress: Progress) -> Inversion:
    """Invert a picture that is the generator's own frame from edge to edge: there is nothing to search for."""
    inversion = invert_images(generator, tensor_from_photo(photo), method=method, progress=progress)
    crop, fit = place_drawn(photo, frame_of(generator))
    return replace(inversion, crops=(crop,), faces=None if fit is None else (fit,))


def _target(folder: Path, face: str, step: int, expression: str) -> Path:
    return folder / f"{face}-{step}-{_plain(expression)}.jpg"


def _plain(name: str) -> str:
    """An expression's name as part of a file name: letters and digits only."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:40]
