"""Which face sets in the host's input folder can be chosen, and the files behind a choice."""

from __future__ import annotations

from pathlib import Path

from ..emogan_core import EmoganError, pictures_by_label
from . import host


def mark_of_set(chosen: Path) -> str:
    """A text that changes when a file of a face set does: any beside its table, or in its folder, and below."""
    folder = chosen if chosen.is_dir() else chosen.parent
    return "\n".join(host.mark_of(path) for path in sorted(folder.rglob("*")))


def face_sets() -> list[str]:
    """Face sets in the input folder, as names relative to it.

    CSV files, there and in its subfolders, and after them its subfolders in which two folders or more hold pictures.
    """
    folder = host.input_folder()
    tables = [path for path in (*folder.glob("*.csv"), *folder.glob("*/*.csv")) if path.is_file()]
    sets = [path for path in folder.glob("*") if _holds_sorted(path)]
    names = [sorted(path.relative_to(folder).as_posix() for path in found) for found in (tables, sets)]
    return [*names[0], *(f"{name}/" for name in names[1])]


def _holds_sorted(folder: Path) -> bool:
    """Whether it is a folder in which two folders or more hold pictures; what cannot be read is none."""
    try:
        return folder.is_dir() and len(pictures_by_label(folder)) > 1
    except OSError:
        return False


def files_of(name: str) -> Path:
    """One of those files or folders.

    Raises: EmoganError.
    """
    if name not in face_sets():
        raise EmoganError(f"there is no '{name}' in ComfyUI's input folder; put it there and refresh")
    return host.input_folder() / name
