"""Drawing speed and memory of our StyleGAN2, against the published PyTorch reference when its source is at hand.

python benchmarks/synthesis.py [--reference DIR] [--sides 256 512 1024] [--batches 1 4] [--device cpu] -o docs/synthesis.md

DIR is a checkout of stylegan2-ada-pytorch; nothing of it is shipped. Both networks get the same random weights, each
case runs in a process of its own, and their pictures must agree before times are believed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.layers import initialise

HEADER = """\
# Drawing speed

```
python benchmarks/synthesis.py --reference DIR --sides 256 512 1024 -o docs/synthesis.md
```
"""


def spec_of(side: int) -> GeneratorSpec:
    """Widths of the published FFHQ networks: 32768 / side, at most 512; half of that at 256 px."""
    base = 16384 if side <= 256 else 32768
    blocks = side.bit_length() - 2
    widths = tuple(min(base // (4 << index), 512) for index in range(blocks))
    return GeneratorSpec(resolution=side, w_dim=512, z_dim=512, channels=widths, mapping_layers=2)


def ours(side: int) -> tuple[Generator, Callable[[Tensor], Tensor]]:
    generator = Generator(spec_of(side), fingerprint="")
    initialise(generator, torch.Generator().manual_seed(0))
    generator.requires_grad_(False).eval()
    return generator, lambda ws: generator.synthesis(ws)


def theirs(side: int, source: Path) -> Callable[[Tensor], Tensor]:
    """The reference's synthesis with our weights, on its plain PyTorch path."""
    sys.modules.setdefault("requests", types.ModuleType("requests"))  # it imports a downloader that is never used
    sys.path.insert(0, str(source))
    from training.networks import SynthesisNetwork

    generator, _ = ours(side)
    base = 32768 if side > 256 else 16384
    network = SynthesisNetwork(512, side, 3, channel_base=base, channel_max=512).eval().requires_grad_(False)
    state = network.state_dict()
    state.update(generator.synthesis.state_dict())
    network.load_state_dict(state)
    return lambda ws: network(ws, noise_mode="const", force_fp32=True)


def measure(draw: Callable[[Tensor], Tensor], side: int, batch: int, device: str) -> dict[str, float]:
    """Median seconds of three pictures after one, what was drawn, and the peak of memory in MiB."""
    num_ws = 2 * len(spec_of(side).channels)
    ws = torch.randn(batch, num_ws, 512, generator=torch.Generator().manual_seed(1)).to(device)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with torch.inference_mode():
        images = draw(ws)
        taken = []
        for _ in range(3):
            begin = time.perf_counter()
            images = draw(ws)
            if device != "cpu":
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "seconds": statistics.median(taken),
        "peak_mib": peak / 1024,
        "mean": float(images.mean()),
        "std": float(images.std()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--sides", type=int, nargs="*", default=[256, 512, 1024])
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    if arguments.case:
        who, side, batch = arguments.case[0], int(arguments.case[1]), int(arguments.case[2])
        draw = ours(side)[1] if who == "ours" else theirs(side, arguments.reference)
        print(json.dumps(measure(draw, side, batch, arguments.device)))
        return
    rows = [
        "| side | batch | ours, s | peak, MiB | reference, s | peak, MiB | time ratio | memory ratio |",
        "|---" * 8 + "|",
    ]
    for side in arguments.sides:
        for batch in arguments.batches:
            own = run_case("ours", side, batch, arguments)
            other = run_case("theirs", side, batch, arguments) if arguments.reference else None
            rows.append(row(side, batch, own, other))
            print(rows[-1], flush=True)
    about = (
        f"{arguments.device}, {torch.get_num_threads()} threads, torch {torch.__version__}, float32, random weights."
    )
    if arguments.out:
        arguments.out.write_text("\n".join([HEADER, about, "", *rows]) + "\n")


def run_case(who: str, side: int, batch: int, arguments: argparse.Namespace) -> dict[str, float]:
    """One case in a process of its own, so that peaks of memory do not mix."""
    command = [sys.executable, __file__, "--case", who, str(side), str(batch), "--device", arguments.device]
    command += ["--reference", str(arguments.reference)] if arguments.reference else []
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return result


def row(side: int, batch: int, own: dict[str, float], other: dict[str, float] | None) -> str:
    cells = [f"{side}", f"{batch}", f"{own['seconds']:.2f}", f"{own['peak_mib']:.0f}"]
    if other is None:
        return "| " + " | ".join([*cells, "", "", "", ""]) + " |"
    if abs(own["std"] - other["std"]) > 1e-3 * other["std"] or abs(own["mean"] - other["mean"]) > 1e-3 * other["std"]:
        raise SystemExit(f"the pictures at {side} px do not agree: {own} and {other}")
    cells += [f"{other['seconds']:.2f}", f"{other['peak_mib']:.0f}"]
    cells += [f"{own['seconds'] / other['seconds']:.2f}", f"{own['peak_mib'] / other['peak_mib']:.2f}"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
