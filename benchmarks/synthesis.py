"""Drawing speed and memory of our StyleGAN2, against the published PyTorch reference when its source is at hand.

python benchmarks/synthesis.py [--reference DIR] [--sides 256 512 1024] [--batches 1 8] [--only TABLE ...] -o docs/results/synthesis.md
python benchmarks/synthesis.py --device cuda [--reference DIR] [--sides ...] [--batches ...] [-o TABLE]

DIR is a checkout of stylegan2-ada-pytorch; nothing of it is shipped. Both networks get the same random weights and must
draw the same pictures, or no times are printed. They take turns in one process, so that other load
falls on both, and the least CPU time of each counts; memory is measured in a process for each, as the peak of what is
resident while drawing above what was resident before, when weights were loaded and the libraries warm.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import resource
import subprocess
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path

import on_device
import torch
from torch import Tensor, nn

from emogan_core.networks import Generator, GeneratorSpec
from emogan_core.networks.layers import initialise

Draw = Callable[[Tensor], Tensor]
NOISE = 0.1
ROUNDS = 5
WARM_UP = 64
EXACT = {"MALLOC_MMAP_THRESHOLD_": "262144"}  # glibc returns memory at once, so that what is resident is in use
HEADER = """\
# Drawing speed

```
python benchmarks/synthesis.py --reference DIR -o docs/results/synthesis.md
```

StyleGAN2 on a CPU, against stylegan2-ada-pytorch's plain path.
"""


def spec_of(side: int) -> GeneratorSpec:
    """Widths of the published FFHQ networks: 32768 / side, at most 512; half of that at 256 px."""
    base = 16384 if side <= 256 else 32768
    blocks = side.bit_length() - 2
    widths = tuple(min(base // (4 << index), 512) for index in range(blocks))
    return GeneratorSpec(resolution=side, w_dim=512, z_dim=512, channels=widths, mapping_layers=2)


def ours(side: int) -> tuple[Generator, Draw]:
    generator = Generator(spec_of(side), fingerprint="")
    initialise(generator, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(NOISE)
    generator.requires_grad_(False).eval()
    return generator, lambda ws: generator.synthesis(ws)


def theirs(side: int, source: Path) -> Draw:
    """The reference's synthesis with our weights, on its plain PyTorch path."""
    return partial(their_network(side, source), noise_mode="const", force_fp32=True)


def their_network(side: int, source: Path, **settings: object) -> nn.Module:
    sys.modules.setdefault("requests", types.ModuleType("requests"))  # it imports a downloader that is never used
    if str(source) not in sys.path:
        sys.path.insert(0, str(source))
    from training.networks import SynthesisNetwork

    generator, _ = ours(side)
    base = 32768 if side > 256 else 16384
    network: nn.Module = SynthesisNetwork(512, side, 3, channel_base=base, channel_max=512, **settings)
    network.eval().requires_grad_(False)
    state = network.state_dict()
    state.update(generator.synthesis.state_dict())
    network.load_state_dict(state)
    return network


def codes(side: int, batch: int, *, seed: int = 1) -> Tensor:
    return torch.randn(batch, spec_of(side).num_ws, 512, generator=torch.Generator().manual_seed(seed))


def least_seconds(
    calls: list[Callable[[], object]], *, rounds: int = ROUNDS, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """The least time of each call; they take turns."""
    best = [math.inf] * len(calls)
    for _ in range(rounds):
        for index, call in enumerate(calls):
            begin = clock()
            call()
            best[index] = min(best[index], clock() - begin)
    return best


def peak_mib(draw: Draw, warm_up: Callable[[], object], side: int, batch: int) -> float:
    """MiB resident at the worst moment of the first drawing, above those before it, when libraries were warm."""
    ws = codes(side, batch)
    with torch.inference_mode():
        warm_up()
        gc.collect()
        before = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        draw(ws)
    return resident("VmHWM") - before


def resident(what: str) -> float:
    """MiB that the kernel counts as resident, now (VmRSS) or at most (VmHWM)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS reports bytes, and only the peak
    line = next(line for line in status.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


def memory_of(who: str, side: int, batch: int, reference: Path | None) -> float:
    command = [sys.executable, __file__, "--memory-of", who, str(side), str(batch)]
    command += ["--reference", str(reference)] if reference else []
    run = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **EXACT})
    return float(json.loads(run.stdout.splitlines()[-1]))


def whole(sides: list[int], batches: list[int], reference: Path | None) -> list[str]:
    """Both networks' time and memory."""
    rows = [
        "| side | batch | ours, s | peak, MiB | reference, s | peak, MiB | time ratio | memory ratio | difference |",
        "|---" * 9 + "|",
    ]
    for side in sides:
        for batch in batches:
            ws = codes(side, batch)
            draws = [ours(side)[1], *([theirs(side, reference)] if reference else [])]
            with torch.inference_mode():
                images = [draw(ws) for draw in draws]
                seconds = least_seconds([partial(draw, ws) for draw in draws], rounds=ROUNDS if batch == 1 else 1)
            peaks = [memory_of(who, side, batch, reference) for who in ("ours", "theirs")[: len(draws)]]
            rows.append(whole_row(side, batch, seconds, peaks, images))
            print(rows[-1], flush=True)
    return [
        *rows,
        "",
        "Memory is above the weights; the difference is the largest of any pixel, in standard deviations.",
    ]


def whole_row(side: int, batch: int, seconds: list[float], peaks: list[float], images: list[Tensor]) -> str:
    cells = [f"{side}", f"{batch}", f"{seconds[0]:.2f}", f"{peaks[0]:.0f}"]
    if len(seconds) == 1:
        return "| " + " | ".join([*cells, "", "", "", "", ""]) + " |"
    gap = float((images[0] - images[1]).abs().max() / images[1].std())
    if gap > 1e-3:
        raise SystemExit(f"the pictures at {side} px do not agree: they differ by {gap} standard deviations")
    cells += [f"{seconds[1]:.2f}", f"{peaks[1]:.0f}", f"{seconds[0] / seconds[1]:.2f}", f"{peaks[0] / peaks[1]:.2f}"]
    return "| " + " | ".join([*cells, f"{gap:.0e}"]) + " |"


def threads(sides: list[int], reference: Path | None, *, count: int = 2) -> list[str]:
    """Times on the clock with more threads."""
    rows = ["| side | threads | ours, s | reference, s | time ratio |", "|---" * 5 + "|"]
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    for side in sides:
        draws = [ours(side)[1], *([theirs(side, reference)] if reference else [])]
        with torch.inference_mode():
            seconds = least_seconds([partial(draw, codes(side, 1)) for draw in draws], clock=time.perf_counter)
        rows.append(f"| {side} | {count} | {times_and_ratio(seconds)} |")
        print(rows[-1], flush=True)
    torch.set_num_threads(before)
    return rows


def times_and_ratio(seconds: list[float]) -> str:
    cells = [f"{second:.2f}" for second in seconds]
    return " | ".join([*cells, f"{seconds[0] / seconds[1]:.2f}"] if len(seconds) == 2 else [*cells, "", ""])


def gradients(sides: list[int], reference: Path | None) -> list[str]:
    """A step of inversion: forward, and back to the codes."""
    rows = ["| side | ours, s | reference, s | time ratio |", "|---|---|---|---|"]
    for side in sides:
        ws = codes(side, 1).requires_grad_(True)
        draws = [ours(side)[1], *([theirs(side, reference)] if reference else [])]
        steps = [partial(step, draw, ws) for draw in draws]
        seconds = least_seconds(steps, rounds=3)
        rows.append(f"| {side} | {times_and_ratio(seconds)} |")
        print(rows[-1], flush=True)
    return rows


def step(draw: Draw, ws: Tensor) -> None:
    draw(ws).square().mean().backward()


def halves(sides: list[int]) -> list[str]:
    """The same network and codes in bfloat16."""
    rows = ["| side | float32, s | bfloat16, s | ratio | error |", "|---" * 5 + "|"]
    for side in sides:
        ws = codes(side, 1)
        network, half = ours(side)[0].synthesis, ours(side)[0].synthesis.to(torch.bfloat16)
        with torch.inference_mode():
            single, short = least_seconds([partial(network, ws), partial(half, ws.bfloat16())], rounds=3)
            images = network(ws)
            error = float((half(ws.bfloat16()).float() - images).square().mean().sqrt() / images.std())
        rows.append(f"| {side} | {single:.2f} | {short:.2f} | {short / single:.2f} | {error:.1e} |")
        print(rows[-1], flush=True)
    return [*rows, "", "Error: root mean square, in standard deviations."]


def device_table(arguments: argparse.Namespace) -> list[str]:
    """One device's table; the reference's float16 has the limit it was published with."""
    source = arguments.reference
    half = partial(their_network, source=source, num_fp16_res=4, conv_clamp=256)
    rows = on_device.table(
        arguments.sides,
        arguments.batches,
        on_device.device_of(arguments.device),
        codes=codes,
        ours=lambda side: ours(side)[0].synthesis,
        theirs=half if source else None,
    )
    return [f"## On {arguments.device}, torch {torch.__version__}", "", *rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--sides", type=int, nargs="*", default=[256, 512, 1024])
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--only", nargs="*", choices=tuple(TABLES), default=tuple(TABLES))
    parser.add_argument("--device", help="measure this device alone, cuda or cpu, and leave the other tables out")
    parser.add_argument("--memory-of", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    if arguments.memory_of:
        who, side, batch = arguments.memory_of[0], int(arguments.memory_of[1]), int(arguments.memory_of[2])
        draw, small = (ours(at)[1] if who == "ours" else theirs(at, arguments.reference) for at in (side, WARM_UP))
        print(json.dumps(peak_mib(draw, partial(small, codes(WARM_UP, 1)), side, batch)))
        return
    if arguments.device:
        text = "\n".join(device_table(arguments)) + "\n"
        if arguments.out:
            arguments.out.write_text(text)
        return
    torch.set_num_threads(1)
    lines = [
        HEADER,
        f"Random weights, float32, torch {torch.__version__}, one thread unless noted otherwise. The networks take turns in",
        "one process, and the least of up to five times counts: of CPU time, which on an idle machine is the time on the",
        "clock.",
    ]
    for table in arguments.only:
        lines += ["", f"## {TITLES[table]}", "", *TABLES[table](arguments)]
        if arguments.out:
            arguments.out.write_text("\n".join(lines) + "\n")


TITLES = {
    "whole": "Whole pictures",
    "threads": "Two threads, on the clock",
    "gradients": "A step of inversion, forward and back to the codes",
    "halves": "bfloat16",
}
TABLES: dict[str, Callable[[argparse.Namespace], list[str]]] = {
    "whole": lambda options: whole(options.sides, options.batches, options.reference),
    "threads": lambda options: threads(options.sides, options.reference),
    "gradients": lambda options: gradients(options.sides[:1], options.reference),
    "halves": lambda options: halves(options.sides),
}


if __name__ == "__main__":
    main()
