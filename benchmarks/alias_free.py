"""Drawing time and memory of our StyleGAN3, against the published PyTorch reference when its source is at hand.

python benchmarks/alias_free.py [--reference DIR] [--nets T R] [--sides 256 512 1024] [--only TABLE] [--device cpu] -o TABLE.md

DIR is a checkout of stylegan3; nothing of it is shipped, and it needs scipy. Both networks get the same random weights,
each case runs in a process of its own, and their pictures must agree, or no times are printed.
"""

from __future__ import annotations

import argparse
import contextlib
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
from emogan_core.networks.spec import AliasFree
from emogan_core.networks.stylegan3 import frequency_bands

HEADER = """\
# StyleGAN3: memory and time

```
python benchmarks/alias_free.py --reference DIR -o docs/results/stylegan3.md
```

Against the plain PyTorch path of NVIDIA's stylegan3, the one it takes without a CUDA compiler. {device}, torch {torch}, float32, random weights, one picture. Seconds are of processor time over {threads} thread(s) on a CPU; peaks are what drawing adds to the networks themselves.
"""
TABLES = {
    "drawing": "Drawing",
    "gradient": "With the gradient with respect to the codes, as inversion needs it",
}
GRADIENT_REFERENCE_PX = 256
"""Side up to which the reference is asked for gradients: there it takes 12 GiB already."""
LAYOUTS = {"T": AliasFree(), "R": AliasFree(conv_kernel=1, use_radial_filters=True)}
WIDTHS = {"T": (32768, 512), "R": (65536, 1024)}


def widths_of(net: str, side: int) -> tuple[int, int]:
    """Base and limit of the published networks' widths; half the base at 256 px."""
    base, limit = WIDTHS[net]
    return base // 2 if side <= 256 else base, limit


def spec_of(net: str, side: int) -> GeneratorSpec:
    """Widths fall with the frequencies that a layer may hold."""
    base, limit = widths_of(net, side)
    blank = GeneratorSpec(
        resolution=side,
        w_dim=512,
        z_dim=512,
        channels=(1,) * LAYOUTS[net].num_layers,
        mapping_layers=2,
        conv_clamp=256.0,
        architecture="stylegan3",
        alias_free=LAYOUTS[net],
    )
    channels = tuple(round(min(base / 2 / band.cutoff, limit)) for band in frequency_bands(blank)[:-1])
    return GeneratorSpec(**{name: getattr(blank, name) for name in blank.__slots__} | {"channels": channels})


def ours(net: str, side: int) -> Generator:
    generator = Generator(spec_of(net, side), fingerprint="")
    initialise(generator, torch.Generator().manual_seed(0))
    return generator.requires_grad_(False).eval()


def theirs(net: str, side: int, source: Path) -> Callable[[Tensor], Tensor]:
    """The reference's synthesis with our weights, on its plain PyTorch path."""
    import scipy.optimize
    import scipy.signal
    import scipy.special  # noqa: F401 - the reference uses it without importing it

    for name in ("requests", "pkg_resources"):  # a downloader that is never used, and a package that no longer exists
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["pkg_resources"].parse_version = torch.torch_version.TorchVersion  # type: ignore[attr-defined]
    sys.path.insert(0, str(source))
    from training.networks_stylegan3 import SynthesisNetwork

    base, limit = widths_of(net, side)
    layout = LAYOUTS[net]
    network = SynthesisNetwork(
        512,
        side,
        3,
        channel_base=base,
        channel_max=limit,
        conv_kernel=layout.conv_kernel,
        use_radial_filters=layout.use_radial_filters,
    )
    own = ours(net, side).synthesis.state_dict()
    names = {f"L{index}.": f"{name}." for index, name in enumerate(network.layer_names)}
    for old, new in names.items():
        own |= {new + key.removeprefix(old): own.pop(key) for key in list(own) if key.startswith(old)}
    network.load_state_dict(own)
    return lambda ws: network.eval().requires_grad_(False)(ws, force_fp32=True)


def measure(draw: Callable[[Tensor], Tensor], *, repeats: int, gradient: bool, device: str) -> dict[str, float]:
    """Median seconds of a picture, what was drawn, and the peak of memory in MiB above what the networks hold."""
    ws = torch.randn(1, 16, 512, generator=torch.Generator().manual_seed(1)).to(device).requires_grad_(gradient)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() // 1024
    clock = time.process_time if device == "cpu" else time.perf_counter  # other programs may use the same processor
    taken = []
    with contextlib.nullcontext() if gradient else torch.inference_mode():
        for _ in range(repeats):
            begin = clock()
            images = draw(ws)
            if gradient:
                images.square().mean().backward()
            if device != "cpu":
                torch.cuda.synchronize()
            taken.append(clock() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if device != "cpu":
        peak = torch.cuda.max_memory_allocated() // 1024
    return {
        "seconds": statistics.median(taken[1:] or taken),
        "peak_mib": (peak - before) / 1024,
        "mean": float(images.detach().mean()),
        "std": float(images.detach().std()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--nets", nargs="*", default=["T", "R"], choices=["T", "R"])
    parser.add_argument("--sides", type=int, nargs="*", default=[256, 512, 1024])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()
    if arguments.case:
        who, net, side = arguments.case[0], arguments.case[1], int(arguments.case[2])
        draw = (
            ours(net, side).to(arguments.device).synthesis if who == "ours" else theirs(net, side, arguments.reference)
        )
        figures = measure(
            draw, repeats=arguments.repeats, gradient="gradient" in arguments.only, device=arguments.device
        )
        print(json.dumps(figures))
        return
    threads = torch.get_num_threads()
    lines = [HEADER.format(device=arguments.device, torch=torch.__version__, threads=threads).rstrip()]
    for table in arguments.only:
        lines += ["", f"## {TABLES[table]}", "", *table_of(table, arguments)]
        if arguments.out:
            arguments.out.write_text("\n".join(lines) + "\n")


def table_of(table: str, arguments: argparse.Namespace) -> list[str]:
    """The rows of one table, smallest nets first."""
    lines = [
        "| net | side | ours, s | peak, MiB | reference, s | peak, MiB | time ratio | memory ratio |",
        "|---" * 8 + "|",
    ]
    for side in arguments.sides:
        asked = arguments.reference and (table == "drawing" or side <= GRADIENT_REFERENCE_PX)
        for net in arguments.nets:
            own = run_case("ours", net, side, table, arguments)
            other = run_case("theirs", net, side, table, arguments) if asked else None
            lines.append(row(net, side, own, other))
            print(lines[-1], flush=True)
    return lines


def run_case(who: str, net: str, side: int, table: str, arguments: argparse.Namespace) -> dict[str, float]:
    """One case in a process of its own, so that peaks of memory do not mix."""
    command = [sys.executable, __file__, "--case", who, net, str(side), "--device", arguments.device]
    command += ["--repeats", str(arguments.repeats), "--only", table]
    command += ["--reference", str(arguments.reference)] if arguments.reference else []
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return result


def row(net: str, side: int, own: dict[str, float], other: dict[str, float] | None) -> str:
    cells = [net, f"{side}", f"{own['seconds']:.2f}", f"{own['peak_mib']:.0f}"]
    if other is None:
        return "| " + " | ".join([*cells, "", "", "", ""]) + " |"
    if abs(own["std"] - other["std"]) > 1e-3 * other["std"] or abs(own["mean"] - other["mean"]) > 1e-3 * other["std"]:
        raise SystemExit(f"the pictures of {net} at {side} px do not agree: {own} and {other}")
    cells += [f"{other['seconds']:.2f}", f"{other['peak_mib']:.0f}"]
    cells += [f"{own['seconds'] / other['seconds']:.2f}", f"{own['peak_mib'] / other['peak_mib']:.2f}"]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
