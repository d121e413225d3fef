"""Does an edit reach its expression and keep the person? On held-out people, by judges that took no part in fitting.

python benchmarks/expressions.py --press DIR CSV --studio DIR CSV --photos DIR [--identity MODEL.onnx] -o TABLE.md

Judges: `judges.py`. Every number is a mean over people with a 95 % bootstrap interval over people.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from judges import (
    Array,
    LabelledFeatures,
    Recogniser,
    cosine,
    features,
    fit_expression_judges,
    fit_identity_judge,
    likeness,
    read_features,
)
from PIL import Image

from emogan_core.checkpoints import load_generator
from emogan_core.compose import put_back
from emogan_core.expressions import apply_expressions, label_latents, load_axes, read_face_set
from emogan_core.faces import Crop, choose_face, crop_of, cut
from emogan_core.images import Photo, open_photo
from emogan_core.inversion import Inversion, invert_images
from emogan_core.latents import Latent
from emogan_core.networks import Generator

HEADER = """\
# Does an edit reach its expression and keep the person?

```
python benchmarks/expressions.py --press DIR CSV --studio DIR CSV --photos DIR -o docs/expressions.md
```

Judges (`benchmarks/judges.py`) are linear models of gradient histograms at 128 px, fitted on people in training, to MediaPipe's blendshape estimates and to names; they took no part in fitting the axes. Intervals are 95 %, by bootstrap over people. Controls move the same latents a step as long as the axis' own at intensity 1; "reconstruction only" moves nothing, so in mode paste it shows what the redrawing alone costs. The axes of sadness and disgust lean on blendshapes themselves, so their judges are not wholly independent; they look at mouth corners (sadness) and at nose and upper lip (disgust), and see nothing of what these edits do to the brows.
"""
HELD_OUT = Path(__file__).with_name("held_out_people.txt")
INTENSITIES = (0.5, 1.0, 1.5, 2.0)
Edit = Callable[[Latent, float], Latent]


@dataclass(frozen=True, slots=True)
class Person:
    """A neutral photo, its inversion, and how the true smile looks to the judges where there is one."""

    photo: Photo
    inversion: Inversion
    smile: Image.Image | None


def picture_of(photo: Photo, crop: Crop) -> Image.Image:
    """The face in the tight frame at 128 px, as the judges want it."""
    pixels = (cut(photo, crop, 128)[0].permute(1, 2, 0) + 1) * 127.5
    return Image.fromarray(pixels.round().clamp(0, 255).byte().numpy())


def whole(photo: Photo, row: dict[str, str]) -> Crop:
    """The crop of a picture that is already cut in the frame, with the landmarks of its row in the table."""
    side = photo.pixels.shape[0]
    points = ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
    landmarks = np.array([[float(row[f"{point}_{axis}"]) for axis in "xy"] for point in points])
    return Crop(np.array([[0, 0], [side, 0], [side, side], [0, side]], float), landmarks, "tight")


def studio_people(folder: Path, table: Path, held_out: set[str]) -> list[tuple[Photo, Crop, Image.Image]]:
    with table.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["person"] in held_out]
    shown = {(row["person"], row["expression"]): row for row in rows}
    found = []
    for person in sorted({row["person"] for row in rows}):
        neutral = shown[person, "neutral"]
        photo = open_photo(folder / neutral["file"])
        with Image.open(folder / shown[person, "happiness"]["file"]) as smile:
            found.append((photo, whole(photo, neutral), smile.convert("RGB")))
    return found


def photo_people(folder: Path) -> list[tuple[Photo, Crop, Image.Image]]:
    found = []
    for path in sorted(folder.glob("*_neutral.jpg")):
        photo = open_photo(path)
        smiling = open_photo(path.with_name(path.name.replace("neutral", "smiling")))
        smile = picture_of(smiling, crop_of(choose_face(smiling), "tight"))
        found.append((photo, crop_of(choose_face(photo), "tight"), smile))
    return found


def interval(values: Array, rng: np.random.Generator) -> str:
    """Mean and 95 % bootstrap interval over people."""
    means = rng.choice(values, (2000, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def random_direction(like: torch.Tensor, seed: int) -> torch.Tensor:
    """A direction [num_ws, w_dim], the same in every row, as long as `like`."""
    row = torch.randn(like.shape[1], generator=torch.Generator().manual_seed(seed)).expand_as(like)
    return row * (like.norm() / row.norm())


def class_mean_difference(
    latents: Latent, labels: tuple[str, ...], expression: str, like: torch.Tensor
) -> torch.Tensor:
    """Mean code of the expression minus that of neutral faces, as long as `like`."""
    of = {name: torch.tensor([label == name for label in labels]) for name in (expression, "neutral")}
    step = latents.mean_row()[of[expression]].mean(0) - latents.mean_row()[of["neutral"]].mean(0)
    step = step.expand_as(like)
    return step * (like.norm() / step.norm())


def along(direction: torch.Tensor) -> Edit:
    return lambda latent, intensity: replace(latent, ws=latent.ws + intensity * direction)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one way of editing does at one intensity, per person."""

    gain: Array
    share: Array
    kept: Array
    kept_redrawn: Array
    recognised: Array | None


class Bench:
    """People, judges and the generator, with the features of every original taken once."""

    def __init__(
        self, people: list[Person], training: LabelledFeatures, generator: Generator, recogniser: Recogniser | None
    ) -> None:
        self.people, self.generator, self.recogniser = people, generator, recogniser
        self.judges, self.identity = fit_expression_judges(training), fit_identity_judge(training)
        pictures = [picture_of(p.photo, crop_of_person(p)) for p in people]
        self.originals = self.look(pictures)
        self.known = recogniser.transform(pictures) if recogniser else None
        self.smiles = self.look([p.smile for p in people if p.smile is not None])
        drawn = [as_picture(p.inversion.reconstruction) for p in people]
        self.redrawn = self.look(drawn)

    @staticmethod
    def look(pictures: list[Image.Image]) -> Array:
        return np.stack([features(picture) for picture in pictures])

    def run(self, edit: Edit, intensity: float, mode: str, expression: str) -> Judged:
        edits, drawings = [], []
        for person in self.people:
            latent = edit(person.inversion.latent, intensity)
            if not torch.isfinite(latent.ws).all():
                raise ValueError("an edit left the numbers")
            composite = put_back(self.generator, person.photo, person.inversion, latent, mode=mode)
            edits.append(picture_of(composite.photo, crop_of_person(person)))
            drawings.append(as_picture(composite.redrawn))
        after, drawn = self.look(edits), self.look(drawings)
        judge = self.judges[expression]
        gain = judge.predict(after) - judge.predict(self.originals)
        true = judge.predict(self.smiles).mean() - judge.predict(self.originals).mean()
        return Judged(
            gain,
            gain / true,
            likeness(self.identity, after, self.originals),
            likeness(self.identity, drawn, self.redrawn),
            None if self.recogniser is None else cosine(self.recogniser.transform(edits), self.known),
        )


def crop_of_person(person: Person) -> Crop:
    assert person.inversion.crops is not None
    return person.inversion.crops[0]


def as_picture(image: torch.Tensor) -> Image.Image:
    pixels = ((image[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().byte().numpy()
    return Image.fromarray(pixels)


def gather(arguments: argparse.Namespace, generator: Generator, held_out: set[str]) -> list[Person]:
    found = studio_people(*map(Path, arguments.studio), held_out)
    found += photo_people(arguments.photos) if arguments.photos else []
    found = found[: arguments.people] if arguments.people else found
    images = torch.cat([cut(photo, crop, generator.spec.resolution) for photo, crop, _ in found])
    inversions = invert_images(generator, images, method="hybrid")
    return [
        Person(photo, replace(inversions[index], crops=(crop,)), smile)
        for index, (photo, crop, smile) in enumerate(found)
    ]


def keep_people(faces: LabelledFeatures, keep: Array) -> LabelledFeatures:
    pick = lambda names: tuple(np.array(names)[keep])
    scores = {name: values[keep] for name, values in faces.scores.items()}
    return LabelledFeatures(faces.x[keep], pick(faces.people), pick(faces.expressions), scores)


def report(bench: Bench, ways: dict[str, Edit], expression: str, rng: np.random.Generator) -> list[str]:
    columns = ["way", "mode", "intensity", "judge's gain"]
    columns += ["share of a true smile"] if expression == "happiness" else []
    columns += ["likeness to the original", "redrawn, likeness to its reconstruction"]
    columns += ["recogniser's cosine to the original"] if bench.recogniser else []
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for way, edit in ways.items():
        for mode in ("motion", "paste"):
            for intensity in INTENSITIES if way == "our axis" else (1.0,):
                judged = bench.run(edit, intensity, mode, expression)
                cells = [way, mode, f"{intensity:g}", interval(judged.gain, rng)]
                cells += [interval(judged.share, rng)] if expression == "happiness" else []
                cells += [interval(judged.kept, rng), interval(judged.kept_redrawn, rng)]
                cells += [] if judged.recognised is None else [interval(judged.recognised, rng)]
                lines.append("| " + " | ".join(cells) + " |")
                print(lines[-1], file=sys.stderr, flush=True)
    return lines


def calibration(bench: Bench, tested: LabelledFeatures, rng: np.random.Generator) -> list[str]:
    """How far the judges can be trusted, on people they were not fitted on."""
    lines = ["| judge | correlation with the blendshapes of held-out press people |", "|---|---|"]
    for name, judge in bench.judges.items():
        r = np.corrcoef(judge.predict(tested.x), tested.scores[name])[0, 1]
        lines.append(f"| {name} | {r:.2f} |")
    same = likeness(bench.identity, bench.originals, bench.smiles)
    other = np.concatenate(
        [likeness(bench.identity, bench.originals, np.roll(bench.smiles, k, 0)) for k in range(1, len(same))]
    )
    smile = bench.judges["happiness"]
    return [
        *lines,
        "",
        f"Likeness of a person's neutral and truly smiling photo {interval(same, rng)}, of two people {other.mean():.2f}; "
        f"same above different in {100 * (same[:, None] > other[None]).mean():.1f} % of pairs. Smile judge on neutral photos "
        f"{interval(smile.predict(bench.originals), rng)}, on true smiles {interval(smile.predict(bench.smiles), rng)}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--press", nargs=2, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--studio", nargs=2, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--photos", type=Path, help="full photos named *_neutral.jpg and *_smiling.jpg")
    parser.add_argument("--every", type=int, default=3, help="use every so many-th press picture for the judges")
    parser.add_argument("--people", type=int, default=0, help="only the first so many people")
    parser.add_argument("--expressions", nargs="*", default=["happiness", "surprise", "anger", "sadness", "disgust"])
    parser.add_argument("--identity", type=Path, help="a face recogniser as ONNX, 112 px; never shipped nor fitted on")
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    begin, rng = time.monotonic(), np.random.default_rng(0)
    held_out = {line for line in HELD_OUT.read_text().splitlines() if line and not line.startswith("#")}
    generator, axes = load_generator(), load_axes("builtin")
    people = gather(arguments, generator, held_out)
    press = read_features(*map(Path, arguments.press), keep=slice(None, None, arguments.every))
    out = np.array([person in held_out for person in press.people])
    recogniser = Recogniser(arguments.identity) if arguments.identity else None
    bench = Bench(people, keep_people(press, ~out), generator, recogniser)
    psnr = np.array([p.inversion.metrics["psnr_db"][0] for p in people])
    lines = [
        HEADER,
        f"{len(people)} held-out people; generator {generator.fingerprint[:12]}, axes {axes.content_fingerprint[:12]}; "
        f"judges fitted on {int((~out).sum())} press pictures. Reconstruction {interval(psnr, rng)} dB.",
        "",
        *calibration(bench, keep_people(press, out), rng),
    ]
    labelled = label_latents(generator, read_face_set(*map(Path, arguments.studio)), aligned=True)
    latents, labels = labelled.latents, labelled.labels
    for expression in arguments.expressions:
        direction = axes[expression].direction
        ways: dict[str, Edit] = {
            "our axis": lambda latent, intensity, name=expression: apply_expressions(latent, axes, {name: intensity})
        }
        if expression in labels:
            ways["class-mean difference"] = along(class_mean_difference(latents, labels, expression, direction))
        ways["random direction"] = along(random_direction(direction, 0))
        if expression == "happiness":
            ways["reconstruction only"] = lambda latent, intensity: replace(latent, ws=latent.ws + 1e-6)
        experimental = " (experimental)" if axes[expression].experimental else ""
        lines += ["", f"## {expression}{experimental}", "", *report(bench, ways, expression, rng)]
    lines += ["", f"{time.monotonic() - begin:.0f} s."]
    arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
