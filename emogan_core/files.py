"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from .errors import OutputError

_PREFIX = ".emogan-"


def write_whole(target: Path, write: Callable[[Path], None], *, inputs: Iterable[Path] = ()) -> None:
    """Let `write` fill a temporary file beside `target`, then rename it into place.

    The target is untouched when anything goes wrong. `inputs` are files that must not be overwritten.
    Raises: OutputError as `refuse_overwrite`, or when writing fails, for example on a full disk.
    """
    refuse_overwrite(target, inputs)
    temporary = _temporary_beside(target)
    try:
        write(temporary)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; a picture should have the usual rights
        os.replace(temporary, target)
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
    _temporary_beside(target).unlink(missing_ok=True)


def _check_target(target: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        target.lstat()  # raises for a name too long or otherwise impossible
    if target.is_dir():
        raise OutputError(f"the output {target} is a folder; give a file name")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {target}: the folder {target.parent} does not exist; create it first")
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {target}: it is a device or pipe; give an ordinary file name")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"cannot write {target}: the file is write-protected; choose another name")


def _temporary_beside(target: Path) -> Path:
    """A new empty file in the target's folder, with the target's suffix.

    Raises: OutputError.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=target.suffix[:16], dir=target.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror or error}; choose a folder you may write to"
        ) from error
    os.close(handle)
    return Path(name)
