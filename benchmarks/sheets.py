"""The pictures of the model card, all of generated faces: random ones, and every axis from -2 to +2.

python benchmarks/sheets.py [--generator FILE --axes FILE] -o docs/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image

from emogan_core.checkpoints import load_generator
from emogan_core.commands.demo import calm_face
from emogan_core.commands.draw import drawn
from emogan_core.expressions import ExpressionAxes, load_axes, move_latent
from emogan_core.images import Photo, photo_from_tensor
from emogan_core.networks import Generator
from emogan_core.networks.sampling import sampled
from emogan_core.progress import silent
from emogan_core.sheets import contact_sheet

ROWS = 8
PSI = 0.7
INTENSITIES = (-2.0, -1.0, 0.0, 1.0, 2.0)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--axes", default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    generator, axes = load_generator(arguments.generator), load_axes(arguments.axes)
    with torch.inference_mode():
        pictures = {
            "samples": samples(generator, seed=arguments.seed),
            "axes": strips(generator, axes, seed=arguments.seed),
        }
    for name, picture in pictures.items():
        Image.fromarray(picture.pixels).save(arguments.out / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
