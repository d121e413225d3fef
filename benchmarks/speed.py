"""How long an edit takes and how much memory: by method and mode, repeated edits of one inversion, and importing the package.

python benchmarks/speed.py PHOTO [--device auto] -o TABLE.md
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from emogan_core.checkpoints import load_generator
from emogan_core.compose import put_back
from emogan_core.devices import resolve_device
from emogan_core.expressions import apply_expressions, load_axes
from emogan_core.faces import find_faces
from emogan_core.images import open_photo
from emogan_core.inversion import METHODS, invert

HEADER = """\
# How long an edit takes

```
python benchmarks/speed.py PHOTO --device cpu -o docs/results/speed.md
```
"""
IMPORT = """
import sys, time
import torch, numpy
begin = time.perf_counter()
from emogan_core import apply_expressions, find_faces, fit_expressions, invert, load_generator, put_back
print(time.perf_counter() - begin)
"""


def median_seconds(call: Callable[[], object], *, times: int = 3) -> float:
    """Median wall time of a call after one that warms up."""
    call()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def import_seconds() -> float:
    """Median time of importing every public name in a fresh interpreter, torch and numpy aside."""
    runs = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    photo = open_photo(arguments.photo)
    generator = load_generator("builtin", device=str(resolve_device(arguments.device)))
    axes = load_axes("builtin")
    rows = [("find faces", median_seconds(lambda: find_faces(photo)))]
    inversions = {}
    for method in METHODS:
        rows.append(
            (
                f"find and invert, {method}",
                median_seconds(lambda method=method: invert(generator, photo, method=method)),
            )
        )
        inversions[method] = invert(generator, photo, method=method)
    inversion = inversions["hybrid"]
    for mode, draft in (("motion", False), ("motion", True), ("paste", False)):

        def edit(mode: str = mode, draft: bool = draft) -> object:
            edited = apply_expressions(inversion, axes, {"happiness": 1.0})
            return put_back(generator, photo, inversion, edited, mode=mode, draft=draft)

        rows.append((f"slider: apply and put back, {mode}{', draft' if draft else ''}", median_seconds(edit)))
    base = rows[-3][1]
    height, width = photo.pixels.shape[:2]
    lines = [
        HEADER,
        f"One photo of {width} x {height} px, {arguments.device} ({generator.device}), {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}; ratios are to the slider in motion mode, in the same run.",
        "",
        "| step | seconds | ratio |",
        "|---|---|---|",
        *(f"| {name} | {seconds:.2f} | {seconds / base:.2f} |" for name, seconds in rows),
        "",
        f"Import of all public names, torch and numpy aside: {import_seconds():.2f} s. "
        f"Peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB.",
    ]
    arguments.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
