"""Damaged files for every reader, and commands killed while they write: what comes of it, as two tables.

    PYTHONPATH=. python benchmarks/hostile_files.py --minutes 10

Every file is read in a process of its own with a limit on memory and time. What it counts: read, refused in one sentence, and
what must not be: a traceback or several lines, too much memory, too much time, a process that died, a file left behind.
The exit status is 1 when there was any of these. `--keep DIR` keeps the files that failed.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hostile_kills import kill_commands
from hostile_mutations import damaged
from hostile_originals import Original, Reading, originals

CPU_S = 5.0
MIB = 1 << 20
MEMORY = {"photo": 2000 * MIB, "": 300 * MIB}  # beyond what the process had; a photo may have 100 megapixels
GOOD = ("read", "refused")
BAD = ("traceback", "over memory", "over time", "died", "left behind")


@dataclass
class Outcome:
    """What came of one reading."""

    kind: str
    told: str = ""
    seconds: float = 0.0
    growth: int = 0


def read_in_child(reading: Callable[[], int], scratch: Path, *, memory: int) -> Outcome:
    """Run a reading in a forked process under limits."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _read_and_tell(reading, send, memory)
        os._exit(0)
    os.close(send)
    answer, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and select.select([receive], [], [], deadline - time.monotonic())[0]:
        part = os.read(receive, 65536)
        if not part:
            break
        answer += part
    os.close(receive)
    with contextlib.suppress(ProcessLookupError):
        if not answer:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not answer:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        late = number == signal.SIGXCPU or time.monotonic() >= deadline
        return Outcome("over time" if late else "died", f"ended with status {status}")
    outcome = Outcome(**json.loads(answer))
    left = [str(path.name) for path in scratch.rglob("*") if path.name.startswith(".emogan-")]
    left += [str(path.name) for path in scratch.glob("out.*") if outcome.kind == "refused" and path.suffix != ".codes"]
    if outcome.kind in GOOD and left:
        return Outcome("left behind", ", ".join(left))
    return outcome


def _read_and_tell(reading: Callable[[], int], send: int, memory: int) -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _status("VmRSS")
    limit = _status("VmSize") + memory + 1000 * MIB  # address space that is reserved and never used counts, too
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (int(4 * CPU_S), int(4 * CPU_S) + 5))
    said, started = tempfile.TemporaryFile(), time.process_time()  # noqa: SIM115 - the process ends with it
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(said.fileno(), 2)  # also for libraries that write there by themselves
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115 - as above
    try:
        status = reading()
        sys.stderr.flush()
        said.seek(0)
        lines = [
            line
            for line in said.read().decode("utf-8", "replace").splitlines()
            if not line.startswith("emogan: note: ")
        ]
        kind = "read" if status == 0 and not lines else "refused" if status == 2 and len(lines) == 1 else "traceback"
        told = " | ".join(lines)
        if "not enough memory for this" in told:
            kind = "over memory"
    except BaseException:
        kind, told = "traceback", traceback.format_exc()[-1500:]
    seconds, growth = time.process_time() - started, _status("VmHWM") - before
    if kind in GOOD:
        kind = "over memory" if growth > memory else "over time" if seconds > CPU_S else kind
    os.write(send, json.dumps({"kind": kind, "told": told[:3000], "seconds": seconds, "growth": growth}).encode())


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024


def damage_all(
    found: list[Original], *, minutes: float, seed: int, work: Path, keep: Path | None
) -> tuple[list[str], int]:
    """Damaged copies of every original in turn until the time is over: lines of a table, and how many failed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    slowest: dict[str, float] = defaultdict(float)
    largest: dict[str, int] = defaultdict(int)
    failed, number, end = 0, 0, time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for index, original in enumerate(found):
            if number % original.every:
                continue
            rng = np.random.default_rng([seed, number, index])
            content = original.path.read_bytes()
            path = work / f"damaged{original.path.suffix}"
            path.write_bytes(damaged(content, original.packed, rng) if number else content)
            for reading in original.readings:
                outcome = read_in_child(
                    _bound(reading, path, work / "scratch"),
                    work / "scratch",
                    memory=MEMORY["photo" if original.kind.startswith("photo") else ""],
                )
                if number == 0 and outcome.kind != "read":
                    raise SystemExit(f"the whole file of {original.kind} was not read: {outcome}")
                counts[original.kind][outcome.kind] += 1
                slowest[original.kind] = max(slowest[original.kind], outcome.seconds)
                largest[original.kind] = max(largest[original.kind], outcome.growth)
                if outcome.kind in BAD:
                    failed += 1
                    print(f"{original.kind}, {number}: {outcome}", file=sys.stderr, flush=True)
                    if keep is not None:
                        shutil.copy(path, keep / f"{index}-{number}{original.path.suffix}")
        number += 1
    return _table(counts, slowest, largest), failed


def _bound(reading: Reading, path: Path, scratch: Path) -> Callable[[], int]:
    return lambda: reading(path, scratch)


def _table(counts: dict[str, Counter[str]], slowest: dict[str, float], largest: dict[str, int]) -> list[str]:
    lines = [f"| file | readings | {' | '.join((*GOOD, *BAD))} | longest, s of CPU | most memory, MiB |"]
    lines.append("|" + "---|" * (4 + len(GOOD) + len(BAD)))
    rows = [(kind, counts[kind], slowest[kind], largest[kind]) for kind in counts]
    rows.append(("all", sum(counts.values(), Counter()), max(slowest.values()), max(largest.values())))
    for kind, count, seconds, growth in rows:
        numbers = " | ".join(str(count[outcome]) for outcome in (*GOOD, *BAD))
        lines.append(f"| {kind} | {count.total()} | {numbers} | {seconds:.1f} | {growth // MIB} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long files are damaged")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where files that failed are kept")
    parser.add_argument("--only", choices=("files", "kills"), help="one of the two tables")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # a forked process has none of the others
    failed = 0
    print(f"`python benchmarks/hostile_files.py {' '.join(sys.argv[1:])}`\n")
    with tempfile.TemporaryDirectory() as name:
        folder, work = Path(name) / "whole", Path(name) / "work"
        folder.mkdir()
        work.mkdir()
        found = originals(folder)
        gc.freeze()  # what is shared with the forked processes need not be copied for them
        if arguments.only != "kills":
            if arguments.keep is not None:
                arguments.keep.mkdir(exist_ok=True)
            table, failed = damage_all(
                found, minutes=arguments.minutes, seed=arguments.seed, work=work, keep=arguments.keep
            )
            print("\n".join([*table, ""]), flush=True)
        if arguments.only != "files":
            failed += kill_commands(folder, work)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
