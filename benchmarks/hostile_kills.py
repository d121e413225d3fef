"""Every command that writes, killed while it writes: what `hostile_files.py` finds in the folder afterwards."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from emogan_core import cli
from emogan_core.errors import EmoganError
from emogan_core.files import write_whole
from emogan_core.images import open_photo
from emogan_core.weights import read_header

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
MOMENTS = ("half written", "before the rename")
PATIENCE_S = 240.0
SEVERAL = ("edit with a sheet", "edit of frames", "demo", "fit")  # these write more than one file


def commands(folder: Path) -> dict[str, list[str]]:
    """What is run, with OUT for the folder that is written to."""
    tiny = ["--generator", str(folder / "generator.safetensors"), "--device", "cpu", "--force"]
    axes = ["--axes", str(folder / "axes.safetensors")]
    photo, happy = str(folder / "portrait.png"), ["--expression", "happiness=1"]
    edit = ["edit", photo, *happy, "--method", "encode", *tiny, *axes]
    frames = ["edit", str(folder / "frames.webp"), *edit[2:]]
    return {
        "sample": ["sample", "-o", "OUT/out.png", *tiny],
        "invert": ["invert", photo, "-o", "OUT/out.safetensors", "--method", "encode", *tiny],
        "apply": ["apply", str(folder / "latent.safetensors"), *happy, "-o", "OUT/out.png", *tiny, *axes],
        "convert": ["convert", str(folder / "generator.safetensors"), "OUT/out.safetensors", "--force"],
        "fit": [
            *("fit", str(folder), "--labels", str(folder / "labels.csv"), "--aligned"),
            *("-o", "OUT/out.safetensors", *tiny),
        ],
        "edit": [*edit, "-o", "OUT/out.png"],
        "edit with a sheet": [*edit, "-o", "OUT/out.png", "--sheet", "OUT/sheet.png"],
        "edit of frames": [*frames, "--frames", "-o", "OUT/frames"],
        "demo": ["demo", "-o", "OUT", "--method", "encode", *tiny, *axes],
    }


def kill_commands(folder: Path, work: Path) -> int:
    """Print a table row by row; returns how many runs ended wrongly."""
    print(
        "| command | runs | stopped in a write | half-written files | temporary files left by a kill | then removed | wrong |"
    )
    print("|---|---|---|---|---|---|---|")
    wrong = 0
    for name, words in commands(folder).items():
        count: Counter[str] = Counter()
        for number in SIGNALS:
            for moment in MOMENTS if number == signal.SIGKILL else MOMENTS[:1]:
                for write in (1, 2) if name in SEVERAL else (1,):
                    _one(words, number, moment, write, work / "killed", count, name)
        wrong += count["wrong"] + count["half"]
        numbers = " | ".join(str(count[what]) for what in ("runs", "stopped", "half", "left", "removed", "wrong"))
        print(f"| {name} | {numbers} |", flush=True)
    return wrong


def _one(words: list[str], number: int, moment: str, write: int, out: Path, count: Counter[str], name: str) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    said, ready = out.with_suffix(".said"), out.with_suffix(".ready")
    said.unlink(missing_ok=True)
    ready.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _run_and_hold([word.replace("OUT", str(out)) for word in words], moment, write, said, ready)
    end = time.monotonic() + PATIENCE_S
    ended = None
    while not ready.exists() and time.monotonic() < end and ended is None:
        time.sleep(0.02)
        done, status = os.waitpid(child, os.WNOHANG)
        ended = status if done else None
    count["runs"] += 1
    if ended is None:
        count["stopped"] += 1
        os.kill(child, number)
        _, ended = os.waitpid(child, 0)
    mistakes = [*_mistakes(out, number, ended, said)]
    half = [path for path in sorted(out.rglob("*")) if _is_half(path)]
    left = list(out.rglob(".emogan-*"))
    count["half"] += len(half)
    count["left"] += len(left)
    for place in {path.parent for path in left}:
        write_whole(place / "next.txt", lambda path: path.write_text("x"))
    count["removed"] += len(left) - len(list(out.rglob(".emogan-*")))
    if list(out.rglob(".emogan-*")):
        mistakes.append("a temporary file outlived the next write")
    count["wrong"] += bool(mistakes)
    for mistake in [*mistakes, *(f"{path.name} is half-written" for path in half)]:
        print(f"{name}, {signal.Signals(number).name}, {moment}: {mistake}", file=sys.stderr, flush=True)


def _mistakes(out: Path, number: int, status: int, said: Path) -> list[str]:
    """What a stopped command should not have left or said."""
    if number == signal.SIGKILL:
        return [] if os.WIFSIGNALED(status) else [f"ended with status {status}"]
    told = [line for line in said.read_text().splitlines() if line.startswith("emogan: ") and ": note: " not in line]
    mistakes = [f"{path.name} was left" for path in out.rglob(".emogan-*")]
    if not os.WIFEXITED(status) or os.WEXITSTATUS(status) != cli.INTERRUPTED:
        mistakes.append(f"ended with status {status}")
    if len(told) != 1 or "stopped; " not in told[0]:
        mistakes.append(f"said {told}")
    elif (names := [str(path) for path in out.rglob("*") if path.is_file()]) and "nothing was written" in told[0]:
        mistakes.append(f"said that nothing was written, but there are {names}")
    return mistakes


def _is_half(path: Path) -> bool:
    if path.is_dir() or path.name.startswith(".emogan-"):
        return False
    try:
        if path.suffix in (".safetensors", ".codes"):
            read_header(path)
        else:
            open_photo(path)
    except EmoganError:
        return True
    return False


def _run_and_hold(words: list[str], moment: str, write: int, said: Path, ready: Path) -> None:
    """Run a command that stops for ever in its `write`-th write; never returns."""
    writes = 0

    def hold() -> None:
        ready.touch()
        for _ in range(600):
            time.sleep(0.1)

    real_replace, real_bytes = os.replace, Path.write_bytes

    def replace(source: str | Path, target: str | Path) -> None:
        nonlocal writes
        writes += 1
        if moment == MOMENTS[1] and writes == write:
            hold()
        real_replace(source, target)

    def write_bytes(path: Path, data: bytes) -> int:
        if moment == MOMENTS[0] and writes == write - 1:
            real_bytes(path, data[: len(data) // 2])
            hold()
        return real_bytes(path, data)

    def save_file(tensors: object, filename: str, metadata: object = None) -> None:
        if moment == MOMENTS[0] and writes == write - 1:
            real_bytes(Path(filename), b"\x10\0\0\0\0\0\0\0{")
            hold()
        real_save(tensors, filename, metadata=metadata)

    from emogan_core import weights

    real_save = weights.save_file
    os.replace, Path.write_bytes, weights.save_file = replace, write_bytes, save_file  # type: ignore[assignment]
    status = 1
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever started this may have switched them off
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (
        open(said, "w", buffering=1) as file,
        contextlib.redirect_stderr(file),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        with contextlib.suppress(BaseException):
            status = cli.main(words)
        file.flush()
    os._exit(status)
