"""Does an encoder that `emogan train-encoder` made help? Inverting photos of held-out people from four starts.

python benchmarks/encoder_training.py run TRAINED --press DIR CSV --studio DIR CSV --cache FILE [--people N] [--sheet OUT.png]
python benchmarks/encoder_training.py table --cache FILE -o docs/results/encoder-training.md

TRAINED is the generator whose encoder is in question; `emogan train-encoder builtin --again` makes one that its own
encoder can be compared with. One line for each picture goes into the cache; a run goes on where one was stopped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from held_out import rows_of
from torch import Tensor

from emogan_core.checkpoints import load_generator
from emogan_core.images import open_photo, photo_from_tensor, save_photo, tensor_from_photo
from emogan_core.inversion import OptimiseConfig
from emogan_core.inversion.guess import first_guess
from emogan_core.inversion.methods import descend
from emogan_core.inversion.objective import Target
from emogan_core.networks import Generator
from emogan_core.progress import StepReport
from emogan_core.sheets import contact_sheet
from emogan_core.weights import read_header

HEADER = """\
# An encoder trained on a generator's own samples: what it gains

```
python benchmarks/encoder_training.py run TRAINED --press DIR CSV --studio DIR CSV --cache FILE
python benchmarks/encoder_training.py table --cache FILE -o docs/results/encoder-training.md
```

The built-in generator of 128 px as if it had come without encoder and discriminator. {how} {pictures} neutral pictures of people that no training saw, half of them from the press and half from a studio, each optimised for 200 steps from four starts at the shipped rates. Mean PSNR of the whole crop in dB after so many steps; in brackets on how many pictures the trained encoder's start is ahead of this one.
"""
STARTS = ("average face", "best of 64 samples", "trained encoder", "built-in's own encoder")
TRAINED = STARTS[2]
STEPS = (0, 10, 25, 50, 100, 200)
Row = dict[str, object]


def pictures(sets: list[tuple[Path, Path]], count: int, side: int) -> dict[str, Tensor]:
    """Neutral pictures [1, 3, side, side] of held-out people by file, taking turns between the sets."""
    found: list[list[tuple[str, Tensor]]] = []
    each = -(-count // len(sets))
    for folder, table in sets:
        people = {row["person"]: row for row in rows_of(table, held_out=True) if row["expression"] == "neutral"}
        rows = list(people.values())[:: max(1, len(people) // each)][:each]
        files = [row["file"] for row in rows]
        found.append([(file, _read(folder / file, side)) for file in files])
    return dict([pair for turn in zip(*found, strict=True) for pair in turn][:count])


def _read(path: Path, side: int) -> Tensor:
    picture = tensor_from_photo(open_photo(path))
    return torch.nn.functional.interpolate(
        picture, size=(side, side), mode="bilinear", antialias=True, align_corners=False
    )


def starts(builtin: Generator, trained: Generator, picture: Tensor) -> Tensor:
    """ws [4, num_ws, w_dim], in the order of STARTS."""
    average = builtin.w_avg.expand(1, builtin.spec.num_ws, -1)
    with torch.no_grad():
        return torch.cat(
            [average, first_guess(builtin, Target(picture)), trained.encode(picture), builtin.encode(picture)]
        )


def curves(generator: Generator, picture: Tensor, ws: Tensor) -> dict[str, dict[str, float]]:
    """PSNR by start and step."""
    told: dict[str, dict[str, float]] = {name: {} for name in STARTS}
    target = Target(picture.expand(len(ws), -1, -1, -1))

    def note(report: StepReport) -> None:
        if report.step - 1 in STEPS:
            assert report.preview is not None
            for name, value in zip(STARTS, target.psnr_db(report.preview).tolist(), strict=True):
                told[name][str(report.step - 1)] = round(value, 3)

    config = OptimiseConfig(steps=STEPS[-1] + 1)
    descend(generator, target, ws, steps=config.steps, config=config, progress=note)
    return told


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    builtin, trained = load_generator("builtin"), load_generator(arguments.trained)
    if trained.fingerprint != builtin.fingerprint:
        raise SystemExit("TRAINED is another generator than the built-in one, whose own encoder it is compared with")
    builtin.discriminator = None
    how = read_header(arguments.trained)[1]["encoder"]
    seconds = arguments.seconds
    shown = pictures([tuple(pair) for pair in (arguments.press, arguments.studio)], arguments.people, 128)
    known = {str(row["file"]) for row in _rows(arguments.cache)}
    if arguments.sheet is not None:
        _save_sheet(arguments.sheet, builtin, trained, shown)
    for file, picture in shown.items():
        if file in known:
            continue
        told = curves(builtin, picture, starts(builtin, trained, picture))
        with arguments.cache.open("a") as out:
            out.write(json.dumps({"file": file, "how": how, "seconds": seconds, "psnr_db": told}) + "\n")
        print(file, {name: values["0"] for name, values in told.items()}, flush=True)


def _save_sheet(path: Path, builtin: Generator, trained: Generator, shown: dict[str, Tensor]) -> None:
    """The pictures, and what is drawn of each start."""
    columns = []
    for picture in shown.values():
        with torch.no_grad():
            again = builtin.synthesis(starts(builtin, trained, picture)).clamp(-1, 1)
        columns.append([photo_from_tensor(one[None]) for one in (picture[0], *again)])
    rows = [list(row) for row in zip(*columns, strict=True)]
    save_photo(path, contact_sheet(rows, title="starts", row_labels=["photo", *STARTS], tile_px=256))


def _rows(cache: Path) -> list[Row]:
    return [json.loads(line) for line in cache.read_text().splitlines()] if cache.exists() else []


def table(arguments: argparse.Namespace) -> None:
    rows = _rows(arguments.cache)
    how = f"The encoder in question was {rows[0]['how']}, which took {float(str(rows[0]['seconds'])):.0f} seconds of one core's time."
    lines = [HEADER.format(how=how, pictures=len(rows))]
    lines += [f"| start | {' | '.join(map(str, STEPS))} |", "|---" * (len(STEPS) + 1) + "|"]
    values = {
        name: np.array([[row["psnr_db"][name][str(step)] for step in STEPS] for row in rows])  # type: ignore[index]
        for name in STARTS
    }
    for name in STARTS:
        ahead = (values[TRAINED] > values[name]).sum(0)
        means = values[name].mean(0)
        cells = [
            f"{mean:.2f}" if name == TRAINED else f"{mean:.2f} ({number})"
            for mean, number in zip(means, ahead, strict=True)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    arguments.out.write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("trained", type=Path)
    for name in ("--press", "--studio"):
        running.add_argument(name, nargs=2, type=Path, required=True, metavar=("DIR", "CSV"))
    running.add_argument("--people", type=int, default=16)
    running.add_argument(
        "--seconds", type=float, default=3600.0, help="of the CPU that the training took, for the table"
    )
    running.add_argument("--sheet", type=Path, default=None)
    writing = commands.add_parser("table")
    writing.add_argument("-o", "--out", type=Path, required=True)
    for each in (running, writing):
        each.add_argument("--cache", type=Path, required=True)
    arguments = parser.parse_args()
    (run if arguments.command == "run" else table)(arguments)


if __name__ == "__main__":
    main()
