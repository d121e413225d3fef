"""Is a candidate for the built-in generator better than the shipped one? On people held out of training.

python benchmarks/builtin.py --press DIR CSV --studio DIR CSV [--candidate FILE --axes FILE] -o docs/builtin.md

Pictures are compared at 128 px. The extractors are fixed and no discriminator: gradient histograms (form) and small
colour pictures (colour), each reduced to the principal components of training faces. Edits of a candidate are judged
when its axes have been fitted and are given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from edits import Bench, by_axis
from held_out import Subject, inverted, rows_of, studio_people
from judges import Array, fit_expression_judges, fit_identity_judge, likeness
from pictures import SIDE, Pictures, codes_of, found, invented, psnr, read, redrawn, seen
from scipy.spatial.distance import cdist
from scores import LESS, MORE, Measure, Score, Scores, comparison, frechet_of, mean_of
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from torch import Tensor
from wearing import WEARS, worn

from emogan_core.checkpoints import load_generator
from emogan_core.expressions import ExpressionAxes, load_axes
from emogan_core.faces import cut
from emogan_core.networks import Generator

HEADER = """\
# The built-in generator, against the one before

```
python benchmarks/builtin.py --press DIR CSV --studio DIR CSV [--candidate FILE --axes FILE] -o docs/builtin.md
```

Faces of {people} people held out of training; every number has a 95 % bootstrap interval. Two generators are called different where the interval of their difference, over the same pictures, leaves 0 out; of twenty rows one may do so by chance.

- Samples: {samples} at psi 0.7 from one seed. *Form* and *colour* are Frechet distances to held-out faces in fixed features (gradient histograms; 8 px colour pictures), smaller is better; other real faces are what no generator passes; psi 1 is the whole distribution, psi 0.7 leaves out what is rare. *Precision* is the share of samples that pass for one of the held-out faces, *recall* the share of held-out faces that pass for a sample, by form: nearer to one than its third neighbour among its own (Kynkaanniemi et al. 2019). *Sharpness* is the mean gradient over that of real faces at 128 px. *Broken* is the share in which the program's own face finder sees no face. *Nearest* is the mean cosine of 16 px gray pictures between samples and their nearest training face; far more than real faces' own would mean that people were memorised.
- Redrawn: one pass of the encoder on held-out faces, at 128 px. Likeness is by a linear judge of identity (strangers {strangers:.2f}). *When* they come blurred, compressed, dark or half covered (`benchmarks/wearing.py`), likeness is to the clean picture. *People told by their codes*: how often a code is nearer to that of another picture of the same person than to a stranger's (cosine of whitened codes; 0.5 is chance).
- Edits: {edited} held-out studio people, inverted by method {method} (the program's own is hybrid), happiness along the axes of the generator, put back in mode motion. Inversion is compared at 128 px, whatever the generator draws. The *share of a true smile* is by a linear judge of smiles, the same people's smiling photos being 1. An edit that does little keeps the likeness: compare it *at half a true smile*, read off between the intensities. Under real faces stands what the true smile does to the likeness. Judges: `benchmarks/judges.py`; more edits: docs/expressions.md.
"""
COMPONENTS = 48
HALF = 0.5  # of a true smile
INTENSITIES = (0.5, 1.0, 1.5, 2.0)
MEASURES = (
    Measure("form", ".3f", aim=LESS),
    Measure("colour", ".3f", aim=LESS),
    Measure("form at psi 1", ".3f", aim=LESS),
    Measure("colour at psi 1", ".3f", aim=LESS),
    Measure("precision", ".3f", aim=MORE),
    Measure("recall", ".3f", aim=MORE),
    Measure("sharpness", aim=1.0),
    Measure("broken", ".1%", aim=LESS),
    Measure("nearest", ".3f"),
    Measure("redrawn press faces, dB", ".1f", aim=MORE),
    Measure("redrawn studio faces, dB", ".1f", aim=MORE),
    Measure("redrawn press faces, sharpness", aim=1.0),
    Measure("redrawn press faces, likeness", aim=MORE),
    *(Measure(f"likeness when {wear}", aim=MORE) for wear in WEARS),
    Measure("people told by their codes", ".3f", aim=MORE),
    Measure("inversion, dB", ".1f", aim=MORE),
    Measure("likeness, photo to inversion", aim=MORE),
    Measure("likeness, photo to edit at 1", aim=None),
    Measure("likeness, photo to edit at half a true smile", aim=MORE),
    # an intensity is meant to be that much of a smile; beyond 1 faces differ in how much more they can
    *(Measure(f"share of a true smile at {x:g}", aim=x if x <= 1 else None) for x in INTENSITIES),
)


@dataclass(frozen=True, slots=True)
class Against:
    """What generators are held against: known and held-out faces, fixed extractors, judges, people to edit."""

    known: Pictures
    strange: Pictures
    studio: Pictures
    spaces: Mapping[str, PCA]
    smile: Pipeline
    identity: Pipeline
    subjects: Sequence[Subject]


def gathered(arguments: argparse.Namespace) -> Against:
    known = read(arguments.press[0], rows_of(arguments.press[1], held_out=False), most=3000)
    labelled = known.labelled()
    return Against(
        known=known,
        strange=read(arguments.press[0], rows_of(arguments.press[1], held_out=True), most=600),
        studio=read(arguments.studio[0], rows_of(arguments.studio[1], held_out=True), most=40),
        spaces={
            "form": PCA(COMPONENTS, random_state=0).fit(known.form),
            "colour": PCA(COMPONENTS, random_state=0).fit(known.colour),
        },
        smile=fit_expression_judges(labelled, names=("happiness",))["happiness"],
        identity=fit_identity_judge(labelled),
        subjects=studio_people(*arguments.studio)[: arguments.people],
    )


def distance(a: Array, b: Array, space: PCA) -> Score:
    """The Frechet distance in a space's components, per component variance."""
    size = np.sqrt(space.explained_variance_.sum())
    return frechet_of(space.transform(a) / size, space.transform(b) / size)


def passing(a: Array, b: Array) -> Array:
    """[n]: 1 for each row of a [n, d] that is nearer to some row of b [m, d] than that row's third neighbour in b."""
    radius = np.sort(cdist(b, b), axis=1)[:, 3]  # the first is the row itself
    return np.asarray((cdist(a, b) <= radius).any(axis=1).astype(np.float64))


def nearest(images: Tensor, known: Tensor, *, itself: bool = False) -> Array:
    """[n]: cosine to the nearest known face, of gray 16 px pictures without mean and contrast."""

    def signature(x: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(x.mean(1, keepdim=True), 16).flatten(1)
        return F.normalize(small - small.mean(1, keepdim=True), dim=1)

    best = (signature(images) @ signature(known).T).topk(2, dim=1).values
    return np.asarray(best[:, 1 if itself else 0].double().numpy())


def apart(pictures: Pictures, against: Against, *, end: str = "") -> Scores:
    return {
        f"{kind}{end}": distance(getattr(pictures, kind), getattr(against.strange, kind), space)
        for kind, space in against.spaces.items()
    }


def of_samples(pictures: Pictures, against: Against, *, itself: bool = False) -> Scores:
    strange, space = against.strange, against.spaces["form"]
    ours, real = space.transform(pictures.form), space.transform(strange.form)
    return {
        **apart(pictures, against),
        "precision": mean_of(passing(ours, real)),
        "recall": mean_of(passing(real, ours)),
        "sharpness": mean_of(pictures.sharpness / strange.sharpness.mean()),
        "broken": mean_of(1 - found(pictures.images)),
        "nearest": mean_of(nearest(pictures.images, against.known.images, itself=itself)),
    }


def of_redrawing(generator: Generator, against: Against) -> Scores:
    press, studio = (redrawn(generator, pictures) for pictures in (against.strange, against.studio))
    return {
        "redrawn press faces, dB": mean_of(psnr(press, against.strange)),
        "redrawn studio faces, dB": mean_of(psnr(studio, against.studio)),
        "redrawn press faces, sharpness": mean_of(press.sharpness / against.strange.sharpness.mean()),
        "redrawn press faces, likeness": mean_of(likeness(against.identity, press.form, against.strange.form)),
        **{
            f"likeness when {name}": mean_of(likeness(against.identity, one.form, against.strange.form))
            for name, one in of_worn(generator, against.strange)
        },
        "people told by their codes": mean_of(told(codes_of(generator, against.strange.images), against.strange.names)),
    }


def of_worn(generator: Generator, pictures: Pictures) -> Iterator[tuple[str, Pictures]]:
    """What the encoder makes of the pictures worn in each way."""
    for name, wear in WEARS.items():
        yield name, redrawn(generator, replace(pictures, images=worn(pictures.images, wear)))


def told(ws: Tensor, names: Sequence[str]) -> Array:
    """For each code of a person with several: the share of strangers' codes less alike than those of the same person."""
    w = ws.mean(dim=1).double()
    w = w - w.mean(0)
    values, vectors = torch.linalg.eigh(w.T @ w / len(w))
    white = F.normalize(w @ vectors / values.clamp_min(values.max() * 1e-6).sqrt(), dim=1)
    alike = (white @ white.T).numpy()
    people = np.array(names)
    shares = []
    for index, person in enumerate(people):
        others = people == person
        strangers = alike[index, ~others]
        others[index] = False
        if others.any():
            shares.append(np.mean(strangers[:, None] < alike[index, others]))
    return np.array(shares)


def of_edits(generator: Generator, axes: ExpressionAxes | None, against: Against, *, method: str) -> Scores:
    people = inverted(generator, against.subjects, method=method)
    bench = Bench(people, generator, judges={"happiness": against.smile}, identity=against.identity)
    drawn = seen(torch.cat([person.inversion.reconstruction for person in people]))
    wanted = seen(torch.cat([cut(one.photo, one.crop, SIDE) for one in against.subjects]))
    scores = {
        "inversion, dB": mean_of(psnr(drawn, wanted)),
        "likeness, photo to inversion": mean_of(bench.kept_by_inversion),
    }
    if axes is None:
        return scores
    edit = by_axis(axes, "happiness")
    judged = {x: bench.run(edit, x, "motion", "happiness") for x in INTENSITIES}
    shares = {x: mean_of(one.share) for x, one in judged.items()}
    kept = {x: mean_of(one.kept) for x, one in judged.items()}
    return scores | {
        "likeness, photo to edit at 1": kept[1.0],
        "likeness, photo to edit at half a true smile": at_share(list(shares.values()), list(kept.values()), HALF),
        **{f"share of a true smile at {x:g}": share for x, share in shares.items()},
    }


def at_share(shares: Sequence[Score], kept: Sequence[Score], share: float) -> Score:
    """The likeness where a given share of a true smile is reached, between intensities; 1 where nothing is done."""

    def between(x: Sequence[float], y: Sequence[float]) -> float:
        return float(np.interp(share, np.maximum.accumulate([0.0, *x]), [1.0, *y]))

    x, y = (np.stack([score.draws for score in scores], axis=1) for scores in (shares, kept))  # [draws, intensities]
    value = between([score.value for score in shares], [score.value for score in kept])
    return Score(value, np.array([between(a, b) for a, b in zip(x, y, strict=True)]))


def of_generator(
    generator: Generator, axes: ExpressionAxes | None, against: Against, options: argparse.Namespace
) -> Scores:
    return {
        **of_samples(invented(generator, options.samples), against),
        **apart(invented(generator, options.samples, psi=1.0), against, end=" at psi 1"),
        **of_redrawing(generator, against),
        **of_edits(generator, axes, against, method=options.method),
    }


def of_reality(against: Against, samples: int) -> Scores:
    real = against.known.part(slice(None, None, max(1, len(against.known.form) // samples)))
    neutral, smiling = true_pairs(against.studio)
    return {
        **of_samples(real, against, itself=True),
        "likeness, photo to edit at 1": mean_of(likeness(against.identity, neutral, smiling)),
    }


def true_pairs(studio: Pictures) -> tuple[Array, Array]:
    """Features of the same people, neutral and smiling."""
    at = {(row["person"], row["expression"]): index for index, row in enumerate(studio.rows)}
    people = sorted(person for person, expression in at if expression == "happiness" and (person, "neutral") in at)
    neutral, smiling = ([at[person, name] for person in people] for name in ("neutral", "happiness"))
    return studio.form[neutral], studio.form[smiling]


def opened(source: str | Path, axes: str | Path | None) -> tuple[Generator, ExpressionAxes | None]:
    """A generator with its axes, checked to belong together before the long work."""
    generator = load_generator(source)
    fitted = None if axes is None else load_axes(axes)
    if fitted is not None and fitted.fingerprint != generator.fingerprint:
        raise SystemExit(
            f"the axes were fitted on {fitted.fingerprint[:12]}, the generator is {generator.fingerprint[:12]}; "
            "fit them again with emogan_core.training.axes --generator, or leave them out"
        )
    return generator, fitted


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--press", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--studio", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--candidate", type=Path)
    parser.add_argument("--axes", type=Path, help="axes fitted for the candidate; without them its edits stay empty")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--people", type=int, default=20, help="studio people whose smiles are edited")
    parser.add_argument("--method", choices=("hybrid", "encode"), default="hybrid", help="how they are inverted")
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    if arguments.axes and not arguments.candidate:
        parser.error("--axes came without --candidate, whose axes they are; give both")
    return arguments


def main() -> None:
    arguments, begin = parsed(), time.monotonic()
    generators = {"shipped": opened("builtin", "builtin")}
    if arguments.candidate:
        generators["candidate"] = opened(arguments.candidate, arguments.axes)
    against = gathered(arguments)
    columns = {"real faces": of_reality(against, arguments.samples)}
    for title, (generator, axes) in generators.items():
        columns[title] = of_generator(generator, axes, against, arguments)
        print(f"{title}: {time.monotonic() - begin:.0f} s", flush=True)
    strange = against.strange.form
    header = HEADER.format(
        people=len({*against.strange.names, *against.studio.names}),
        samples=arguments.samples,
        strangers=likeness(against.identity, strange, np.roll(strange, 1, axis=0)).mean(),
        edited=len(against.subjects),
        method=arguments.method,
    )
    which = [f"{title} `{generator.fingerprint[:12]}`" for title, (generator, _) in generators.items()]
    which += ["no axes were given for the candidate"] if arguments.candidate and not arguments.axes else []
    text = "\n".join([header, "; ".join(which) + ".", "", *comparison(columns, MEASURES), ""])
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
