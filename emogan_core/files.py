"""Files of the user: only ordinary ones are read, and each is written whole or not at all."""

from __future__ import annotations

import errno
import os
import platform
import stat
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from .errors import OutputError

_PREFIX = ".emogan-"
_ABANDONED_S = 24 * 3600  # a temporary file of another machine, untouched for so long, has no writer any more


def ordinary_only(path: str | os.PathLike[str], flags: int) -> int:
    """An `opener` for `open` that takes ordinary files alone: a pipe would wait for ever, a device never end.

    Raises: OSError, whose `strerror` says what came instead.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o666)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        came = "a folder" if stat.S_ISDIR(mode) else "a device or pipe"
        raise OSError(errno.EINVAL, f"it is {came}, not an ordinary file", os.fspath(path))
    return descriptor


def first_bytes(path: Path, count: int) -> bytes:
    """The start of an ordinary file.

    Raises: OSError, as `ordinary_only`.
    """
    if path.is_dir():  # which some systems do not even open
        raise OSError(errno.EISDIR, "it is a folder, not an ordinary file", str(path))
    with open(path, "rb", opener=ordinary_only) as file:
        return file.read(count)


def write_whole(target: Path, write: Callable[[Path], object], *, inputs: Iterable[Path] = ()) -> None:
    """Let `write` fill a temporary file beside `target`, then rename it into place; a link is followed.

    The target is untouched when anything goes wrong. `inputs` are files that must not be overwritten. Temporary files
    that a killed process left in the folder are removed.
    Raises: OutputError as `refuse_overwrite`, or when writing fails, for example on a full disk.
    """
    refuse_overwrite(target, inputs)
    place = _followed(target)
    _remove_abandoned(place.parent)
    temporary = _temporary_beside(place)
    try:
        write(temporary)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; a picture should have the usual rights
        os.replace(temporary, place)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}; choose another place") from error
    finally:
        temporary.unlink(missing_ok=True)


def refuse_overwrite(target: Path, inputs: Iterable[Path] = ()) -> None:
    """Check a target before long work begins, by really making and removing a file beside it.

    Raises: OutputError when it is a folder or a device, its name or folder is unusable, or it is one of `inputs`.
    """
    try:
        _check_target(target)
        for source in inputs:
            if target.exists() and source.exists() and os.path.samefile(target, source):
                raise OutputError(
                    f"the output {target} is the input itself; choose another name so that nothing is lost"
                )
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {target}: {why}; choose another name") from error
    _temporary_beside(_followed(target)).unlink(missing_ok=True)


def _followed(target: Path) -> Path:
    """Where a target's bytes go: the file that a link leads to, so that the link stays one.

    Raises: OutputError for links that lead in a circle.
    """
    place = Path(os.path.realpath(target)) if target.is_symlink() else target
    if place.is_symlink():
        raise OutputError(f"cannot write {target}: it is a link that leads in a circle; choose another name")
    return place


def _check_target(target: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        target.lstat()  # raises for a name too long or otherwise impossible
    if target.is_dir():
        raise OutputError(f"the output {target} is a folder; give a file name")
    place = _followed(target)
    if not place.parent.is_dir():
        raise OutputError(f"cannot write {target}: the folder {place.parent} does not exist; create it first")
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {target}: it is a device or pipe; give an ordinary file name")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"cannot write {target}: the file is write-protected; choose another name")


def _temporary_beside(target: Path) -> Path:
    """A new empty file in the target's folder, with the target's suffix; its name tells who writes it.

    Raises: OutputError.
    """
    prefix = f"{_PREFIX}{_machine()}-{os.getpid()}-"
    try:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=target.suffix[:16], dir=target.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror or error}; choose a folder you may write to"
        ) from error
    os.close(handle)
    return Path(name)


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files of processes that were killed; those of living ones stay."""
    with suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                if _is_abandoned(path):
                    path.unlink()


def _is_abandoned(path: Path) -> bool:
    machine, _, rest = path.name.removeprefix(_PREFIX).partition("-")
    process = rest.partition("-")[0]
    if machine == _machine() and process.isdigit() and os.name == "posix":
        try:
            os.kill(int(process), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:
            return False
        return False
    return time.time() - path.stat().st_mtime > _ABANDONED_S


def _machine() -> str:
    """A short name of this machine: a folder may be shared."""
    return f"{zlib.crc32(platform.node().encode()):08x}"
