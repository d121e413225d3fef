"""Does a generator redraw expressions? On held-out people, moved by the face model, and along the axes.

python benchmarks/redrawn.py DATA [--generator FILE --axes FILE] -o docs/results/redrawn.md

DATA is as in benchmarks/README.md. Faces are compared at 128 px.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from held_out import rows_of
from pictures import codes_of
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.errors import FaceError
from emogan_core.expressions import ExpressionAxes, apply_expressions, load_axes, move_latent
from emogan_core.expressions.prototypes import NAMED
from emogan_core.face_model import FaceFit, fit_face, load_face_model
from emogan_core.faces import dense_landmarks, drawn_face
from emogan_core.images import Photo, photo_from_tensor
from emogan_core.inversion import invert_images
from emogan_core.latents import Latent
from emogan_core.networks import Generator
from emogan_core.training.designed_faces import as_inversion, edited_pixels, pictures_in
from emogan_core.training.labelled_fits import LANDMARK_STEPS

SIDE = 128
PEOPLE = {"press": 10, "studio": 8, "congress": 6}
MOST_TURNED_DEG = 15.0
SHAPES = (
    "jawOpen",
    "mouthSmile",
    "mouthFrown",
    "mouthPucker",
    "mouthUpperUp",
    "browInnerUp",
    "browDown",
    "eyeBlink",
    "eyeWide",
    "noseSneer",
)
HEADER = """\
# Expressions in redrawn faces

```
python benchmarks/redrawn.py DATA [--generator FILE --axes FILE] -o docs/results/redrawn.md
```

{people} people held out of training, looking ahead, neutral where there is such a picture, at 128 px. Each was moved by the face model by one expression or shape at 1. What is read is the face model's fit to each drawn face alone, as a share of what was asked for; a share that was there before is taken off.

- *Moved*: what is read where nothing was redrawn; no generator can be expected to show more. *Redrawn*: what an edit of a photo shows as `redrawn` and mode paste builds on, for a photo inverted by the encoder: the moved photo encoded in one pass and redrawn, less the photo redrawn. *Axis*: the photo redrawn after a step of 1 along the axis of that name, less before; it is what latents without a photo get (`emogan apply`, `emogan sample`), and edits with a generator that has no encoder. Empty where the axes have no direction for it.
- *Change redrawn* and *change along the axis*: how much of the pixels' change from photo to moved photo lies in the redrawn pictures' change, by least squares: 1 if all of it is drawn, 0 if none.
- *Consistent*: norm of the mean over people of the codes' difference between moved photo and photo, over its root mean square: 1 if an expression is the same direction for everybody.
- *Reconstruction* is the PSNR of all held-out faces of each set (of the press 600): of one pass of the encoder, and as method encode inverts, which corrects the codes once.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A picture [3, 128, 128] in [-1, 1] of somebody, and by name the same face moved by one expression or shape at 1."""

    picture: Tensor
    moved: Mapping[str, Tensor]


def neutral_first(data: Path, kind: str) -> list[dict[str, str]]:
    """Rows of held-out people of a set, neutral ones first."""
    return sorted(rows_of(data / f"{kind}_faces.csv", held_out=True), key=lambda row: row["expression"] != "neutral")


def opened(data: Path, kind: str, file: str) -> Image.Image:
    with Image.open(pictures_in(data, kind)[file]) as picture:
        return picture.convert("RGB")


def small(picture: Image.Image) -> Tensor:
    pixels = np.array(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    return torch.from_numpy(pixels).permute(2, 0, 1).float().contiguous() / 127.5 - 1


def chosen(data: Path, kind: str) -> list[dict[str, str]]:
    """One picture of each of some people."""
    found: dict[str, dict[str, str]] = {}
    for row in neutral_first(data, kind):
        if abs(float(row["yaw_deg"])) < MOST_TURNED_DEG:
            found.setdefault(row["person"], row)
    rows = list(found.values())
    if kind == "press":
        rows = rows[:: len(rows) // PEOPLE[kind]]
    return rows[: PEOPLE[kind]]


def moved_people(data: Path, axes: ExpressionAxes) -> list[Person]:
    """The chosen people of every set, moved."""
    model, found = load_face_model(), []
    for kind in PEOPLE:
        stored = np.load(data / f"{kind}_landmarks.npz")
        where = {file: row for row, file in enumerate(stored["files"].tolist())}
        for row in chosen(data, kind):
            picture = opened(data, kind, row["file"])
            fit = fit_face(model, stored["landmarks"][where[row["file"]], :, :2] / LANDMARK_STEPS)
            photo, moved = Photo(np.asarray(picture)), {}
            for name in (*NAMED, *SHAPES):
                edit = apply_expressions(as_inversion(fit), axes, {name: 1.0})
                moved[name] = small(Image.fromarray(edited_pixels(photo, fit, edit)))
            found.append(Person(small(picture), moved))
    return found


def kept_people(path: Path | None, data: Path) -> list[Person]:
    """The chosen people, moved; read from a file of an earlier run if there is one."""
    if path is not None and path.exists():
        stored = load_file(path)
        numbers = range(len([name for name in stored if name.endswith(".photo")]))
        return [
            Person(stored[f"{n}.photo"], {name: stored[f"{n}.{name}"] for name in (*NAMED, *SHAPES)}) for n in numbers
        ]
    found = moved_people(data, load_axes())
    if path is not None:
        tensors = {f"{n}.photo": person.picture for n, person in enumerate(found)}
        save_file(tensors | {f"{n}.{name}": x for n, one in enumerate(found) for name, x in one.moved.items()}, path)
    return found


def read(picture: Tensor) -> FaceFit | None:
    """The face model on a picture [3, r, r] in the generator's frame, None where it shows no face."""
    photo = photo_from_tensor(picture[None].clamp(-1, 1))
    try:
        return fit_face(load_face_model(), dense_landmarks(photo, drawn_face(photo)))
    except FaceError:
        return None


def share(axes: ExpressionAxes, name: str, before: FaceFit | None, after: FaceFit | None) -> float:
    """How much of an expression's step lies between two fits; NaN where there is one missing."""
    if before is None or after is None:
        return float("nan")
    step = axes[name].coefficients.double().numpy()
    return float(step @ (after.coefficients - before.coefficients) / (step @ step))


def kept(photos: Tensor, drawings: Tensor) -> float:
    """Mean share of the photos' changes [n, 3, r, r] that the drawings' changes show, by least squares."""
    along = (photos * drawings).sum(dim=(1, 2, 3)) / photos.square().sum(dim=(1, 2, 3))
    return float(along.mean())


def drawn(generator: Generator, ws: Tensor) -> Tensor:
    with torch.inference_mode():
        return torch.cat([generator.synthesis(part) for part in torch.split(ws, 16)])


def psnr(generator: Generator, data: Path, kind: str, *, most: int = 600) -> tuple[float, float, int]:
    """Means in dB over held-out faces, of one pass and of method encode, and their number."""
    rows = neutral_first(data, kind)
    pictures = torch.stack(
        [small(opened(data, kind, row["file"])) for row in rows[:: max(1, len(rows) // most)][:most]]
    )
    redrawn = drawn(generator, codes_of(generator, pictures)).clamp(-1, 1)
    error = (redrawn - pictures).square().mean(dim=(1, 2, 3)) / 4
    parts = [invert_images(generator, part, method="encode").metrics["psnr_db"] for part in torch.split(pictures, 16)]
    return float(-10 * error.log10().mean()), float(np.mean(np.concatenate(parts))), len(pictures)


def measured(generator: Generator, axes: ExpressionAxes, found: Sequence[Person]) -> list[str]:
    """A table's row for every expression and shape."""
    photos = torch.stack([person.picture for person in found])
    ws = codes_of(generator, photos)
    plain = drawn(generator, ws)
    before, redrawn = [read(photo) for photo in photos], [read(picture) for picture in plain]
    lines = []
    for name in (*NAMED, *SHAPES):
        moved = torch.stack([person.moved[name] for person in found])
        codes = codes_of(generator, moved)
        difference = (codes - ws).double().flatten(1)
        consistent = float(difference.mean(0).norm() / difference.square().sum(1).mean().sqrt())
        after = drawn(generator, codes)
        seen = [share(axes, name, a, read(b)) for a, b in zip(before, moved, strict=True)]
        shown = [share(axes, name, a, read(b)) for a, b in zip(redrawn, after, strict=True)]
        along = change = ""
        if axes[name].has_direction:
            stepped = drawn(generator, move_latent(Latent(ws, generator.fingerprint), axes, {name: 1.0}).ws)
            steps = [share(axes, name, a, read(b)) for a, b in zip(redrawn, stepped, strict=True)]
            along, change = f"{np.nanmean(steps):.2f}", f"{kept(moved - photos, stepped - plain):.2f}"
        lines.append(
            f"| {name} | {np.nanmean(seen):.2f} | {np.nanmean(shown):.2f} | {along} "
            f"| {kept(moved - photos, after - plain):.2f} | {change} | {consistent:.2f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--axes", default="builtin")
    parser.add_argument(
        "--moved", type=Path, metavar="FILE", help="keep the moved photos here (.safetensors) for another run"
    )
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    generator, axes = load_generator(arguments.generator), load_axes(arguments.axes)
    found = kept_people(arguments.moved, arguments.data)
    quality = {kind: psnr(generator, arguments.data, kind) for kind in PEOPLE}
    lines = [
        HEADER.format(people=len(found)),
        f"Generator `{generator.fingerprint[:12]}`. Reconstruction: "
        + ", ".join(f"{kind} {one:.1f} and {two:.1f} dB ({count})" for kind, (one, two, count) in quality.items())
        + ".",
        "",
        "| | moved | redrawn | axis | change redrawn | change along the axis | consistent |",
        "|---|---|---|---|---|---|---|",
        *measured(generator, axes, found),
    ]
    arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
