"""Is a candidate for the built-in generator better than the shipped one? On people held out of training.

python benchmarks/builtin.py --press DIR CSV --studio DIR CSV [--candidate FILE --axes FILE] -o docs/results/builtin.md

Pictures are compared at 128 px. The extractors are fixed and no discriminator: gradient histograms (form) and small
colour pictures (colour), each reduced to the principal components of training faces. Edits of a candidate are measured
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
from degradations import DEGRADATIONS, degraded
from edits import Bench
from held_out import Subject, inverted, rows_of, studio_people
from pictures import SIDE, Pictures, codes_of, detected, psnr, read, reconstructed, samples, with_features
from probes import Array, fit_identity_probe, fit_smile_probe, likeness
from scipy.spatial.distance import cdist
from scores import LESS, MORE, Measure, Score, Scores, comparison, frechet_of, mean_of
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.expressions import ExpressionAxes, load_axes
from emogan_core.faces import cut
from emogan_core.networks import Generator

HEADER = """\
# The built-in generator, against the one before

```
python benchmarks/builtin.py --press DIR CSV --studio DIR CSV [--candidate FILE --axes FILE] -o docs/results/builtin.md
```

Faces of {people} people held out of training; every number has a 95 % bootstrap interval. Two generators are called different where the interval of their difference, over the same pictures, leaves 0 out; of twenty rows one may do so by chance.

- Samples: {samples} at psi 0.7 from one seed. *Form* and *colour* are Frechet distances to held-out faces in fixed features (gradient histograms; 8 px colour pictures), smaller is better; other real faces are what no generator passes; psi 1 is the whole distribution, psi 0.7 leaves out what is rare. *Precision* is the share of samples that pass for one of the held-out faces, *recall* the share of held-out faces that pass for a sample, by form: nearer to one than its third neighbour among its own (Kynkaanniemi et al. 2019). *Sharpness* is the mean gradient over that of real faces at 128 px. *Broken* is the share in which the program's own face finder detects no face. *Nearest* is the mean cosine of 16 px gray pictures between samples and their nearest training face; far more than real faces' own would mean that people were memorised.
- Reconstruction: one pass of the encoder on held-out faces, at 128 px. Likeness is by a linear probe of identity (strangers {strangers:.2f}). *When* they are blurred, compressed, dark or half covered (`benchmarks/degradations.py`), likeness is to the clean picture. *People told apart by their codes*: how often a code is nearer to that of another picture of the same person than to a stranger's (cosine of whitened codes; 0.5 is chance).
- Edits: {edited} held-out studio people, inverted by method {method} (the program's own is hybrid), happiness along the axes of the generator, put back in mode motion. Inversion is compared at 128 px, whatever the generator draws. The *share of a true smile* is by a linear probe of smiles, the same people's smiling photos being 1. An edit that does little keeps the likeness: compare it *at half a true smile*, read off between the intensities. Under real faces stands what the true smile does to the likeness. Probes: `benchmarks/probes.py`; more edits: docs/results/judged-edits.md.
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
    Measure("reconstructed press faces, dB", ".1f", aim=MORE),
    Measure("reconstructed studio faces, dB", ".1f", aim=MORE),
    Measure("reconstructed press faces, sharpness", aim=1.0),
    Measure("reconstructed press faces, likeness", aim=MORE),
    *(Measure(f"likeness when {name}", aim=MORE) for name in DEGRADATIONS),
    Measure("people told apart by their codes", ".3f", aim=MORE),
    Measure("inversion, dB", ".1f", aim=MORE),
    Measure("likeness, photo to inversion", aim=MORE),
    Measure("likeness, photo to edit at 1", aim=None),
    Measure("likeness, photo to edit at half a true smile", aim=MORE),
    # an intensity should give that share of a smile; beyond 1 faces differ in how much further they go
    *(Measure(f"share of a true smile at {x:g}", aim=x if x <= 1 else None) for x in INTENSITIES),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What generators are compared on: training and held-out faces, fixed extractors, probes, people to edit."""

    training: Pictures
    held_out: Pictures
    studio: Pictures
    spaces: Mapping[str, PCA]
    smile: Pipeline
    identity: Pipeline
    subjects: Sequence[Subject]


def gathered(arguments: argparse.Namespace) -> Reference:
    training = read(arguments.press[0], rows_of(arguments.press[1], held_out=False), most=3000)
    labelled = training.labelled()
    return Reference(
        training=training,
        held_out=read(arguments.press[0], rows_of(arguments.press[1], held_out=True), most=600),
        studio=read(arguments.studio[0], rows_of(arguments.studio[1], held_out=True), most=40),
        spaces={
            "form": PCA(COMPONENTS, random_state=0).fit(training.form),
            "colour": PCA(COMPONENTS, random_state=0).fit(training.colour),
        },
        smile=fit_smile_probe(labelled),
        identity=fit_identity_probe(labelled),
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


def nearest(images: Tensor, others: Tensor, *, itself: bool = False) -> Array:
    """[n]: cosine to the nearest of other faces, of gray 16 px pictures without mean and contrast."""

    def signature(x: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(x.mean(1, keepdim=True), 16).flatten(1)
        return F.normalize(small - small.mean(1, keepdim=True), dim=1)

    best = (signature(images) @ signature(others).T).topk(2, dim=1).values
    return np.asarray(best[:, 1 if itself else 0].double().numpy())


def distances(pictures: Pictures, reference: Reference, *, end: str = "") -> Scores:
    return {
        f"{kind}{end}": distance(getattr(pictures, kind), getattr(reference.held_out, kind), space)
        for kind, space in reference.spaces.items()
    }


def of_samples(pictures: Pictures, reference: Reference, *, itself: bool = False) -> Scores:
    held_out, space = reference.held_out, reference.spaces["form"]
    ours, real = space.transform(pictures.form), space.transform(held_out.form)
    return {
        **distances(pictures, reference),
        "precision": mean_of(passing(ours, real)),
        "recall": mean_of(passing(real, ours)),
        "sharpness": mean_of(pictures.sharpness / held_out.sharpness.mean()),
        "broken": mean_of(1 - detected(pictures.images)),
        "nearest": mean_of(nearest(pictures.images, reference.training.images, itself=itself)),
    }


def of_reconstruction(generator: Generator, reference: Reference) -> Scores:
    press, studio = (reconstructed(generator, pictures) for pictures in (reference.held_out, reference.studio))
    return {
        "reconstructed press faces, dB": mean_of(psnr(press, reference.held_out)),
        "reconstructed studio faces, dB": mean_of(psnr(studio, reference.studio)),
        "reconstructed press faces, sharpness": mean_of(press.sharpness / reference.held_out.sharpness.mean()),
        "reconstructed press faces, likeness": mean_of(
            likeness(reference.identity, press.form, reference.held_out.form)
        ),
        **{
            f"likeness when {name}": mean_of(likeness(reference.identity, one.form, reference.held_out.form))
            for name, one in of_degraded(generator, reference.held_out)
        },
        "people told apart by their codes": mean_of(
            told_apart(codes_of(generator, reference.held_out.images), reference.held_out.names)
        ),
    }


def of_degraded(generator: Generator, pictures: Pictures) -> Iterator[tuple[str, Pictures]]:
    """Reconstructions of the pictures degraded in each way."""
    for name, degradation in DEGRADATIONS.items():
        images = degraded(pictures.images, degradation)
        yield name, reconstructed(generator, replace(pictures, images=images))


def told_apart(ws: Tensor, names: Sequence[str]) -> Array:
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


def of_edits(generator: Generator, axes: ExpressionAxes | None, reference: Reference, *, method: str) -> Scores:
    people = inverted(generator, reference.subjects, method=method)
    bench = Bench(people, generator, smile=reference.smile, identity=reference.identity)
    drawn = with_features(torch.cat([person.inversion.reconstruction for person in people]))
    target = with_features(torch.cat([cut(one.photo, one.crop, SIDE) for one in reference.subjects]))
    scores = {
        "inversion, dB": mean_of(psnr(drawn, target)),
        "likeness, photo to inversion": mean_of(bench.kept_by_inversion),
    }
    if axes is None:
        return scores
    edits = {x: bench.run(axes, x) for x in INTENSITIES}
    shares = {x: mean_of(one.share) for x, one in edits.items()}
    kept = {x: mean_of(one.kept) for x, one in edits.items()}
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
    generator: Generator, axes: ExpressionAxes | None, reference: Reference, options: argparse.Namespace
) -> Scores:
    return {
        **of_samples(samples(generator, options.samples), reference),
        **distances(samples(generator, options.samples, psi=1.0), reference, end=" at psi 1"),
        **of_reconstruction(generator, reference),
        **of_edits(generator, axes, reference, method=options.method),
    }


def of_real_faces(reference: Reference, count: int) -> Scores:
    real = reference.training.part(slice(None, None, max(1, len(reference.training.form) // count)))
    neutral, smiling = true_pairs(reference.studio)
    return {
        **of_samples(real, reference, itself=True),
        "likeness, photo to edit at 1": mean_of(likeness(reference.identity, neutral, smiling)),
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
            "fit them again with emogan_core.training.designed_axes, or leave them out"
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
    reference = gathered(arguments)
    columns = {"real faces": of_real_faces(reference, arguments.samples)}
    for title, (generator, axes) in generators.items():
        columns[title] = of_generator(generator, axes, reference, arguments)
        print(f"{title}: {time.monotonic() - begin:.0f} s", flush=True)
    form = reference.held_out.form
    header = HEADER.format(
        people=len({*reference.held_out.names, *reference.studio.names}),
        samples=arguments.samples,
        strangers=likeness(reference.identity, form, np.roll(form, 1, axis=0)).mean(),
        edited=len(reference.subjects),
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
