"""Face sets: a folder of pictures and a CSV that says what each one shows."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import ExpressionError

MAX_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Pictures with labels.

    Convention: every tuple has one entry per picture; `people` is None when the CSV has no such column; covariates are
    finite numbers by column name. Cells are text and nothing in them is ever executed.
    """

    files: tuple[Path, ...]
    expressions: tuple[str, ...]
    people: tuple[str, ...] | None
    covariates: Mapping[str, tuple[float, ...]]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many pictures carry each label, most frequent first."""
        return dict(Counter(self.expressions).most_common())


def read_face_set(folder: Path, labels: Path, *, covariates: Sequence[str] = ()) -> FaceSet:
    """Read a face set; `covariates` names the columns to take along.

    Convention: the CSV is UTF-8 with a header row; columns `file` (relative to the folder) and `expression`, optionally
    `person`. A covariate whose cells are not all numbers is taken as categories: two values become 0 and 1 in order of
    name; more than two are refused. Row numbers in messages count the header as row 1.
    Raises: ExpressionError naming the row, when the folder or a file is missing, a file lies outside the folder or comes
    twice, a cell is empty, or a covariate is neither numbers nor two categories.
    """
    if not folder.is_dir():
        raise ExpressionError(f"the face set folder {folder} does not exist; give the folder that holds the pictures")
    rows, columns = _read_rows(labels)
    _expect_columns(labels.name, columns, ("file", "expression", *covariates))
    if not rows:
        raise ExpressionError(f"{labels.name} has a header but no rows; add one row per picture")
    _refuse_empty(labels.name, rows, ("file", "expression", *(("person",) if "person" in columns else ())))
    base = folder.resolve()
    files = tuple(_inside(folder, base, row["file"], labels.name, number) for number, row in rows)
    _refuse_missing(labels.name, folder, files, rows)
    _refuse_repeated(labels.name, files, rows)
    return FaceSet(
        files=files,
        expressions=tuple(row["expression"] for _, row in rows),
        people=tuple(row["person"] for _, row in rows) if "person" in columns else None,
        covariates={name: _numbers(labels.name, name, rows) for name in covariates},
    )


Row = tuple[int, dict[str, str]]


def _read_rows(labels: Path) -> tuple[list[Row], tuple[str, ...]]:
    try:
        with labels.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = tuple(name.strip() for name in reader.fieldnames or ())
            reader.fieldnames = columns
            rows: list[Row] = []
            for row in reader:
                if None in row or None in row.values():
                    raise ExpressionError(
                        f"{labels.name} row {reader.line_num} has another number of cells than the {len(columns)} "
                        "columns of the header; mend that row"
                    )
                rows.append((reader.line_num, {name: cell.strip() for name, cell in row.items()}))
                if len(rows) > MAX_ROWS:
                    raise ExpressionError(f"{labels.name} has more than {MAX_ROWS} rows; split the face set")
    except OSError as error:
        raise ExpressionError(f"cannot read {labels}: {error.strerror or error}; check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExpressionError(f"{labels.name} is not a CSV in UTF-8 ({error}); save it as one") from error
    return rows, columns


def _expect_columns(name: str, columns: tuple[str, ...], needed: tuple[str, ...]) -> None:
    missing = [column for column in needed if column not in columns]
    if missing:
        raise ExpressionError(
            f"{name} has no column {', '.join(missing)}; it has {', '.join(columns[:12]) or 'no header'}; "
            "needed are file and expression, and every covariate asked for"
        )
    repeated = sorted(column for column, count in Counter(columns).items() if count > 1)
    if repeated:
        raise ExpressionError(f"{name} has the column {repeated[0]} more than once; keep one")


def _refuse_empty(name: str, rows: list[Row], columns: tuple[str, ...]) -> None:
    for column in columns:
        empty = [number for number, row in rows if not row[column]]
        if empty:
            raise ExpressionError(
                f"{name} row {empty[0]} has no {column} ({len(empty)} such rows of {len(rows)}); "
                "fill it in or delete the rows"
            )


def _inside(folder: Path, base: Path, cell: str, name: str, number: int) -> Path:
    """The file a cell names, when it stays inside the folder after every link is followed."""
    windows, posix = PureWindowsPath(cell), PurePosixPath(cell)
    climbs = ".." in windows.parts or ".." in posix.parts
    if climbs or windows.is_absolute() or posix.is_absolute() or windows.drive or "\0" in cell:
        raise ExpressionError(f"{name} row {number} points outside the folder: '{cell}'; name files inside {folder}")
    path = folder / cell
    try:
        leaves = not path.resolve().is_relative_to(base)
    except (OSError, RuntimeError):  # a loop of links
        leaves = True
    if leaves:
        raise ExpressionError(
            f"{name} row {number} points outside the folder through a link: '{cell}'; copy the file into {folder}"
        )
    return path


def _refuse_missing(name: str, folder: Path, files: tuple[Path, ...], rows: list[Row]) -> None:
    missing = [number for (number, _), path in zip(rows, files, strict=True) if not path.is_file()]
    if missing:
        first = next(row["file"] for number, row in rows if number == missing[0])
        raise ExpressionError(
            f"{name} row {missing[0]} names '{first}', which is not in {folder} ({len(missing)} of {len(rows)} files "
            "are missing); put the files there or delete the rows"
        )


def _refuse_repeated(name: str, files: tuple[Path, ...], rows: list[Row]) -> None:
    seen: dict[Path, int] = {}
    for (number, row), path in zip(rows, files, strict=True):
        if path in seen:
            raise ExpressionError(
                f"{name} rows {seen[path]} and {number} both label '{row['file']}'; keep one row per picture"
            )
        seen[path] = number


def _numbers(name: str, column: str, rows: list[Row]) -> tuple[float, ...]:
    """A covariate's cells as numbers, or two categories as 0 and 1."""
    cells = [row[column] for _, row in rows]
    values = [_number(cell) for cell in cells]
    if all(value is not None for value in values):
        return tuple(value for value in values if value is not None)
    kinds = sorted(set(cells))
    if len(kinds) == 2 and all(_number(kind) is None and kind for kind in kinds):
        return tuple(float(kinds.index(cell)) for cell in cells)
    bad = next(index for index, value in enumerate(values) if value is None)
    raise ExpressionError(
        f"{name} row {rows[bad][0]} has '{cells[bad][:40]}' in column {column}, which is no finite number; "
        "a covariate holds numbers in every row, or exactly two words"
    )


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
