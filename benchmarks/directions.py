"""Directions of rivals on the same latents: who is still the person once the expression has changed as much?

python benchmarks/directions.py --press DIR CSV --studio DIR CSV --judges DIR --cache DIR -o docs/results/directions.md

Goes on where it was stopped; what is in the cache is not fitted or drawn again. Every direction is fitted on the codes of the same pictures of people in training, and moves
the codes of neutral faces of held-out people.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import held_out
import numpy as np
import torch
from directions_codes import Array, CodedFaces, coded_faces
from judged_edits_people import _module as module_of
from scores import Score, picks

from emogan_core import FitConfig, Generator, Latent, StepConfig, fit_expressions, load_generator, photo_from_tensor
from emogan_core.errors import FaceError
from emogan_core.expressions.steps import Model
from emogan_core.faces import whole_crop
from emogan_core.faces.find import refine

HEADER = """\
# Directions of rivals on the same latents

```
python benchmarks/directions.py --press DIR CSV --studio DIR CSV --judges DIR --cache DIR -o docs/results/directions.md
```

{trained} pictures of people in training, encoded by the built-in generator's encoder ({generator}); every direction is fitted on the mean rows of these codes and moves all rows of the codes of {tested} neutral faces of held-out people. Each is drawn at {steps} multiples of a length at which a ridge regression on the training codes reads the typical example; what is compared are numbers where the mean gain in log-odds of an expression net (`--judges`, which measures and chooses nothing) is that of *pattern* at intensity 1, between the two multiples that enclose it. *Identity*: distance of a face recogniser's descriptor to the picture before. *Covariates*: mean over yaw, pitch and roll (the package's own landmark net), brightness and estimated age of the size of the mean change, in standard deviations over the pictures before. *Monotone*: share of faces whose log-odds rise with every step from 0 on. Intervals: 95 %, bootstrap over people, paired in the last two columns. Goals: identity drift at most half of the best rival's, covariate drift a quarter.
"""
MULTIPLES = (0.5, 1.0, 1.5, 2.25, 3.0)
COVARIATES = ("yaw", "pitch", "roll", "brightness", "age")
OWN = ("pattern", "pattern, identity and covariates held", "readout within people, covariates held")
NOT_REAL = ("PCA component that tells them best", "random direction")
LABEL = {"happiness": "happy", "surprise": "surprised"}
Directions = dict[str, Array]


def own_directions(train: CodedFaces, rows: Array, expression: str) -> Directions:
    """[w_dim] each, by this package."""
    pose = train.pose[rows]
    covariates = {name: pose[:, column].tolist() for column, name in enumerate(("yaw_deg", "pitch_deg", "roll_deg"))}
    covariates["brightness"] = train.brightness[rows].tolist()
    ways: dict[str, tuple[Model, StepConfig]] = {
        OWN[0]: ("pattern", StepConfig()),
        OWN[1]: ("pattern", StepConfig(hold_identity=True, hold_covariates=tuple(covariates))),
        OWN[2]: ("readout", StepConfig(hold_covariates=tuple(covariates))),
    }
    directions = {}
    for way, (model, steps) in ways.items():
        axes = fit_expressions(
            Latent(train.ws[rows], "0" * 64),
            train.column("expression")[rows].tolist(),
            people=train.column("person")[rows].tolist(),
            covariates=covariates,
            model=model,
            config=FitConfig(steps=steps),
        )
        directions[way] = axes[expression].direction[0].double().numpy()
    return directions


def rival_directions(codes: Array, positive: Array, rng: np.random.Generator) -> Directions:
    """[w_dim] each, of the literature; scikit-learn with its defaults but for the number of steps."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.metrics import roc_auc_score
    from sklearn.svm import LinearSVC

    components = PCA(100, random_state=0).fit(codes)
    areas = np.array([roc_auc_score(positive, codes @ one) for one in components.components_])
    nearest = int(np.argmax(np.abs(areas - 0.5)))
    drawn = np.cov(codes.T) @ rng.normal(size=codes.shape[1])
    return {
        "linear SVM (InterFaceGAN)": LinearSVC(dual=False).fit(codes, positive).coef_[0],
        "class-mean difference": codes[positive].mean(0) - codes[~positive].mean(0),
        "plain logistic regression": LogisticRegression(max_iter=2000).fit(codes, positive).coef_[0],
        "ridge regression": Ridge().fit(codes, positive).coef_,
        NOT_REAL[0]: components.components_[nearest] * np.sign(areas[nearest] - 0.5),
        NOT_REAL[1]: drawn,
    }


def scaled(directions: Directions, codes: Array, positive: Array) -> Directions:
    """Lengths at which ridge regression reads the difference of the two classes; random ones no longer than the mean's."""
    from sklearn.linear_model import Ridge

    slope = Ridge(100.0).fit(codes, positive).coef_
    difference = codes[positive].mean(0) - codes[~positive].mean(0)
    wanted, longest = float(slope @ difference), 2.0 * float(np.linalg.norm(difference))
    found = {}
    for way, one in directions.items():
        rise = float(slope @ one)
        one = one * np.sign(rise) * min(wanted / max(abs(rise), 1e-12), longest / float(np.linalg.norm(one)))
        found[way] = one
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is measured of pictures: log-odds [n], descriptors [n, 128], covariates [n, 5]."""

    log_odds: Array
    descriptors: Array
    covariates: Array


class Meter:
    """Draws codes and measures the pictures; boxes are those of the pictures before."""

    def __init__(self, generator: Generator, judges: Path) -> None:
        nets = module_of(judges / "face_api.py")
        self.generator, self.nets = generator, nets
        self.expression, self.identity, self.looks = nets.Expression(), nets.Identity(), nets.AgeGender()

    @torch.inference_mode()
    def __call__(self, ws: torch.Tensor, label: str, points: Array | None = None) -> tuple[Drawn, Array]:
        images = torch.cat([self.generator.synthesis(part) for part in ws.split(16)])
        photos = [photo_from_tensor(image[None]) for image in images]
        faces = [refine(photo, [whole_crop(photo, "tight").quad])[0] for photo in photos]
        found = np.stack([face.landmarks[:5] - 0.5 for face in faces])
        points = found if points is None else points
        pixels = torch.from_numpy(np.stack([photo.pixels for photo in photos]))
        boxes = torch.stack([self.nets.face_box(one, pixels[0]) for one in points])
        eyes = found[:, 1] - found[:, 0]
        covariates = np.stack(
            [
                [face.yaw_deg for face in faces],
                [face.pitch_deg for face in faces],
                np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0])),
                images.mean((1, 2, 3)).double().numpy(),
                self.looks(pixels, boxes).age.double().numpy(),
            ],
            axis=1,
        )
        log_odds = self.expression.log_odds(pixels, boxes, label=label).double().numpy()
        return Drawn(log_odds, self.identity(pixels, boxes).double().numpy(), covariates), points


def measured(
    meter: Meter, ws: torch.Tensor, directions: Directions, label: str, cache: Path
) -> tuple[Drawn, dict[str, list[Drawn]]]:
    """The pictures before, and each direction's at every multiple; what is in the cache is read."""
    before, points = meter(ws, label)
    after: dict[str, list[Drawn]] = {}
    for way, one in directions.items():
        kept = (
            cache / f"log_odds_{label}_{''.join(c for c in way if c.isalnum())}_{len(ws)}_{np.abs(one).sum():.6f}.npz"
        )
        if not kept.exists():
            moved = [meter(ws + torch.from_numpy(a * one).float(), label, points)[0] for a in MULTIPLES]
            np.savez(
                kept,
                log_odds=[d.log_odds for d in moved],
                descriptors=[d.descriptors for d in moved],
                covariates=[d.covariates for d in moved],
            )
            print(f"{label}: {way}", flush=True)
        with np.load(kept) as stored:
            after[way] = [
                Drawn(*(stored[name][k] for name in ("log_odds", "descriptors", "covariates")))
                for k in range(len(MULTIPLES))
            ]
    return before, after


@dataclass(frozen=True, slots=True)
class Curve:
    """Per face and multiple, 0 in front: gain [m, n], distance [m, n], covariates' change in sd [m, n, 5]."""

    gain: Array
    distance: Array
    change: Array

    def at(self, wanted: float, rows: Array) -> tuple[float, float]:
        """Identity and covariate drift of some faces where their mean gain is as wanted; NaN where it never is."""
        gain = self.gain[:, rows].mean(1)
        far = np.flatnonzero(gain >= wanted)
        if not len(far) or far[0] == 0:
            return float("nan"), float("nan")
        high = int(far[0])
        share = (wanted - gain[high - 1]) / (gain[high] - gain[high - 1])
        distance = self.distance[:, rows].mean(1)
        change = self.change[:, rows].mean(1)
        between = lambda values: (1 - share) * values[high - 1] + share * values[high]
        return float(between(distance)), float(np.abs(between(change)).mean())


def curve_of(before: Drawn, after: Sequence[Drawn]) -> Curve:
    """From 0 on upwards."""
    upward = [one for one in after]
    sd = before.covariates.std(0)
    every = [before, *upward]
    return Curve(
        np.stack([one.log_odds - before.log_odds for one in every]),
        np.stack([np.linalg.norm(one.descriptors - before.descriptors, axis=1) for one in every]),
        np.stack([(one.covariates - before.covariates) / sd for one in every]),
    )


def table(before: Drawn, after: Mapping[str, list[Drawn]], expression: str) -> list[str]:
    curves = {way: curve_of(before, drawn) for way, drawn in after.items()}
    everybody = np.arange(len(before.log_odds))
    wanted = float(curves[OWN[0]].gain[2].mean())
    draws = picks(len(everybody))
    drift = {
        way: (curve.at(wanted, everybody), np.array([curve.at(wanted, rows) for rows in draws]))
        for way, curve in curves.items()
    }
    rivals = {way: drift[way][0] for way in curves if way not in OWN + NOT_REAL and not np.isnan(drift[way][0][0])}
    best = [min(rivals, key=lambda way: rivals[way][column]) for column in (0, 1)]
    lines = [
        f"\n## {expression.capitalize()}, at a gain of {wanted:.1f} in log-odds\n",
        f"The rival with the least identity drift is {best[0]}, with the least covariate drift {best[1]}.\n",
        "| direction | gain at 3 lengths | identity drift | covariate drift | monotone | identity, over the best rival's | covariates, over the best rival's |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, curve in curves.items():
        value, drawn = drift[way]
        cells = [way, f"{curve.gain[-1].mean():.1f}"]
        if np.isnan(value[0]):
            cells += ["not reached", "not reached"]
        else:
            cells += [Score(value[column], _known(drawn[:, column])).text(".3f") for column in (0, 1)]
        cells.append(f"{np.mean((np.diff(curve.gain, axis=0) > 0).all(0)):.2f}")
        for column in (0, 1):
            base = drift[best[column]]
            ratio = Score(value[column] / base[0][column], _known(drawn[:, column] / base[1][:, column]))
            cells.append("" if np.isnan(value[0]) else ratio.text())
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _known(draws: Array) -> Array:
    return np.asarray(draws[~np.isnan(draws)])


def chosen(faces: CodedFaces, keep: Callable[[dict[str, str]], bool]) -> Array:
    return np.array([row for row, about in enumerate(faces.rows) if keep(about)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--press", "--studio"):
        parser.add_argument(name, nargs=2, metavar=("DIR", "CSV"), type=Path, required=True)
    parser.add_argument("--judges", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--expressions", nargs="*", default=list(LABEL))
    parser.add_argument("--people", type=int, default=40, help="so many held-out people, one neutral picture of each")
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    generator = load_generator(arguments.generator)
    faces = coded_faces(generator, [tuple(arguments.press), tuple(arguments.studio)], arguments.cache)
    out = held_out.people()
    first: dict[str, int] = {}
    for row in chosen(faces, lambda about: about["person"] in out and about["expression"] == "neutral"):
        first.setdefault(faces.rows[row]["person"], int(row))
    studio = [row for row in first.values() if "colour" not in faces.rows[row]]  # in colour, and sharp
    tested = [*studio, *(row for row in first.values() if row not in studio)][: arguments.people]
    meter = Meter(generator, arguments.judges)
    lines: list[str] = []
    counted = 0
    for expression in arguments.expressions:
        rows = chosen(
            faces, lambda about, own=expression: about["person"] not in out and about["expression"] in ("neutral", own)
        )
        codes, positive = faces.mean_rows[rows], faces.column("expression")[rows] == expression
        counted = max(counted, len(rows))
        kept = arguments.cache / f"{generator.fingerprint[:12]}_{expression}_{len(rows)}.npz"
        if not kept.exists():
            directions = own_directions(faces, rows, expression)
            directions |= rival_directions(codes, positive, np.random.default_rng(0))
            np.savez(kept, **scaled(directions, codes, positive))
            print(f"{expression}: directions fitted", flush=True)
        with np.load(kept) as stored:
            directions = dict(stored)
        try:
            before, after = measured(meter, faces.ws[tested], directions, LABEL[expression], arguments.cache)
        except FaceError as error:
            raise SystemExit(f"no measure: {error}") from error
        lines += table(before, after, expression)
    header = HEADER.format(
        generator=generator.fingerprint[:12], trained=counted, tested=len(tested), steps=len(MULTIPLES)
    )
    arguments.out.write_text(header + "\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
