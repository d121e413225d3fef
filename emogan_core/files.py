"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from .errors import OutputError


def write_whole(target: Path, write: Callable[[Path], None], *, inputs: Iterable[Path] = ()) -> None:
    """Let `write` fill a temporary file beside `target`, then rename it into place.

    The target is untouched when anything goes wrong. `inputs` are files that must not be overwritten.
    Raises: OutputError when the folder is missing or not writable, the target is a folder, or it is one of `inputs`.
    """
    refuse_overwrite(target, inputs)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror or error}; choose a folder you may write to"
        ) from error
    os.close(handle)
    temporary = Path(name)
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


def refuse_overwrite(target: Path, inputs: Iterable[Path]) -> None:
    """Check a target before long work begins.

    Raises: OutputError when it is a folder, its folder is missing, or it is one of `inputs`.
    """
    if target.is_dir():
        raise OutputError(f"the output {target} is a folder; give a file name")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {target}: the folder {target.parent} does not exist; create it first")
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"cannot write {target}: the folder {target.parent} is not writable; choose another place")
    for source in inputs:
        if target.exists() and source.exists() and os.path.samefile(target, source):
            raise OutputError(f"the output {target} is the input itself; choose another name so that nothing is lost")
