"""Time and memory of several ways of drawing on one device: the table of benchmarks/synthesis.py --device."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

Draw = Callable[[Tensor], Tensor]
Way = Callable[[Draw, Tensor], Draw]  # turns a drawing function into a compiled or captured one, for codes of one shape
WARM_UP = 3
ROUNDS = 20
ABOUT = """\
Medians, after a warm-up, by CUDA events, or by the clock on a CPU; peaks above what was allocated before, a graph's as
it was captured. Error: root mean square against our float32, in standard deviations. The reference's mixed float16 is
its top four resolutions, held within 256. TF32 is off."""


def device_of(name: str) -> torch.device:
    """The device of that name, or one sentence about why there is none."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SystemExit(f"--device {name} came; needed cuda, cuda:1 or cpu") from None
    if device.type not in ("cpu", "cuda"):
        raise SystemExit(f"--device {name} came; needed cuda, cuda:1 or cpu")
    if device.type == "cuda" and not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        raise SystemExit(f"--device {name} came, but PyTorch sees no such GPU; leave it out to measure the CPU")
    return device


def table(
    sides: list[int],
    batches: list[int],
    device: torch.device,
    *,
    codes: Callable[[int, int], Tensor],
    ours: Callable[[int], nn.Module],
    theirs: Callable[[int], nn.Module] | None,
) -> list[str]:
    """`ours` and `theirs` make syntheses with the same weights, `theirs` with its top four resolutions in float16."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    if device.type == "cuda":
        torch.cuda.set_device(device)  # events are recorded on the current one
    rows = ["| side | batch | drawn by | ms | peak, MiB | error |", "|---" * 6 + "|"]
    for side in sides:
        network = ours(side).to(device)
        reference = None if theirs is None else theirs(side).to(device)
        for batch in batches:
            ws = codes(side, batch).to(device)
            with torch.inference_mode():
                aim = network(ws)
            ways = ways_of_ours(network, device)
            ways += [] if reference is None else ways_of_theirs(reference, device)
            for name, draw, way in ways:
                rows.append(f"| {side} | {batch} | {name} | {measured(draw, way, ws, aim)} |")
                print(rows[-1], flush=True)
    return [*rows, "", ABOUT]


def ways_of_ours(network: nn.Module, device: torch.device) -> list[tuple[str, Draw, Way]]:
    ways: list[tuple[str, Way]] = [("", plain)]
    if device.type == "cuda":
        ways += [(", torch.compile", compiled), (", CUDA graph", captured)]
    return [(f"ours, float32{how}", network, way) for how, way in ways]


def ways_of_theirs(network: nn.Module, device: torch.device) -> list[tuple[str, Draw, Way]]:
    single = partial(network, noise_mode="const", force_fp32=True)
    rows: list[tuple[str, Draw, Way]] = [("reference, float32, plain", partial(without_kernels, single), plain)]
    if device.type == "cuda" and kernels_build():
        rows += [
            ("reference, float32, its kernels", single, plain),
            ("reference, mixed float16, its kernels", partial(network, noise_mode="const"), plain),
        ]
    return rows


def reference_ops() -> list[Any]:
    return [sys.modules[f"torch_utils.ops.{name}"] for name in ("bias_act", "upfirdn2d")]


def kernels_build() -> bool:
    """Whether the reference's own CUDA kernels compile here; if not, it falls back to plain PyTorch with a warning."""
    try:
        return all([ops._init() for ops in reference_ops()])
    except Exception as error:  # its build tools raise exceptions of any type
        print(f"the reference's kernels do not build: {error}", file=sys.stderr)
        return False


def without_kernels(draw: Draw, ws: Tensor) -> Tensor:
    """The reference on its plain PyTorch path."""
    with ExitStack() as stack:
        for ops in reference_ops():
            stack.enter_context(patch.object(ops, "_init", lambda: False))
        return draw(ws)


def plain(draw: Draw, ws: Tensor) -> Draw:
    for _ in range(WARM_UP):
        draw(ws)
    reset_peak(ws)
    return draw


def compiled(draw: Draw, ws: Tensor) -> Draw:
    torch.compiler.reset()
    made: Draw = torch.compile(draw, dynamic=False)
    return plain(made, ws)


def captured(draw: Draw, ws: Tensor) -> Draw:
    """The same launches from one CUDA graph, for codes of this shape."""
    given = ws.clone()
    side = torch.cuda.Stream(ws.device)  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream(ws.device))
    with torch.cuda.stream(side):  # libraries initialise before, which a graph could not capture
        plain(draw, given)
    torch.cuda.current_stream(ws.device).wait_stream(side)
    reset_peak(ws)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        drawn = draw(given)

    def replay(ws: Tensor) -> Tensor:
        given.copy_(ws)
        graph.replay()
        return drawn

    return replay


def measured(draw: Draw, way: Way, ws: Tensor, aim: Tensor) -> str:
    """Cells: milliseconds, MiB, error."""
    with torch.inference_mode():
        on_gpu = ws.device.type == "cuda"
        before = torch.cuda.memory_allocated(ws.device) if on_gpu else 0
        made = way(draw, ws)
        error = float((made(ws) - aim).square().mean().sqrt() / aim.std())
        if error > 0.05:
            raise SystemExit(f"the pictures do not agree: they differ by {error} standard deviations")
        peak = f"{(torch.cuda.max_memory_allocated(ws.device) - before) / 2**20:.0f}" if on_gpu else ""
        times = [milliseconds(made, ws) for _ in range(ROUNDS if on_gpu else WARM_UP)]
    return f"{statistics.median(times):.2f} | {peak} | {error:.1e}"


def milliseconds(draw: Draw, ws: Tensor) -> float:
    if ws.device.type != "cuda":
        begin = time.perf_counter()
        draw(ws)
        return (time.perf_counter() - begin) * 1000
    first = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    last = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    torch.cuda.synchronize(ws.device)
    first.record()
    draw(ws)
    last.record()
    torch.cuda.synchronize(ws.device)
    return float(first.elapsed_time(last))


def reset_peak(ws: Tensor) -> None:
    if ws.device.type == "cuda":
        torch.cuda.synchronize(ws.device)
        torch.cuda.reset_peak_memory_stats(ws.device)
