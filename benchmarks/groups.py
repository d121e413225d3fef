"""For whom does the built-in generator do badly? Reconstructing and editing held-out people, by group.

python benchmarks/groups.py --press DIR CSV --studio DIR CSV [--generator FILE --axes FILE] -o docs/results/groups.md

Groups are of pictures: how far the head is turned, how the cheeks are coloured, and what one labeller saw
(`held_out_looks.txt`). Nothing is known of the people themselves.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from edits import Bench
from grouping import TURNED, Faces, Groups, Mask, once, press_groups, studio_groups
from held_out import Row, Subject, inverted, rows_of, whole
from pictures import detected, psnr, read, with_features
from probes import Array, fit_identity_probe, fit_smile_probe, likeness
from scores import LESS, MORE, Measure, mean_of
from sklearn.pipeline import Pipeline

from emogan_core.checkpoints import load_generator
from emogan_core.expressions import ExpressionAxes, load_axes
from emogan_core.faces import cut
from emogan_core.images import open_photo
from emogan_core.networks import Generator

HEADER = """\
# The built-in generator, by group

```
python benchmarks/groups.py --press DIR CSV --studio DIR CSV [--generator FILE --axes FILE] -o docs/results/groups.md
```

People held out of training, one neutral picture each and group, inverted by method encode; means with 95 % bootstrap intervals. **Bold** is worse than the other groups of its table together, beyond the interval of the difference; of so many cells one in forty is bold by chance, and groups overlap (more of the elderly faces wear glasses). Where none of n fail a bootstrap interval has no width, so nothing is bold; up to 3 in n may.

- *Reconstruction*: PSNR at 128 px; bright, flat and blurred pictures are easier. *Likeness* of the reconstruction to its photo, by a linear probe of identity. *Lost*: share of faces whose likeness is below what one in twenty pairs of strangers of the same set reach. *Found again*: share of reconstructions in which the program's own finder detects a face, of those in whose photo it did.
- *Smile*: happiness at intensity 1 put back in mode motion (draft), as a share of a true smile by a linear probe: for press faces that of held-out smiling press faces, for studio faces their own. *Missed*: share of edits that reach less than a quarter of it.
"""
MEASURES = (
    Measure("reconstruction, dB", ".1f", aim=MORE),
    Measure("likeness", aim=MORE),
    Measure("lost", ".0%", aim=LESS),
    Measure("found again", ".1%", aim=MORE),
    Measure("smile", aim=MORE),
    Measure("missed", ".0%", aim=LESS),
)
QUARTER = 0.25  # of a true smile
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Probes:
    """Linear probes fitted on people in training."""

    smile: Pipeline
    identity: Pipeline


def neutral_rows(table: Path) -> list[Row]:
    """The first neutral picture of every held-out person, and the first that is turned far where that is another."""
    rows = [row for row in rows_of(table, held_out=True) if row["expression"] == "neutral"]
    chosen: dict[tuple[str, bool], Row] = {}
    for row in rows:
        chosen.setdefault((row["person"], False), row)
        if abs(float(row["yaw_deg"])) >= TURNED:
            chosen.setdefault((row["person"], True), row)
    kept = {row["file"] for row in chosen.values()}
    return [row for row in rows if row["file"] in kept]


def measured(
    generator: Generator, axes: ExpressionAxes, folder: Path, rows: Sequence[Row], smiles: Array, probes: Probes
) -> Faces:
    """Reconstruct, measure, edit; `smiles` are features [m, d] of true smiles."""
    photos = [open_photo(folder / row["file"]) for row in rows]
    subjects = [Subject(photo, whole(photo, row), None) for photo, row in zip(photos, rows, strict=True)]
    people = inverted(generator, subjects, method="encode")
    original = with_features(torch.cat([cut(one.photo, one.crop, 128) for one in subjects]), rows)
    drawn = with_features(torch.cat([one.inversion.reconstruction for one in people]), rows)
    alike = likeness(probes.identity, drawn.form, original.form)
    bench = Bench(people, generator, smile=probes.smile, identity=probes.identity, smiles=smiles, draft=True)
    share = bench.run(axes, 1.0).share
    values = {
        "reconstruction, dB": psnr(drawn, original),
        "likeness": alike,
        "lost": 1.0 * (alike < strangers_at(probes.identity, original.form, original.names, percent=95)),
        "found again": np.where(detected(original.images) > 0, detected(drawn.images), np.nan),
        "smile": share,
        "missed": 1.0 * (share < QUARTER),
    }
    return Faces(rows, subjects, values)


def strangers_at(probe: Pipeline, x: Array, names: Sequence[str], *, percent: float) -> float:
    """The likeness that so many percent of pairs of different people stay below."""
    codes = probe.transform(x)
    codes = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    different = np.array(names)[:, None] != np.array(names)[None]
    return float(np.percentile((codes @ codes.T)[different], percent))


def section(faces: Faces, groups: Groups) -> list[str]:
    """A heading, what the groups are, and a table."""
    masks = {name: once(faces.rows, mask) for name, mask in groups.masks.items()}
    lines = [f"## {groups.title}", "", *([groups.about, ""] if groups.about else [])]
    lines += ["| | n | " + " | ".join(measure.name for measure in MEASURES) + " |", "|---" * (len(MEASURES) + 2) + "|"]
    for name, mask in masks.items():
        rest = np.any([other for title, other in masks.items() if title != name], axis=0) if len(masks) > 1 else None
        cells = [cell(measure, faces.measured[measure.name], mask, rest) for measure in MEASURES]
        lines.append(f"| {name} | {int(mask.sum())} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def cell(measure: Measure, values: Array, mask: Mask, rest: Mask | None) -> str:
    counted = ~np.isnan(values)
    if (mask & counted).sum() < FEWEST:
        return "too few"
    score = mean_of(values[mask & counted])
    text = score.text(measure.form)
    others = np.array([]) if rest is None else values[rest & counted]
    # where all values agree the bootstrap has no spread, and nothing can be concluded from it
    varied = len(others) >= FEWEST and min(np.ptp(values[mask & counted]), np.ptp(others)) > 0
    return f"**{text}**" if varied and measure.verdict(score, mean_of(others)) == "worse" else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--press", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--studio", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--axes", default="builtin")
    parser.add_argument("-o", "--out", type=Path)
    arguments, begin = parser.parse_args(), time.monotonic()
    generator, axes = load_generator(arguments.generator), load_axes(arguments.axes)
    training = read(arguments.press[0], rows_of(arguments.press[1], held_out=False), most=3000).labelled()
    probes = Probes(fit_smile_probe(training), fit_identity_probe(training))
    lines = [HEADER, f"Generator `{generator.fingerprint[:12]}`, axes `{axes.content_fingerprint[:12]}`.", ""]
    for (folder, table), groups_of in ((arguments.press, press_groups), (arguments.studio, studio_groups)):
        happy = [row for row in rows_of(table, held_out=True) if row["expression"] == "happiness"]
        smiles = read(folder, happy, most=300).form
        faces = measured(generator, axes, folder, neutral_rows(table), smiles, probes)
        for groups in groups_of(faces):
            lines += section(faces, groups)
        print(f"{folder.name}: {time.monotonic() - begin:.0f} s", flush=True)
    text = "\n".join(lines)
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
