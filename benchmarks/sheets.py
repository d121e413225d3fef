"""The pictures of the model card and of the workflows, all of generated faces or composites.

python benchmarks/sheets.py [--generator FILE --axes FILE] -o docs/ [--workflows workflows/]

Into docs: random faces, and every axis from -2 to +2. Into workflows: the previews that the host shows of each
workflow, with the seeds that stand in them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from emogan_core.checkpoints import load_generator
from emogan_core.commands.demo import calm_face
from emogan_core.commands.draw import drawn
from emogan_core.compose import put_back
from emogan_core.expressions import ExpressionAxes, apply_expressions, load_axes, move_latent
from emogan_core.images import Photo, open_photo, photo_from_tensor
from emogan_core.inversion import invert
from emogan_core.latents import Latent
from emogan_core.networks import Generator
from emogan_core.networks.sampling import sampled
from emogan_core.progress import silent
from emogan_core.sheets import contact_sheet
from emogan_core.weights import builtin_path

ROWS = 8
PSI = 0.7
INTENSITIES = (-2.0, -1.0, 0.0, 1.0, 2.0)
SMILE = {"happiness": 1.0}
PREVIEW = 320  # px


def samples(generator: Generator, *, seed: int) -> Photo:
    """Eight rows of eight random faces, none chosen."""
    faces = drawn(generator, sampled(generator, ROWS * ROWS, psi=PSI, seed=seed), silent)
    rows = [faces[ROWS * row : ROWS * (row + 1)] for row in range(ROWS)]
    subtitle = f"seed {seed}, psi {PSI:g}, none chosen; generator {generator.fingerprint[:12]}"
    return contact_sheet(rows, title="Random faces", subtitle=subtitle, tile_px=96)


def strips(generator: Generator, axes: ExpressionAxes, *, seed: int) -> Photo:
    """Two drawn faces per axis; the most neutral of 32 random ones each, so that there is something to change."""
    rows, names = [], []
    faces = [calm_face(generator, axes, silent, seed=seed + number) for number in range(2)]
    for axis in (axis for axis in axes if axis.has_direction):
        for face in faces:
            moved = [move_latent(face, axes, {axis.name: x}).ws for x in INTENSITIES]
            rows.append([photo_from_tensor(generator.synthesis(ws)) for ws in moved])
            names.append(axis.name + (" (experimental)" if axis.experimental else ""))
    return contact_sheet(
        rows,
        title="Every axis",
        subtitle=f"two random faces; generator {generator.fingerprint[:12]}, axes {axes.content_fingerprint[:12]}",
        column_labels=[f"{x:+g}" if x else "0" for x in INTENSITIES],
        row_labels=names,
        tile_px=96,
    )


def codes_in(workflow: Path, generator: Generator) -> Latent:
    """The random codes of a workflow's Sample Faces node."""
    nodes = json.loads(workflow.read_text())["nodes"]
    seed, _, psi, count = next(node["widgets_values"] for node in nodes if node["type"] == "EmotionGAN_SampleFaces")[:4]
    return sampled(generator, count, psi=psi, seed=seed)


def previews(generator: Generator, axes: ExpressionAxes, folder: Path) -> dict[str, Photo]:
    """By each workflow's name two pictures of what it shows."""
    face = codes_in(folder / "sample_and_edit.json", generator)
    faces = codes_in(folder / "bring_your_own_generator.json", generator)
    smiling = move_latent(face, axes, SMILE)
    example = open_photo(builtin_path("examples/composite_f_multi.jpg"))
    inversion = invert(generator, example)
    edited = put_back(generator, example, inversion, apply_expressions(inversion, axes, SMILE)).photo
    own = generator.synthesis(torch.cat([face.ws, smiling.ws, faces.ws[:2]]))
    before, after, first, second = (photo_from_tensor(one[None]) for one in own)
    pairs = {
        "edit_a_photo": (example, edited),
        "sample_and_edit": (before, after),
        "bring_your_own_generator": (first, second),
    }
    halves = {name: [scaled(one, PREVIEW) for one in pair] for name, pair in pairs.items()}
    return {name: Photo(np.concatenate(pair, axis=1)) for name, pair in halves.items()}


def scaled(photo: Photo, side: int) -> NDArray[np.uint8]:
    """Its pixels at another size."""
    return np.array(Image.fromarray(photo.pixels).resize((side, side), Image.Resampling.BICUBIC))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--axes", default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--workflows", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    generator, axes = load_generator(arguments.generator), load_axes(arguments.axes)
    with torch.inference_mode():
        pictures = {
            "samples": samples(generator, seed=arguments.seed),
            "axes": strips(generator, axes, seed=arguments.seed),
        }
    for name, picture in pictures.items():
        Image.fromarray(picture.pixels).save(arguments.out / f"{name}.jpg", quality=88)
    if arguments.workflows:
        made = previews(generator, axes, arguments.workflows)
        for name, picture in made.items():
            Image.fromarray(picture.pixels).save(arguments.workflows / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
