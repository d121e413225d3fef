"""How far our pictures are from those of the programs that wrote the files, on random networks.

python benchmarks/parity.py [--ada DIR] [--stylegan3 DIR] [--genforce DIR] [--hammer DIR]
                            [--interfacegan DIR] [--rosinality DIR] [--rosinality1 DIR] [--basicsr DIR]
                            [--e4e DIR] [-o docs/results/parity.md]

Each DIR is a checkout of that program; nothing of any is shipped. Their packages have the same names, so each is run in
a process of its own. The exit status is 1 when a difference exceeds 1e-5.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from parity_genforce import genforce, hammer, interfacegan
from parity_nvidia import ada, stylegan3
from parity_others import basicsr, e4e, rosinality, rosinality1
from parity_twin import PSI, Twins, differences

Found = dict[str, list[dict[str, float]]]
LIMIT = 1e-5
COLUMNS = ("draw", "sample", "discriminator", "encode")
REFERENCES: dict[str, tuple[str, Callable[[Path, Path], Twins]]] = {
    "ada": ("NVlabs/stylegan2-ada-pytorch", ada),
    "stylegan3": ("NVlabs/stylegan3", stylegan3),
    "genforce": ("genforce/genforce", genforce),
    "hammer": ("bytedance/Hammer", hammer),
    "interfacegan": ("genforce/interfacegan", interfacegan),
    "rosinality": ("rosinality/stylegan2-pytorch", rosinality),
    "rosinality1": ("rosinality/style-based-gan-pytorch", rosinality1),
    "basicsr": ("XPixelGroup/BasicSR", basicsr),
    "e4e": ("omertov/encoder4editing", e4e),
}
HEADER = """\
# Parity with the programs that wrote the files

```
{command}
```

For each row, that program's own code made random networks, small unless noted, and wrote them as it writes files; as no
TensorFlow ran, its files were written in the layout that its programs document. `load_generator` read each file, and
both programs drew on the CPU with the stored noise, in float32 unless noted. The number is the largest difference of any
value in any of the networks, as a share of the range of the reference's output: from W+ to the picture (random codes,
another for each row), from z to the picture (psi {psi} on all rows), the discriminator's logits of eight pictures of
noise, and the codes of encoders. Where a cell is empty nothing was compared. What remains from z in float64 is the
rounding of StyleGAN1's mapping biases, which are divided by the square root of two when they are read, in float32.
Seeds are fixed. torch {torch}, one thread.

| files | reference | networks | W+ to picture | z to picture | logits | codes |
|---|---|---|---|---|---|---|
"""


def compared(name: str, checkout: Path) -> None:
    """Print a line of JSON per network of one reference."""
    warnings.simplefilter("ignore")  # theirs, of older versions of Python and torch
    logging.getLogger("emogan").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for twin in REFERENCES[name][1](checkout, Path(folder)):
            print(json.dumps({"kind": twin.kind, "differences": differences(twin)}), flush=True)


def run(name: str, checkout: Path) -> Found:
    """All networks of one reference, by kind."""
    command = [sys.executable, __file__, "--case", name, str(checkout)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the comparison with {name} failed:\n{done.stderr[-3000:]}")
    found: Found = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):  # some references print while they are made
            row = json.loads(line)
            found.setdefault(row["kind"], []).append(row["differences"])
    return found


def rows(name: str, checkout: Path, found: Found) -> list[str]:
    reference = f"{REFERENCES[name][0]} {commit_of(checkout)}".strip()
    table = []
    for kind, networks in found.items():
        cells = [kind, reference, f"{len(networks)}"]
        for column in COLUMNS:
            values = [network[column] for network in networks if column in network]
            cells.append(f"{worst(values):.1e}" if values else "")
        table.append("| " + " | ".join(cells) + " |")
    return table


def worst(values: list[float]) -> float:
    """The largest; not a number, when any is not."""
    return max(values, key=lambda value: (value != value, value))


def agrees(found: Found) -> bool:
    return all(value <= LIMIT for networks in found.values() for network in networks for value in network.values())


def commit_of(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short=7", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if (checkout / ".git").exists() and not done.returncode else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (repository, _) in REFERENCES.items():
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=f"a checkout of {repository}")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    if arguments.case:
        compared(arguments.case[0], Path(arguments.case[1]))
        return
    given = {name: getattr(arguments, name) for name in REFERENCES if getattr(arguments, name)}
    if not given:
        parser.error("no checkout was given")
    command = " ".join(["python benchmarks/parity.py", *(f"--{name} DIR" for name in given)])
    text, good = HEADER.format(command=command, psi=PSI, torch=torch.__version__), True
    for name, checkout in given.items():
        begin = time.perf_counter()
        found = run(name, checkout)
        table = rows(name, checkout, found)
        text, good = text + "\n".join(table) + "\n", good and agrees(found)
        print("\n".join(table), f"\n{name} took {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
        if arguments.out:
            arguments.out.write_text(text)
    print(text)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
