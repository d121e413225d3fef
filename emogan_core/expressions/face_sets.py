"""Face sets: a folder of pictures, and a CSV, or folders' names, that say what each one shows."""

from __future__ import annotations

import errno
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeVar

from ..errors import ExpressionError
from ..wording import counted
from .csv_rows import Row, read_rows
from .disk_names import OnDisk
from .label_folders import labelled_by_folders, table_not_read
from .label_words import read_labels

Cell = TypeVar("Cell")
MOST = 1e12
"""Larger numbers than this stand in a table by mistake, and their squares would swamp all others."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Pictures with labels.

    Convention: every tuple has one entry per picture; `people` is None when the CSV has no such column; covariates are
    finite numbers by column name, and so are `scores`, which stand instead of expressions (then all ''); `weights` and
    `pairs` are None without such columns, and a picture in no pair has ''. `notices` say how what was not plain was read.
    Cells are text and nothing in them is ever executed.
    """

    files: tuple[Path, ...]
    expressions: tuple[str, ...]
    people: tuple[str, ...] | None
    covariates: Mapping[str, tuple[float, ...]]
    notices: tuple[str, ...] = ()
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    weights: tuple[float, ...] | None = None
    pairs: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many pictures carry each label, most frequent first."""
        return dict(Counter(self.expressions).most_common())

    def rows(self, kept: Sequence[int]) -> FaceSet:
        """Some of the pictures."""

        def of(values: tuple[Cell, ...]) -> tuple[Cell, ...]:
            return tuple(values[row] for row in kept)

        return replace(
            self,
            files=of(self.files),
            expressions=of(self.expressions),
            people=None if self.people is None else of(self.people),
            covariates={name: of(values) for name, values in self.covariates.items()},
            scores={name: of(values) for name, values in self.scores.items()},
            weights=None if self.weights is None else of(self.weights),
            pairs=None if self.pairs is None else of(self.pairs),
        )


def read_face_set(
    folder: Path,
    labels: Path | None,
    *,
    covariates: Sequence[str] = (),
    neutral: str | None = None,
    scores: Sequence[str] = (),
) -> FaceSet:
    """Read a face set; `covariates` names the columns to take along, `neutral` the label that stands for 'neutral'.

    `scores` names columns of numbers, or of two words, that stand instead of expressions.

    Convention: without a CSV the names of the folders inside the folder are the labels of the pictures in them. The CSV
    has a header row; columns `file` (relative to the folder) and `expression`, optionally `person`,
    or what `csv_rows.NAMES` has for them, parted by commas, semicolons, tabs or bars; labels are read by
    `label_words.read_labels`. A covariate whose cells are not all numbers is taken as categories: two values become 0
    and 1 in order of name; more than two are refused. Row numbers in messages count the header as row 1.
    Raises: ExpressionError naming the row, when the folder or a file is missing, a file lies outside the folder or comes
    twice, a cell is empty, or a covariate is neither numbers nor two categories.
    """
    if not folder.is_dir():
        came = "is a file" if folder.exists() else "does not exist"
        raise ExpressionError(f"the face set folder {folder} {came}; give the folder that holds the pictures")
    if labels is None:
        return _by_folders(folder, neutral, (*covariates, *scores))
    found = read_rows(labels, scores=scores)
    rows, name = found.rows, labels.name
    extra = {
        covariate: _covariate(name, found.column(covariate), covariate, found.columns)
        for covariate in (*covariates, *scores)
    }
    if not rows:
        raise ExpressionError(f"{name} has a header but no rows; add one row per picture")
    has_people = "person" in found.columns
    has_weights, has_pairs = "weight" in found.columns and "weight" not in covariates, "pair" in found.columns
    always = ("file",) if scores else ("file", "expression")
    _refuse_empty(name, rows, (*always, *(("person",) if has_people else ())))
    base, notices = folder.resolve(), list(found.notices)
    spelled = OnDisk()
    files = tuple(_inside(folder, base, row["file"], name, number, spelled) for number, row in rows)
    turned = sum("\\" in row["file"] and "\\" not in str(path) for path, (_, row) in zip(files, rows, strict=True))
    if turned:
        notices.append(f"backslashes in {counted(turned, 'name')} as folders")
    if spelled.others:
        many = f"{len(spelled.others)} names" if len(spelled.others) > 1 else "a name"
        notices.append(f"{many} as the one file of another spelling, such as {spelled.others[0]}")
    _refuse_missing(name, folder, files, rows)
    _refuse_repeated(name, files, rows)
    words = [] if scores else [row["expression"] for _, row in rows]
    expressions, told = read_labels(name, words, neutral=neutral) if words else (("",) * len(rows), ())
    if has_weights:
        extra["weight"] = "weight"
        notices.append("the column weight as how much each picture counts")
    numbers = {key: _numbers(name, column, rows, commas=found.sign != ",") for key, column in extra.items()}
    below = [number for (number, _), weight in zip(rows, numbers.get("weight", ()), strict=False) if weight < 0]
    if has_weights and below:
        raise ExpressionError(f"{name} row {below[0]} has a weight below 0; give numbers of 0 or more")
    if has_weights and not any(numbers["weight"]):
        raise ExpressionError(f"{name} gives every picture the weight 0; give those that count a larger one")
    commas = [key for key, column in extra.items() if found.sign != "," and any("," in row[column] for _, row in rows)]
    notices += [*told, *(f"decimal commas in {key}" for key in commas)]
    if not has_people and not has_pairs:
        notices.append("no column person: every picture counts as another person")
    return FaceSet(
        files=files,
        expressions=expressions,
        people=tuple(row["person"] for _, row in rows) if has_people else None,
        covariates={key: numbers[key] for key in covariates},
        scores={key: numbers[key] for key in scores},
        weights=numbers["weight"] if has_weights else None,
        pairs=tuple(row["pair"] for _, row in rows) if has_pairs else None,
        notices=tuple(f"{name}: {notice}" for notice in notices),
    )


def _by_folders(folder: Path, neutral: str | None, columns: Sequence[str]) -> FaceSet:
    """A face set without a table."""
    if columns:
        table = table_not_read(folder)
        raise ExpressionError(
            f"'{columns[0]}' is to be a column, and no table of labels came; give a CSV that has it{'; ' * bool(table)}{table}"
        )
    files, labels, others = labelled_by_folders(folder)
    expressions, told = read_labels(folder.name, labels, neutral=neutral)
    counts = ", ".join(f"{name} {count}" for name, count in Counter(labels).most_common(12))
    lost = (f"pictures that were not taken: {others}",) if others else ()
    unread = filter(None, [table_not_read(folder)])
    notices = (f"labels from folders: {counts}", *lost, *unread, *told, "every picture counts as another person")
    return FaceSet(files, expressions, None, {}, notices=tuple(f"{folder.name}: {notice}" for notice in notices))


def _covariate(name: str, column: str | None, asked: str, columns: Sequence[str]) -> str:
    if column is None:
        raise ExpressionError(
            f"{name} has no column {asked}; it has {', '.join(columns[:12])}; needed is every covariate asked for"
        )
    return column


def _refuse_empty(name: str, rows: Sequence[Row], columns: tuple[str, ...]) -> None:
    for column in columns:
        empty = [number for number, row in rows if not row[column]]
        if empty:
            raise ExpressionError(
                f"{name} row {empty[0]} has no {column} ({counted(len(empty), 'such row')} of {len(rows)}); "
                "fill it in or delete the rows"
            )


def _inside(folder: Path, base: Path, cell: str, name: str, number: int, spelled: OnDisk) -> Path:
    """The file a cell names, when it stays inside the folder after every link is followed."""
    windows, posix = PureWindowsPath(cell), PurePosixPath(cell)
    climbs = ".." in windows.parts or ".." in posix.parts
    if climbs or windows.is_absolute() or posix.is_absolute() or windows.drive or "\0" in cell:
        raise ExpressionError(f"{name} row {number} points outside the folder: '{cell}'; name files inside {folder}")
    path = folder / cell
    try:
        if "\\" in cell and not os.path.lexists(path):  # as other systems part folders; here a name may hold it
            path = folder.joinpath(*windows.parts)
        if not os.path.lexists(path):
            path = spelled.spelled(folder, path.relative_to(folder).parts)
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()
        leaves = not path.resolve().is_relative_to(base)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ExpressionError(
                f"{name} row {number} has a name that is too long for a file: '{cell[:60]}...'; name a file in {folder}"
            ) from error
        leaves = True
    except RuntimeError:  # a loop of links
        leaves = True
    if leaves:
        raise ExpressionError(
            f"{name} row {number} points outside the folder through a link: '{cell}'; copy the file into {folder}"
        )
    return path


def _refuse_missing(name: str, folder: Path, files: tuple[Path, ...], rows: Sequence[Row]) -> None:
    missing = [number for (number, _), path in zip(rows, files, strict=True) if not path.is_file()]
    if missing:
        first = next(row["file"] for number, row in rows if number == missing[0])
        raise ExpressionError(
            f"{name} row {missing[0]} names '{first}', which is not in {folder} ({len(missing)} of {len(rows)} files "
            "are missing); put the files there or delete the rows"
        )


def _refuse_repeated(name: str, files: tuple[Path, ...], rows: Sequence[Row]) -> None:
    seen: dict[Path, int] = {}
    for (number, row), path in zip(rows, files, strict=True):
        if path in seen:
            raise ExpressionError(
                f"{name} row {number} labels '{row['file']}', as row {seen[path]} does; keep one row per picture"
                if seen[path] != number
                else f"{name} row {number} names '{row['file']}' twice, as the picture before and after; name two pictures"
            )
        seen[path] = number


def _numbers(name: str, column: str, rows: Sequence[Row], *, commas: bool) -> tuple[float, ...]:
    """A covariate's cells as numbers, or two categories as 0 and 1."""
    cells = [row[column] for _, row in rows]
    if commas:
        cells = [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
    values = [_number(cell) for cell in cells]
    beyond = [row for row, value in enumerate(values) if value is not None and abs(value) > MOST]
    if beyond:
        raise ExpressionError(
            f"{name} row {rows[beyond[0]][0]} has {cells[beyond[0]][:40]} in column {column}, beyond {MOST:g}; mend it, or "
            "give the column in other units"
        )
    if all(value is not None for value in values):
        return tuple(value for value in values if value is not None)
    kinds = sorted(set(cells))
    if len(kinds) == 2 and all(_number(kind) is None and kind for kind in kinds):
        return tuple(float(kinds.index(cell)) for cell in cells)
    bad = next(index for index, value in enumerate(values) if value is None)
    raise ExpressionError(
        f"{name} row {rows[bad][0]} has '{cells[bad][:40]}' in column {column}, which is no finite number; "
        "a column of numbers holds one in every row, such as 1234.5 or 1234,5; a covariate may hold exactly two words"
    )


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
