"""Rows of a CSV as spreadsheets and scripts write them: which sign parts the columns, and which column is what."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExpressionError
from ..files import ordinary_only
from ..wording import counted
from .axes import REFERENCE

if TYPE_CHECKING:
    from _csv import Reader as CsvReader  # csv names it from Python 3.13 on

MAX_ROWS = 2_000_000
MAX_BYTES = 256 << 20
SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
NAMES = {
    role: tuple(names.split())
    for role, names in {
        "file": "file filename file_name filepath file_path path image image_name image_path img picture photo",
        "expression": "expression label labels emotion class",
        "person": "person person_id people subject subject_id participant participant_id identity",
        "pair": "pair pair_id",
        "weight": "weight weights sample_weight",
        "before": "before file_before",
        "after": "after file_after",
    }.items()
}
"""What columns may be called, in any case, with spaces or hyphens instead of the underscores."""

EXPECTED = "expected is a header row with the columns file and expression, and after it one row per picture"
_SHOWN = 120


Row = tuple[int, dict[str, str]]
"""A row's number, the header being row 1, and its cells by column."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a CSV.

    Convention: columns are called as in the file, but for file, expression and person; `notices` say how what is not
    plain was read.
    """

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    sign: str
    notices: tuple[str, ...]

    def column(self, name: str) -> str | None:
        """A column by its name, in any case and spacing where it is not there to the letter."""
        if name in self.columns:
            return name
        like = [column for column in self.columns if _plain(column) == _plain(name)]
        return like[0] if len(like) == 1 else None


_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # of Excel and LibreOffice, newer and older


def read_rows(path: Path, *, scores: Sequence[str] = ()) -> Rows:
    """The rows of a CSV in UTF-8, or in UTF-16 with a byte order mark; with scores asked for, expressions are not needed.

    A row with two files, before and after, becomes two rows of a pair.

    Raises: ExpressionError, with the file's first line where that is what cannot be understood.
    """
    text = _text(path)
    first, _, rest = text.partition("\n")
    start = 1
    while rest and not first.strip():  # empty lines before the header
        text, start = rest, start + 1
        first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:  # a spreadsheet's own note
        text, first, start = rest, rest.partition("\n")[0], start + 1
    needed = ("file",) if scores else ("file", "expression")
    sign, told = _sign_of(path.name, first, needed)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
        columns = tuple(column.strip() for column in next(reader, []))
        names, renamed = _named(path.name, columns, first, needed)
        rows = _rows(path.name, reader, len(columns), start)
    except csv.Error as error:
        raise ExpressionError(f"{path.name} is not a CSV ({error}); {_shown(first)}") from error
    renamed_rows = tuple((number, dict(zip(names, cells, strict=True))) for number, cells in rows)
    if "file" not in names:
        both = tuple(half for row in renamed_rows for half in _halves(row))
        return Rows(
            both, (*names, "file", "pair"), sign, (*told, *renamed, "each row as a picture before and one after")
        )
    return Rows(renamed_rows, names, sign, (*told, *renamed))


def _halves(row: Row) -> tuple[Row, Row]:
    """A row of two files as two rows, the one before being neutral."""
    number, cells = row
    shared = {**cells, "pair": str(number)}
    return (
        (number, {**shared, "file": cells["before"], "expression": REFERENCE}),
        (number, {**shared, "file": cells["after"]}),
    )


def _text(path: Path) -> str:
    """The whole file, which must be an ordinary one and not absurdly long.

    Raises: ExpressionError.
    """
    try:
        with open(path, "rb", opener=ordinary_only) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise ExpressionError(f"{path.name} has {size} bytes; the limit is {MAX_BYTES}, split the face set")
            data = file.read(MAX_BYTES)
        if data.startswith(_WORKBOOKS):
            raise ExpressionError(f"{path.name} is a spreadsheet's own file; save the table as CSV and give that")
        if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) or b"\0\0" in (data[:3:2], data[1:4:2]):
            raise ExpressionError(
                f"{path.name} is not in UTF-8: it begins as a text in UTF-16 without its mark or in UTF-32; save it as 'CSV "
                "UTF-8', as spreadsheets call it"
            )
        marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return (
            data.decode("utf-16" if data.startswith(marks) else "utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        )
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            line = error.object[: error.start].count(b"\n") + 1
            raise ExpressionError(
                f"{path.name} is not in UTF-8: line {line} holds a letter of another encoding; save it as 'CSV UTF-8', as "
                "spreadsheets call it"
            ) from error
        raise ExpressionError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}; check the path"
        ) from error


def _sign_of(name: str, first: str, needed: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The sign between the columns, told from the header: the one by which a file and an expression are named.

    Raises: ExpressionError when there is none.
    """
    able = [sign for sign in SIGNS if len(first.split(sign)) > 1 and not _missing(_roles(first.split(sign)), needed)]
    if len(able) == 1:
        return able[0], () if able[0] == "," else (f"{SIGNS[able[0]]} between the columns",)
    there = [sign for sign in SIGNS if sign in first]
    if len(there) > 1 or not first.strip():
        raise ExpressionError(f"{name} has no header that can be read; {_shown(first)}")
    return (there or [","])[0], ()  # what is missing is told by its column


def _roles(columns: Sequence[str]) -> dict[str, list[str]]:
    """Which columns can be the file, the expression and the person."""
    found: dict[str, list[str]] = {}
    for column in columns:
        for role, names in NAMES.items():
            if _plain(column) in names:
                found.setdefault(role, []).append(column)
    return found


def _missing(roles: Collection[str], needed: tuple[str, ...]) -> list[str]:
    """Which of the needed columns are not there; before and after together stand for file."""
    paired = "expression" in needed and {"before", "after"} <= set(roles)
    return [role for role in needed if role not in roles and not (role == "file" and paired)]


def _plain(column: str) -> str:
    return "_".join(column.strip().strip('"').lower().replace("-", " ").replace("_", " ").split())


def _rows(name: str, reader: CsvReader, columns: int, start: int) -> list[tuple[int, list[str]]]:
    """What comes after the header."""
    rows: list[tuple[int, list[str]]] = []
    for cells in reader:
        if not cells:
            continue
        number = reader.line_num + start - 1
        if len(cells) != columns:
            raise ExpressionError(
                f"{name} row {number} has another number of cells than the header, which has {counted(columns, 'column')}; mend that row"
            )
        rows.append((number, [cell.strip() for cell in cells]))
        if len(rows) > MAX_ROWS:
            raise ExpressionError(f"{name} has more than {MAX_ROWS} rows; split the face set")
    return rows


def _named(
    name: str, columns: tuple[str, ...], first: str, needed: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns with file, expression and person called so, and what was called otherwise.

    Raises: ExpressionError when one of them is missing, or could be several.
    """
    roles = _roles(columns)
    if "expression" not in needed:
        roles.pop("expression", None)  # a score may be called so
    chosen: dict[str, str] = {}
    for role, able in roles.items():
        exact = [column for column in able if column == role]
        if len(exact) > 1:
            raise ExpressionError(f"{name} has the column {role} more than once; keep one")
        if not exact and len(able) > 1:
            raise ExpressionError(
                f"{name} has the columns {' and '.join(able)}, and each could be the {role}; call one of them {role}"
            )
        chosen[(exact or able)[0]] = role
    missing = _missing(list(chosen.values()), needed)
    if missing:
        raise ExpressionError(f"{name} has no column {', '.join(missing)}; {_shown(first)}")
    names = tuple(chosen.get(column, column) for column in columns)
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise ExpressionError(f"{name} has the column {repeated[0]} more than once; keep one")
    others = [f"the column {column!a} as {role}" for column, role in chosen.items() if column != role]
    return names, tuple(others)


def _shown(first: str) -> str:
    return f"its first line is {first[:_SHOWN]!a}{' ...' if len(first) > _SHOWN else ''}; {EXPECTED}"
