"""Face sets without a table: pictures in folders whose names say what they show."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import ExpressionError

ENDINGS = frozenset([".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".heic", ".heif"])
TABLES = frozenset([".csv", ".tsv"])
NEEDED = "needed are folders named by what their pictures show, 'neutral' one of them"


def pictures_by_label(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The pictures in each folder right inside this one, by its name; other files, hidden ones and empty folders are none.

    Raises: OSError for a folder that cannot be read.
    """
    inside = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    found = {one.name: tuple(sorted(path for path in one.iterdir() if _is_picture(path))) for one in inside}
    return {name: pictures for name, pictures in found.items() if pictures}


def labelled_by_folders(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...], str]:
    """All those pictures, the label of each, and in words which others lie about, "" for none.

    Raises: ExpressionError when there are none, or a link leads out of the folder.
    """
    try:
        found = pictures_by_label(folder)
        others = _not_taken(folder, found)
    except OSError as error:
        raise ExpressionError(f"cannot read {error.filename or folder}: {error.strerror}; check the folder") from error
    if not found:
        table = table_not_read(folder)
        raise ExpressionError(
            f"no table of labels came, and no folder in {folder} holds pictures; {NEEDED}, or a CSV with columns file and "
            f"expression{'; ' * bool(table)}{table}"
        )
    files = tuple(path for pictures in found.values() for path in pictures)
    base = folder.resolve()
    for path in files:
        if not path.resolve().is_relative_to(base):
            raise ExpressionError(f"'{path}' leads out of the folder through a link; copy the file into {folder}")
    return files, tuple(name for name, pictures in found.items() for _ in pictures), others


def table_not_read(folder: Path) -> str:
    """A sentence on a table that lies in the folder and that nobody asked for; "" where there is none."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in TABLES and path.is_file())
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].name}{more} in it was not read; --labels {found[0]} takes its labels (in ComfyUI choose it as face_set)"


def _not_taken(folder: Path, labels: Iterable[str]) -> str:
    """How many pictures lie beside the labels' folders and in folders inside them."""
    below = [
        one for name in labels for one in (folder / name).iterdir() if one.is_dir() and not one.name.startswith(".")
    ]
    counts = {
        "beside the folders": sum(map(_is_picture, folder.iterdir())),
        "in folders inside them": sum(_is_picture(path) for one in below for path in one.iterdir()),
    }
    return " and ".join(f"{count} {place}" for place, count in counts.items() if count)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
