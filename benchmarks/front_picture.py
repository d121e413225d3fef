"""The README's first picture: every named expression on composites (averages of many people), at intensity 1.

python benchmarks/front_picture.py COMPOSITE ... -o docs/expressions.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from emogan_core.checkpoints import load_generator
from emogan_core.compose import put_back
from emogan_core.expressions import apply_expressions, load_axes
from emogan_core.faces import window_around
from emogan_core.images import Photo, open_photo, save_photo
from emogan_core.inversion import invert
from emogan_core.sheets import contact_sheet

TILE = 230


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("composites", nargs="+", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    generator, axes = load_generator("builtin"), load_axes("builtin")
    rows = []
    for path in arguments.composites:
        photo = open_photo(path)
        inversion = invert(generator, photo, method="encode")
        assert inversion.crops is not None
        edits = [apply_expressions(inversion, axes, {name: 1.0}) for name in axes.names]
        shown = [photo, *(put_back(generator, photo, inversion, edit).photo for edit in edits)]
        height, width = photo.pixels.shape[:2]
        left, top, side = window_around(inversion.crops[0], height=height, width=width)
        part = (slice(top, top + side), slice(left, left + side))
        rows.append([_scaled(one, part) for one in shown])
    sheet = contact_sheet(
        rows,
        title="Every named expression at intensity 1, on composite faces",
        subtitle="composites: Face Research Lab (DeBruine 2016), CC BY 4.0, doi 10.6084/m9.figshare.4055130; edited",
        column_labels=["the photo", *axes.names],
        tile_px=TILE,
    )
    save_photo(arguments.out, sheet, record={"program": "EmotionGAN", "edited": True})


def _scaled(photo: Photo, part: tuple[slice, slice]) -> Photo:
    small = Image.fromarray(photo.pixels[part]).resize((TILE, TILE), Image.Resampling.LANCZOS)
    return Photo(np.asarray(small))


if __name__ == "__main__":
    main()
