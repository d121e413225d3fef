"""Is a candidate for the built-in generator better than the shipped one? On people held out of training.

python benchmarks/builtin.py --press DIR CSV --studio DIR CSV [--candidate FILE] -o docs/builtin.md

Pictures are compared at 128 px. The extractors are fixed and no discriminator: gradient histograms (form) and small
colour pictures (colour), each reduced to the principal components of training faces. Edits are judged by
`expressions.py`, once axes have been fitted for the candidate.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from judges import Array, LabelledFeatures, features, fit_identity_judge, likeness
from PIL import Image
from scipy.linalg import sqrtm
from sklearn.decomposition import PCA
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.faces import find_faces
from emogan_core.images import photo_from_tensor
from emogan_core.networks import Generator
from emogan_core.networks.sampling import drawn_in_groups, sampled

HEADER = """\
# The built-in generator, against the one before

```
python benchmarks/builtin.py --press DIR CSV --studio DIR CSV [--candidate FILE] -o docs/builtin.md
```

Faces of {people} people held out of training; samples are {samples} at psi 0.7 from one seed. *Form* and *colour* are Frechet distances to held-out faces in fixed features (gradient histograms; 8 px colour pictures), smaller is better, with a 95 % bootstrap interval over pictures; the first row, other real faces, is what no generator passes. *Sharpness* is the mean gradient of samples over that of real faces at 128 px. *Broken* is the share of samples in which the program's own face finder sees no face. *Redrawn* is one pass of the encoder on held-out faces: PSNR at 128 px, sharpness again, and likeness by a linear judge of identity (strangers {strangers:.2f}). *Nearest* is the mean cosine of 16 px gray pictures between samples and their nearest training face; real faces' own is in the first row, and far more would mean that people were memorised.
"""
HELD_OUT = Path(__file__).with_name("held_out_people.txt")
SIDE = 128
COMPONENTS = 48
MARGIN = 48


@dataclass(frozen=True, slots=True)
class Pictures:
    """Faces [n, 3, 128, 128] in [-1, 1] with what the fixed extractors say of them."""

    images: Tensor
    form: Array
    colour: Array
    names: tuple[str, ...] = ()

    @property
    def sharpness(self) -> float:
        x = self.images
        return float(((x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()) / 2)


def seen(images: Tensor, names: tuple[str, ...] = ()) -> Pictures:
    images = F.interpolate(images.clamp(-1, 1), size=SIDE, mode="bicubic", antialias=True).clamp(-1, 1)
    pixels = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    form = np.stack([features(Image.fromarray(picture)) for picture in pixels])
    colour = F.adaptive_avg_pool2d(images, 8).flatten(1).double().numpy()
    return Pictures(images, form, colour, names)


def read(folder: Path, table: Path, *, held_out: set[str], wanted: bool, most: int) -> Pictures:
    """Faces of people in the list or not in it, evenly over the table."""
    with table.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if (row["person"] in held_out) == wanted]
    rows = rows[:: max(1, len(rows) // most)][:most]
    images = []
    for row in rows:
        with Image.open(folder / row["file"]) as picture:
            small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        images.append(torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 127.5 - 1)
    return seen(torch.stack(images), tuple(row["person"] for row in rows))


def frechet(a: Array, b: Array) -> float:
    """Distance of two normal distributions with these samples' moments."""
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = np.real(sqrtm(cov_a @ cov_b))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root))


def distance(a: Array, b: Array, space: PCA, rng: np.random.Generator) -> str:
    """The Frechet distance in a space's components, per component variance, with a bootstrap interval."""
    scale = np.sqrt(space.explained_variance_.sum())
    u, v = space.transform(a) / scale, space.transform(b) / scale
    draws = [frechet(u[rng.integers(len(u), size=len(u))], v[rng.integers(len(v), size=len(v))]) for _ in range(40)]
    # resampling repeats pictures, which adds a distance of its own: the interval is moved back by it
    low, high = np.percentile(draws, [2.5, 97.5]) - np.mean(draws) + frechet(u, v)
    return f"{frechet(u, v):.3f} [{low:.3f}, {high:.3f}]"


def nearest(images: Tensor, known: Tensor, *, itself: bool = False) -> float:
    """Mean cosine to the nearest known face, of gray 16 px pictures without mean and contrast."""

    def signature(x: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(x.mean(1, keepdim=True), 16).flatten(1)
        return F.normalize(small - small.mean(1, keepdim=True), dim=1)

    best = (signature(images) @ signature(known).T).topk(2, dim=1).values
    return float(best[:, 1 if itself else 0].mean())


def broken(images: Tensor) -> float:
    """Share of pictures in which no face is found; a mirrored border gives the finder room."""
    wide = F.pad(images, (MARGIN,) * 4, mode="reflect")
    return float(np.mean([not find_faces(photo_from_tensor(one)) for one in wide]))


def invented(generator: Generator, count: int) -> Pictures:
    return seen(torch.cat(list(drawn_in_groups(generator, sampled(generator, count, psi=0.7, seed=0).ws))))


def redrawn(generator: Generator, pictures: Pictures) -> Pictures:
    assert generator.encoder is not None
    small = F.interpolate(pictures.images, size=generator.spec.resolution, mode="bilinear", antialias=True)
    with torch.no_grad():
        drawn = [generator.synthesis(generator.encoder(part)) for part in torch.split(small, 16)]
    return seen(torch.cat(drawn), pictures.names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--press", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--studio", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--candidate", type=Path)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    lines = HELD_OUT.read_text().splitlines()
    held_out = {line for line in lines if line and not line.startswith("#")}
    rng = np.random.default_rng(0)
    known = read(*arguments.press, held_out=held_out, wanted=False, most=3000)
    strange = read(*arguments.press, held_out=held_out, wanted=True, most=600)
    studio = read(*arguments.studio, held_out=held_out, wanted=True, most=40)
    spaces = {
        "form": PCA(COMPONENTS, random_state=0).fit(known.form),
        "colour": PCA(COMPONENTS, random_state=0).fit(known.colour),
    }
    judge = fit_identity_judge(LabelledFeatures(known.form, known.names, (), {}))
    strangers = likeness(judge, strange.form, np.roll(strange.form, 1, axis=0)).mean()
    rows = [
        "| | form | colour | sharpness | broken | redrawn, press | redrawn, studio | sharpness | likeness | nearest |",
        "|---" * 10 + "|",
    ]

    def compared(title: str, pictures: Pictures, tail: str, *, near: float) -> None:
        cells = [distance(getattr(pictures, kind), getattr(strange, kind), spaces[kind], rng) for kind in spaces]
        cells += [
            f"{pictures.sharpness / strange.sharpness:.2f}",
            f"{broken(pictures.images):.1%}",
            tail,
            f"{near:.3f}",
        ]
        rows.append(f"| {title} | " + " | ".join(cells) + " |")
        print(rows[-1], flush=True)

    real = Pictures(
        *(part[:: len(known.form) // arguments.samples] for part in (known.images, known.form, known.colour))
    )
    compared("real faces", real, "| | |", near=nearest(real.images, known.images, itself=True))
    for title, source in (("shipped", "builtin"), ("candidate", arguments.candidate)):
        if source is None:
            continue
        generator = load_generator(source)
        drawn = [redrawn(generator, pictures) for pictures in (strange, studio)]
        errors = [
            (a.images - b.images).square().mean(dim=(1, 2, 3)) / 4
            for a, b in zip(drawn, (strange, studio), strict=True)
        ]
        psnr = [f"{float(-10 * error.log10().mean()):.1f} dB" for error in errors]
        same = likeness(judge, strange.form, drawn[0].form).mean()
        tail = " | ".join([*psnr, f"{drawn[0].sharpness / strange.sharpness:.2f}", f"{same:.2f}"])
        samples = invented(generator, arguments.samples)
        compared(f"{title} `{generator.fingerprint[:12]}`", samples, tail, near=nearest(samples.images, known.images))
    if arguments.out:
        people = len(set(strange.names) | set(studio.names))
        header = HEADER.format(people=people, samples=arguments.samples, strangers=strangers)
        arguments.out.write_text("\n".join([header, *rows]) + "\n")


if __name__ == "__main__":
    main()
