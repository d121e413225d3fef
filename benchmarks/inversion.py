"""How close does each way of inverting come, in which time, and does an edit still work? People held out of training.

python benchmarks/inversion.py run --photos DIR --judges DIR --cache FILE [--sheets DIR] [--methods M,M] [--people P,P]
python benchmarks/inversion.py table --cache FILE -o docs/results/inversion.md

One line for each person and method goes into the cache; a run goes on where one was stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from judged_edits_people import Judges, Seen
from skimage.metrics import structural_similarity
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.compose import put_back
from emogan_core.compose.redrawing import redrawing_of
from emogan_core.devices import gradients_allowed, rng_from_seed
from emogan_core.expressions import apply_expressions, load_axes, move_latent
from emogan_core.face_model import load_face_model
from emogan_core.faces import cut_faces, drawn_face, frame_of
from emogan_core.images import Photo, open_photo, photo_from_tensor, save_photo
from emogan_core.inversion import Inversion, OptimiseConfig, invert_images
from emogan_core.inversion.objective import Target, discriminator_features, feature_l1, unlikeness
from emogan_core.latents import Latent
from emogan_core.networks import Generator
from emogan_core.networks.tuned import with_delta
from emogan_core.progress import StepReport
from emogan_core.sheets import contact_sheet

HEADER = """\
# Inversion: how close, how long, and does an edit still work

```
python benchmarks/inversion.py run --photos DIR --judges DIR --cache FILE --sheets DIR
python benchmarks/inversion.py table --cache FILE -o docs/results/inversion.md
```

Neutral photos of people of no training set, cut for the built-in generator ({generator}) at 128 px; each method on each, on one core of a CPU that others used too. Time is the process's own seconds on the CPU. *PSNR* and *SSIM* (mean over 128, 64 and 32 px) are of the whole crop. *Features* is the difference of the discriminator's, which all methods but encode and tune minimise; tuning leaves it out. *Identity* is the distance of a face recogniser's descriptor (face-api, trained by others, nothing chosen on it) between crop and redrawing: .1 is noise, .6 its bound for another person. *Smile* is what the shipped direction of happiness at 1 adds to the coefficients mouthSmileLeft and mouthSmileRight, read off the redrawn face before and after.

- A *projector* is StyleGAN2's schedule (Karras et al. 2020: 1,000 steps of Adam at .1, ramped, decaying noise on the code, from the average face), in W and per layer in W+. The reference compares VGG features; here it has this program's comparison of pictures without the prior, so that schedules are compared and not losses. As it takes long, on fewer people, beside the other methods' rows for the same.
- *hybrid 100 steps*: 60 are usual.
- *editability*: how much typical codes are preferred to likeness, 0 to 1.
"""
PROJECTOR_STEPS = 1000
SMILES = ("mouthSmileLeft", "mouthSmileRight")
Row = dict[str, float | str]
Tiles = tuple[Photo, Photo, Photo]


@dataclass(frozen=True, slots=True)
class Person:
    """A photo with its face, cut."""

    name: str
    photo: Photo
    base: Inversion
    points: np.ndarray


Way = Callable[[Generator, Tensor, "Clock"], Inversion]


class Clock:
    """Seconds on the CPU, and those at which the codes were found."""

    def __init__(self) -> None:
        self.began = time.process_time()
        self.codes = math.nan

    def __call__(self, report: StepReport) -> None:
        if report.what == "invert":
            self.codes = self.spent()

    def spent(self) -> float:
        return time.process_time() - self.began


def shipped(method: str, **settings: float) -> Way:
    config = OptimiseConfig(**settings)  # type: ignore[arg-type]
    return lambda generator, images, clock: invert_images(
        generator, images, method=method, config=config, progress=clock
    )


def projector(rows: int | None) -> Way:
    """StyleGAN2's schedule on one w for all layers, or one per layer."""

    def run(generator: Generator, images: Tensor, clock: Clock) -> Inversion:
        spec, target = generator.spec, Target(images)
        weights = OptimiseConfig().weights
        rng = rng_from_seed(0)
        with gradients_allowed():
            features = [one.detach() for one in discriminator_features(generator, images)]
            w = generator.w_avg.expand(1, rows or spec.num_ws, -1).clone().requires_grad_()
            optimiser = torch.optim.Adam([w], betas=(0.9, 0.999))
            size = float(generator.w_std.square().sum().sqrt())
            for step in range(PROJECTOR_STEPS):
                share = step / PROJECTOR_STEPS
                noise = 0.05 * size / math.sqrt(spec.w_dim) * max(0.0, 1 - share / 0.75) ** 2
                ramp = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - share) / 0.25))
                optimiser.param_groups[0]["lr"] = 0.1 * ramp * min(1.0, share / 0.05)
                ws = (w + noise * torch.randn(w.shape, generator=rng)).expand(1, spec.num_ws, -1)
                loss = unlikeness(generator, generator.synthesis(ws), target.images, features, weights).sum()
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                if (step + 1) % 100 == 0:  # so that a run that is stopped has told something
                    print(
                        step + 1,
                        round(clock.spent()),
                        float(_made(generator, ws.detach(), target).metrics["psnr_db"][0]),
                    )
        return _made(generator, w.detach().expand(1, spec.num_ws, -1).clone(), target)

    return run


def _made(generator: Generator, ws: Tensor, target: Target) -> Inversion:
    with torch.no_grad():
        drawn = generator.synthesis(ws).clamp(-1, 1)
    latent = Latent(ws, generator.fingerprint)
    return Inversion(latent, target.images, drawn, None, {"psnr_db": tuple(target.psnr_db(drawn).tolist())})


WAYS: Mapping[str, Way] = {
    "encode": shipped("encode"),
    "tune": shipped("tune"),  # hybrid is its first half, and is noted with it
    "hybrid 100 steps": shipped("hybrid", hybrid_steps=100),
    "optimise": shipped("optimise"),
    "projector W+": projector(None),
    "projector W": projector(1),
    "editability 0": shipped("hybrid", editability=0.0),
    "editability 0.25": shipped("hybrid", editability=0.25),
    "editability 0.75": shipped("hybrid", editability=0.75),
    "editability 1": shipped("hybrid", editability=1.0),
}
STEPS = ("encode", "optimise", "hybrid", "hybrid 100 steps", "tune")
TABLES = (  # a title, the methods, and the one whose people it is about
    ("Everyone who was encoded and optimised:", ("encode", "hybrid", "hybrid 100 steps"), "hybrid"),
    ("Everyone who was tuned:", STEPS, "tune"),
    ("Beside the projector:", (*STEPS, "projector W", "projector W+"), "projector W+"),
    (
        "`editability`, method hybrid (0.5 is usual):",
        ("editability 0", "editability 0.25", "hybrid", "editability 0.75", "editability 1"),
        "editability 1",
    ),
)


def people(folder: Path, generator: Generator, names: str | None) -> Iterator[Person]:
    """The people of a folder, or those named."""
    for path in sorted(folder.glob("*_neutral.jpg")):
        name = path.stem.removesuffix("_neutral")
        if names is not None and name not in names.split(","):
            continue
        photo = open_photo(path)
        cut = cut_faces([photo], frame=frame_of(generator), resolution=generator.spec.resolution)
        latent = Latent(generator.w_avg.expand(1, generator.spec.num_ws, -1), generator.fingerprint)
        base = Inversion(latent, cut.images, cut.images, cut.crops, {}, cut.fits)
        points = drawn_face(photo_from_tensor(cut.images)).landmarks[:5] - 0.5
        yield Person(name, photo, base, points)


def measured(generator: Generator, person: Person, inversion: Inversion, judges: Judges, seconds: float) -> Row:
    target, drawn = person.base.target, inversion.reconstruction
    network = with_delta(generator, inversion.delta)
    smile = move_latent(inversion.latent, load_axes(), {"happiness": 1.0})
    with torch.no_grad():
        after = network.synthesis(smile.ws)
        apart = feature_l1(discriminator_features(generator, drawn), discriminator_features(generator, target))
    change = redrawing_of(drawn, after).change
    names = load_face_model().names
    one, other = (photo_from_tensor(picture).pixels for picture in (target, drawn))
    seen = Seen(Photo(one), person.points)
    return {
        "seconds": seconds,
        "psnr_db": float(Target(target).psnr_db(drawn)),
        "ssim": _ssim(one, other),
        "features": float(apart),
        "identity": judges.distance(judges(one, seen), judges(other, seen)),
        "smile": float(np.mean([change[names.index(name)] for name in SMILES])),
    }


def _ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Mean over three scales."""
    found = []
    for step in (1, 2, 4):
        a, b = (_halved(pixels, step) for pixels in (one, other))
        found.append(structural_similarity(a, b, channel_axis=2, data_range=255.0))
    return float(np.mean(found))


def _halved(pixels: np.ndarray, step: int) -> np.ndarray:
    side = pixels.shape[0] // step
    return pixels.astype(float).reshape(side, step, side, step, 3).mean(axis=(1, 3))


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    generator, judges = load_generator("builtin"), Judges(arguments.judges)
    done = [row for row in _rows(arguments.cache) if row["generator"] == generator.fingerprint[:12]]
    known = {(row["person"], row["method"]) for row in done}
    for person in people(arguments.photos, generator, arguments.people):
        tiles: dict[str, Tiles] = {}
        for method in arguments.methods.split(","):
            if (person.name, method) in known:
                continue
            clock = Clock()
            inversion = WAYS[method](generator, person.base.target, clock)
            found = {method: (inversion, clock.spent())}
            if method == "tune":
                latent = replace(inversion.latent, delta=None)
                found = {"hybrid": (_made(generator, latent.ws, Target(person.base.target)), clock.codes)} | found
            for name, (made, seconds) in found.items():
                row = measured(generator, person, made, judges, seconds)
                with arguments.cache.open("a") as file:
                    who = {"generator": generator.fingerprint[:12], "person": person.name, "method": name}
                    file.write(json.dumps(who | row) + "\n")
                print(person.name, name, {key: round(float(value), 3) for key, value in row.items()}, flush=True)
                if arguments.sheets is not None:
                    tiles |= _tiles(generator, person, made, name)
        if tiles and arguments.sheets is not None:
            _save_sheet(arguments.sheets / f"{person.name}.png", person, tiles)


def _tiles(generator: Generator, person: Person, made: Inversion, name: str) -> dict[str, Tiles]:
    """What the generator draws, the same smiling, and the photo with that smile put back."""
    inversion = replace(person.base, latent=made.latent, reconstruction=made.reconstruction)
    edit = apply_expressions(inversion, load_axes(), {"happiness": 1.0})
    pasted = put_back(generator, person.photo, inversion, edit, mode="paste")
    with torch.no_grad():
        smiling = with_delta(generator, made.delta).synthesis(edit.latent.ws).clamp(-1, 1)
    return {name: (photo_from_tensor(made.reconstruction), photo_from_tensor(smiling), _around(person, pasted.photo))}


def _around(person: Person, photo: Photo) -> Photo:
    assert person.base.crops is not None
    quad = person.base.crops[0].quad
    left, top = (max(0, int(edge)) for edge in quad.min(0))
    right, bottom = (int(edge) for edge in quad.max(0))
    return Photo(photo.pixels[top:bottom, left:right])


def _save_sheet(path: Path, person: Person, tiles: Mapping[str, Tiles]) -> None:
    own, crop = _around(person, person.photo), photo_from_tensor(person.base.target)
    columns = [(crop, crop, own), *tiles.values()]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet(
        [list(row) for row in zip(*columns, strict=True)],
        title=path.stem,
        column_labels=["photo", *tiles],
        row_labels=["redrawn", "redrawn smiling", "put back smiling"],
        tile_px=380,
    )
    save_photo(path, sheet)


def _rows(cache: Path) -> list[Row]:
    return [json.loads(line) for line in cache.read_text().splitlines()] if cache.exists() else []


def table(arguments: argparse.Namespace) -> None:
    rows = _rows(arguments.cache)
    lines = [HEADER.format(generator=", ".join(sorted({str(row["generator"]) for row in rows})))]
    for title, methods, last in TABLES:
        names = {row["person"] for row in rows if row["method"] == last}
        if names:
            lines += ["", title, "", *_table(rows, methods, names)]
    arguments.out.write_text("\n".join(lines) + "\n")


def _table(rows: list[Row], methods: tuple[str, ...], names: set[float | str]) -> list[str]:
    keys = ("seconds", "psnr_db", "ssim", "features", "identity", "smile")
    lines = ["| method | people | CPU s | PSNR dB | SSIM | features | identity | smile |", "|---" * 8 + "|"]
    for method in methods:
        own = [row for row in rows if row["method"] == method and row["person"] in names]
        if own:
            means = [float(np.mean([float(row[key]) for row in own])) for key in keys]
            forms = (".1f", ".1f", ".3f", ".3f", ".3f", "+.3f")
            told = " | ".join(f"{value:{form}}" for value, form in zip(means, forms, strict=True))
            lines.append(f"| {method} | {len(own)} | {told} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--photos", type=Path, required=True)
    running.add_argument("--judges", type=Path, required=True)
    running.add_argument("--sheets", type=Path, default=None)
    running.add_argument("--methods", default=",".join(WAYS), help="some of " + ", ".join(WAYS))
    running.add_argument("--people", default=None, metavar="NAME,NAME", help="some of them (default all)")
    writing = commands.add_parser("table")
    writing.add_argument("-o", "--out", type=Path, required=True)
    for each in (running, writing):
        each.add_argument("--cache", type=Path, required=True)
    arguments = parser.parse_args()
    (run if arguments.command == "run" else table)(arguments)


if __name__ == "__main__":
    main()
