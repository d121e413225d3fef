"""What do nets that others trained call an edit, and do they still see the same person? Before and after a change.

python benchmarks/judged_edits.py run LABEL --data DIR --judges DIR --cache DIR [--pictures DIR]
python benchmarks/judged_edits.py table BEFORE AFTER --cache DIR -o docs/results/judged-edits.md

`run` edits every held-out person with the package that is imported (PYTHONPATH chooses another version) and adds what is
new to LABEL.jsonl in the cache: it may be broken off and goes on. `table` compares what stands there.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from judged_edits_methods import COPY, NEUTRAL, Method, Pixels, UnableError, Wish, method_of
from judged_edits_people import DATA, JUDGES, Judged, Judges, Seen, by_skin, missing, people_of, skin_angle, window
from judged_edits_table import (
    EXPRESSIONS,
    MODES,
    REFERENCE,
    SIDED,
    Reading,
    called_table,
    column_of,
    group_table,
    main_table,
    missed,
    other_table,
    read_readings,
    reference_table,
    sweep_table,
)
from PIL import Image

import emogan_core
from emogan_core.checkpoints import load_generator
from emogan_core.expressions import load_axes

HEADER = """\
# Edits of held-out people, judged by nets that others trained

```
python benchmarks/judged_edits.py run LABEL --data DIR --judges DIR --cache DIR
python benchmarks/judged_edits.py table {labels} --cache DIR -o docs/results/judged-edits.md
```

{people} people whom nobody trained on (Face Research Lab London Set), neutral photos at full resolution, inverted by method hybrid unless the version below says otherwise. The judges are an expression net of seven classes and a face recogniser's descriptor (face-api: MIT; not shipped); nothing was fitted, tuned or chosen on them, and what they say is evidence, not truth. By eye, on four of these very people, were chosen: the strength of the smile's shading and when lips count as apart; all else on people in training. *Called so*: share of edits that get the wanted name; the net knows no contempt, so there it is the share not called neutral. *Log-odds gain*: of the wanted name (for contempt: of not neutral), edit against the photo before it; an unchanged face's vary by about 1. *Distance*: of the descriptor to the unedited photo; .1 is noise, .6 is the recogniser's own bound for another person. Disgust and fear are the net's weak names: on labelled press faces it finds 13 and 12 % of them.

Means with 90 % bootstrap intervals over people. Where none or all of n people are called so a bootstrap knows no doubt; the true share may then be off by 2.3 / n. **Bold** is better than {first}, "worse" worse, beyond the interval of the paired difference.
"""


def wishes_of(expressions: Sequence[str], intensities: Sequence[float], modes: Sequence[str]) -> list[Wish]:
    """What is tried on every person, what matters most first."""
    grid = [Wish(*one) for one in itertools.product(expressions, intensities, modes)]
    grid.sort(key=lambda wish: (wish.mode != "motion", wish.intensity != 1))
    return [*grid, Wish(NEUTRAL), Wish(COPY), *(Wish(shape) for shape in SIDED)]


class Notes:
    """The readings of one label and version, in a file that grows by a line at a time."""

    def __init__(self, path: Path, version: str = "") -> None:
        readings = read_readings(path)
        if others := {reading.version for reading in readings} - {version}:
            raise SystemExit(
                f"{path} holds readings of version {', '.join(others)}, this is {version}; choose another label"
            )
        self.path = path
        self.known = {reading.key for reading in readings}
        if path.exists() and not path.read_text().endswith("\n"):
            with path.open("a") as lines:
                lines.write("\n")  # the last line was broken off: the next must not hang on it

    def add(self, reading: Reading) -> None:
        if reading.key not in self.known:
            with self.path.open("a") as lines:
                lines.write(json.dumps(asdict(reading)) + "\n")
            self.known.add(reading.key)


def package_hash() -> str:
    """SHA-256 of every file of the package that is imported."""
    folder = Path(emogan_core.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


class Evaluation:
    """People, their photos as the nets see them, and the nets."""

    def __init__(self, data: Path, judges: Path, cache: Path) -> None:
        self.people, self.judges = people_of(data, cache), Judges(judges)
        self.before: dict[str, dict[str, Judged]] = {}
        notes = Notes(cache / f"{REFERENCE}.jsonl")
        for person, photos in self.people.items():
            both = {shows: self.judges(seen.photo.pixels, seen) for shows, seen in photos.items()}
            self.before[person] = both
            for shows, one in both.items():
                far = self.judges.distance(one, both["neutral"])
                skin = skin_angle(photos["neutral"])
                notes.add(Reading(person, shows, 0.0, "", one.probabilities, far, skin=skin))

    def seen(self, person: str, wish: Wish) -> tuple[str, Seen]:
        """The photo a wish is about."""
        shows = "smile" if wish.expression == NEUTRAL else "neutral"
        return shows, self.people[person][shows]

    def donor_of(self, person: str) -> str:
        """The person whose smile is copied: the next by name."""
        names = list(self.people)
        return names[(names.index(person) + 1) % len(names)]

    def judge(self, method: Method, person: str, wish: Wish, *, version: str) -> tuple[Reading, Pixels]:
        """Raises: UnableError."""
        shows, seen = self.seen(person, wish)
        donor = self.donor_of(person) if wish.expression == COPY else ""
        begin = time.monotonic()
        pixels = method(seen.photo, wish, self.people[donor]["smile"].photo if donor else None)
        seconds = time.monotonic() - begin
        after = self.judges(pixels, seen)
        reading = Reading(
            *(person, wish.expression, wish.intensity, wish.mode, after.probabilities),
            distance=self.judges.distance(after, self.before[person][shows]),
            left=self.judges.left_share(pixels, seen),
            donor=donor,
            seconds=round(seconds, 2),
            version=version,
        )
        return reading, pixels


def run(arguments: argparse.Namespace) -> None:
    needed = ((arguments.judges, JUDGES), (arguments.data, DATA))
    if lacking := [str(folder / name) for folder, names in needed for name in missing(folder, names)]:
        print(f"skipped: {', '.join(lacking)} are not here, and are never shipped")
        return
    arguments.cache.mkdir(parents=True, exist_ok=True)
    evaluation = Evaluation(arguments.data, arguments.judges, arguments.cache)
    generator, axes = load_generator(arguments.generator), load_axes(arguments.axes)
    method = method_of(generator, axes, inversion=arguments.inversion)
    version = " ".join(name[:12] for name in (package_hash(), generator.fingerprint, axes.content_fingerprint))
    version += "" if arguments.inversion == "hybrid" else f" {arguments.inversion}"
    notes = Notes(arguments.cache / f"{arguments.label}.jsonl", version)
    wishes = wishes_of(arguments.expressions, arguments.intensities, arguments.modes)
    unable: dict[str, str] = {}
    for number, person in enumerate(list(evaluation.people)[: arguments.people or None]):
        for wish in wishes:
            if (person, wish.expression, wish.intensity, wish.mode) in notes.known:
                continue
            try:
                reading, pixels = evaluation.judge(method, person, wish, version=version)
            except UnableError as error:
                unable[wish.expression] = str(error)
                continue
            notes.add(reading)
            if arguments.pictures:
                save(arguments.pictures / arguments.label, reading, pixels, evaluation.seen(person, wish)[1])
        print(f"{number + 1} of {len(evaluation.people)}: {person}", flush=True)
    for name, why in unable.items():
        print(f"not done: {name}: {why}")


def save(folder: Path, reading: Reading, pixels: Pixels, seen: Seen) -> None:
    """The face in the photo's own pixels, for looking at it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{reading.person}_{reading.expression}_{reading.intensity:g}_{reading.mode}.jpg"
    Image.fromarray(np.ascontiguousarray(pixels[window(seen.points, pixels.shape)])).save(folder / name, quality=93)


def tables(arguments: argparse.Namespace) -> None:
    readings = {label: read_readings(arguments.cache / f"{label}.jsonl") for label in arguments.labels}
    photos = column_of(read_readings(arguments.cache / f"{REFERENCE}.jsonl"))
    if not photos or not any(readings.values()):
        print(f"nothing was run yet in {arguments.cache} for {' and '.join(arguments.labels)}")
        return
    columns = {label: column_of(one) for label, one in readings.items() if one}
    neutral = photos["neutral", 0.0, ""]
    groups = by_skin({person: one.skin for person, one in neutral.items() if one.skin is not None})
    versions = {label: ", ".join(sorted({one.version for one in readings[label]})) for label in columns}
    labels = " ".join(columns)
    parts = {
        "": [HEADER.format(labels=labels, people=len(neutral), first=next(iter(columns)))],
        "Photos as they are": reference_table(photos),
        "Edits": main_table(columns, neutral),
        "What edits are called": called_table(columns),
        "More is more": sweep_table(columns, neutral),
        "Neutralising, copying, one side": other_table(columns, photos),
        "By the measured colour of cheeks": group_table(columns, groups),
        "Whom it fails": missed(columns),
        "Versions": [f"- {label}: package, generator and axes {version}" for label, version in versions.items()],
    }
    text = "\n\n".join("\n".join([f"## {title}\n", *lines] if title else lines) for title, lines in parts.items())
    arguments.out.write_text(text + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(required=True)
    edit = tasks.add_parser("run")
    edit.set_defaults(task=run)
    edit.add_argument("label", help="a name for this version of the code")
    edit.add_argument("--data", type=Path, required=True)
    edit.add_argument("--judges", type=Path, required=True)
    edit.add_argument("--pictures", type=Path, help="also save every edited face here")
    edit.add_argument("--expressions", nargs="*", default=list(EXPRESSIONS))
    edit.add_argument("--intensities", nargs="*", type=float, default=[0.5, 1.0, 1.5])
    edit.add_argument("--modes", nargs="*", default=list(MODES))
    edit.add_argument("--people", type=int, default=0, help="only the first so many")
    edit.add_argument("--inversion", default="hybrid", help="another method than what users get, for a quick look")
    edit.add_argument("--generator", default="builtin")
    edit.add_argument("--axes", default="builtin")
    show = tasks.add_parser("table")
    show.set_defaults(task=tables)
    show.add_argument("labels", nargs="+")
    show.add_argument("-o", "--out", type=Path, required=True)
    for one in (edit, show):
        one.add_argument("--cache", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parsed()
    arguments.task(arguments)
