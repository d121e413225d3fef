"""The example face set that comes with the package: composites, as they are and winking.

python benchmarks/wink_faces.py COMPOSITES [OUT]

`COMPOSITES` holds the young adult composite faces (Face Research Lab, DeBruine 2016, CC BY 4.0) as
`composite_SEX_GROUP.jpg`. They are nobody's face, so the set may be shown and given on. Each counts as one person; as a fit
needs twelve pictures of either kind, some are there a second time with the head tilted. The woman of Example Photo is left
out, so that what is learned is tried on a face that was not learned from.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from emogan_core import (
    Photo,
    apply_expressions,
    builtin_path,
    invert,
    load_axes,
    load_generator,
    put_back,
    window_around,
)

LABEL = "wink"
WINK = {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.6, "mouthSmileLeft": 0.7, "mouthSmileRight": 0.2, "browDownLeft": 0.3}
LEFT_OUT = "f_multi"
TILTED = {"f_wasian": 7.0, "m_multi": -7.0, "m_white": 5.0}  # degrees
SIDE, QUALITY = 192, 88
MARGIN = 0.1  # of the window around a face, on every side


def takes(folder: Path) -> Iterator[tuple[str, str, Photo]]:
    """Person, name of the take, and photo."""
    for path in sorted(folder.glob("composite_*.jpg")):
        person = path.stem.removeprefix("composite_")
        if person == LEFT_OUT:
            continue
        image = Image.open(path).convert("RGB")
        yield person, person, Photo(np.array(image))
        if person in TILTED:
            turned = image.rotate(TILTED[person], Image.Resampling.BICUBIC)
            yield person, f"{person}_tilted", Photo(np.array(turned))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("composites", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=builtin_path("examples") / LABEL)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    generator, axes = load_generator("builtin"), load_axes("builtin")
    rows = [("file", "expression", "person")]
    for person, take, photo in takes(arguments.composites):
        inversion = invert(generator, photo, method="encode")
        assert inversion.crops is not None
        height, width = photo.pixels.shape[:2]
        left, top, extent = window_around(inversion.crops[0], height=height, width=width)
        margin = round(MARGIN * extent)
        box = (left + margin, top + margin, left + extent - margin, top + extent - margin)
        winking = put_back(generator, photo, inversion, apply_expressions(inversion, axes, WINK)).photo
        for label, shown in (("neutral", photo), (LABEL, winking)):
            small = Image.fromarray(shown.pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
            rows.append((f"{take}_{label}.jpg", label, person))
            small.save(arguments.out / rows[-1][0], quality=QUALITY, optimize=True)
    with (arguments.out / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
