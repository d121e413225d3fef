"""How much memory this process may still take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from .errors import EmoganError

_GROUPS = (  # a container's limit, what of it is used and of what kind, as newer and older systems tell
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
_FILES = ("inactive_file", "active_file")  # copies of files, given up as soon as memory is wanted


def free_memory() -> int | None:
    """Bytes that are free on this machine and allowed to this process, None where the system does not tell."""
    told = [_free_of_machine(), *(_free_of_group(*group) for group in _GROUPS), _free_of_process()]
    known = [number for number in told if number is not None]
    return max(0, min(known)) if known else None


def expect_room(needed: int, *, what: str) -> None:
    """Refuse long work whose results do not fit into the memory that is free, before it begins.

    Convention: `needed` in bytes; `what` needs them, as the beginning of a sentence.
    Raises: EmoganError.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise EmoganError(
            f"{what} need {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; take fewer at a time, make them "
            "smaller, or close other programs"
        )


def _free_of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _free_of_group(folder: str, limit: str, used: str) -> int | None:
    with suppress(OSError, ValueError):  # "max" stands for none
        most, taken = (int((Path(folder) / name).read_text()) for name in (limit, used))
        kinds = dict(line.split() for line in (Path(folder) / "memory.stat").read_text().splitlines())
        return most - taken + sum(int(kinds.get(name, 0)) for name in _FILES)
    return None


def _free_of_process() -> int | None:
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource  # there is none on Windows

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            return most - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return None
