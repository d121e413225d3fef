"""Does an edit reach its expression and keep the person? On held-out people, by probes that took no part in fitting.

python benchmarks/expressions.py --press DIR CSV --studio DIR CSV --photos DIR [--identity MODEL.onnx] -o TABLE.md

Probes: `probes.py`. Every number is a mean over people with a 95 % bootstrap interval over people.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import held_out
import numpy as np
import torch
from edits import Bench, Way, by_axis
from probes import (
    Array,
    LabelledFeatures,
    Recogniser,
    fit_expression_probes,
    fit_identity_probe,
    likeness,
    read_features,
)
from scores import mean_of

from emogan_core.checkpoints import load_generator
from emogan_core.expressions import ExpressionAxes, LabelledLatents, label_latents, load_axes, read_face_set
from emogan_core.inversion import Edit
from emogan_core.latents import Latent

HEADER = """\
# Does an edit reach its expression and keep the person?

```
python benchmarks/expressions.py --press DIR CSV --studio DIR CSV --photos DIR -o docs/results/expressions.md
```

Probes (`benchmarks/probes.py`) are linear models of gradient histograms at 128 px, fitted on people in training, to MediaPipe's blendshape estimates and to names; they took no part in fitting the axes. Intervals are 95 %, by bootstrap over people. Controls move the same latents a step as long as the axis' own at intensity 1; "reconstruction only" moves nothing, so in mode paste it shows the loss by the reconstruction alone. The axes of sadness and disgust depend on blendshapes themselves, so their probes are not wholly independent; they measure mouth corners (sadness) and nose and upper lip (disgust), and nothing of what these edits do to the brows.
"""
INTENSITIES = (0.5, 1.0, 1.5, 2.0)


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


def along(direction: torch.Tensor) -> Way:
    """A step of the latent alone; what it does to the photo is read off the drawn faces before and after."""
    return lambda inversion, intensity: Edit(replace(inversion.latent, ws=inversion.latent.ws + intensity * direction))


def keep_people(faces: LabelledFeatures, keep: Array) -> LabelledFeatures:
    pick = lambda names: tuple(np.array(names)[keep])
    scores = {name: values[keep] for name, values in faces.scores.items()}
    return LabelledFeatures(faces.x[keep], pick(faces.people), pick(faces.expressions), scores)


def report(bench: Bench, ways: dict[str, Way], expression: str) -> list[str]:
    columns = ["way", "mode", "intensity", "probe's gain"]
    columns += ["share of a true smile"] if expression == "happiness" else []
    columns += ["likeness to the original", "drawn face, likeness to its reconstruction"]
    columns += ["recogniser's cosine to the original"] if bench.recogniser else []
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for way, edit in ways.items():
        for mode in ("motion", "paste"):
            for intensity in INTENSITIES if way == "our axis" else (1.0,):
                measured = bench.run(edit, intensity, mode, expression)
                cells = [way, mode, f"{intensity:g}", mean_of(measured.gain).text()]
                cells += [mean_of(measured.share).text()] if expression == "happiness" else []
                cells += [mean_of(measured.kept).text(), mean_of(measured.kept_drawing).text()]
                cells += [] if measured.recognised is None else [mean_of(measured.recognised).text()]
                lines.append("| " + " | ".join(cells) + " |")
                print(lines[-1], file=sys.stderr, flush=True)
    return lines


def calibration(bench: Bench, tested: LabelledFeatures) -> list[str]:
    """How well the probes do, on people they were not fitted on."""
    lines = ["| probe | correlation with the blendshapes of held-out press people |", "|---|---|"]
    for name, probe in bench.probes.items():
        r = np.corrcoef(probe.predict(tested.x), tested.scores[name])[0, 1]
        lines.append(f"| {name} | {r:.2f} |")
    same = likeness(bench.identity, bench.originals, bench.smiles)
    other = np.concatenate(
        [likeness(bench.identity, bench.originals, np.roll(bench.smiles, k, 0)) for k in range(1, len(same))]
    )
    smile = bench.probes["happiness"]
    return [
        *lines,
        "",
        f"Likeness of a person's neutral and truly smiling photo {mean_of(same).text()}, of two people {other.mean():.2f}; "
        f"same above different in {100 * (same[:, None] > other[None]).mean():.1f} % of pairs. Smile probe on neutral photos "
        f"{mean_of(smile.predict(bench.originals)).text()}, on true smiles {mean_of(smile.predict(bench.smiles)).text()}.",
    ]


def ways_of(axes: ExpressionAxes, expression: str, labelled: LabelledLatents) -> dict[str, Way]:
    """Our axis and its controls."""
    direction = axes[expression].direction
    ways = {"our axis": by_axis(axes, expression)}
    if expression in labelled.labels:
        step = class_mean_difference(labelled.latents, labelled.labels, expression, direction)
        ways["class-mean difference"] = along(step)
    ways["random direction"] = along(random_direction(direction, 0))
    if expression == "happiness":
        ways["reconstruction only"] = along(torch.full_like(direction, 1e-6))
    return ways


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--press", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--studio", nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    parser.add_argument("--photos", type=Path, help="full photos named *_neutral.jpg and *_smiling.jpg")
    parser.add_argument("--generator", default="builtin")
    parser.add_argument("--axes", default="builtin")
    parser.add_argument("--every", type=int, default=3, help="use every so many-th press picture for the probes")
    parser.add_argument("--people", type=int, default=0, help="only the first so many people")
    parser.add_argument("--expressions", nargs="*", default=["happiness", "surprise", "anger", "sadness", "disgust"])
    parser.add_argument("--identity", type=Path, help="a face recogniser as ONNX, 112 px; never shipped nor fitted on")
    parser.add_argument("-o", "--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    arguments, begin = parsed(), time.monotonic()
    generator, axes = load_generator(arguments.generator), load_axes(arguments.axes)
    subjects = held_out.studio_people(*arguments.studio)
    subjects += held_out.photo_people(arguments.photos) if arguments.photos else []
    people = held_out.inverted(generator, subjects[: arguments.people or None])
    press = read_features(*arguments.press, keep=slice(None, None, arguments.every))
    out = np.isin(press.people, sorted(held_out.people()))
    training = keep_people(press, ~out)
    bench = Bench(
        people,
        generator,
        probes=fit_expression_probes(training),
        identity=fit_identity_probe(training),
        recogniser=Recogniser(arguments.identity) if arguments.identity else None,
    )
    psnr = np.array([p.inversion.metrics["psnr_db"][0] for p in people])
    lines = [
        HEADER,
        f"{len(people)} held-out people; generator {generator.fingerprint[:12]}, axes {axes.content_fingerprint[:12]}; "
        f"probes fitted on {int((~out).sum())} press pictures. Reconstruction {mean_of(psnr).text()} dB.",
        "",
        *calibration(bench, keep_people(press, out)),
    ]
    labelled = label_latents(generator, read_face_set(*arguments.studio), aligned=True)
    for expression in arguments.expressions:
        experimental = " (experimental)" if axes[expression].experimental else ""
        rows = report(bench, ways_of(axes, expression, labelled), expression)
        lines += ["", f"## {expression}{experimental}", "", *rows]
    lines += ["", f"{time.monotonic() - begin:.0f} s."]
    arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
