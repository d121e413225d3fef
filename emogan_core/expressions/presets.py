"""Expressions to keep and to hand on: intensities by name, in a small JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import CheckpointError, ExpressionError
from ..files import ordinary_only, write_whole
from ..weights import builtin_path
from .editing import checked_intensity

FORMAT = "emotiongan-expression-1"
BUILTIN = "expressions.json"
MAX_BYTES = 65_536
MAX_NAMES = 200
MAX_LETTERS = 64


def add_intensities(*parts: Mapping[str, float]) -> dict[str, float]:
    """Intensities added up by name; those that come to 0 are left out."""
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + value
    return {name: value for name, value in total.items() if value != 0}


def scale_intensities(intensities: Mapping[str, float], strength: float) -> dict[str, float]:
    """Intensities times a number."""
    return {name: strength * value for name, value in intensities.items()}


def parse_intensities(text: str, *, where: str) -> dict[str, float]:
    """Intensities from "name=number, name=number", by comma or line; `where` they stand is told when they are wrong.

    Raises: ExpressionError for text that is not name=number, or an expression named twice.
    """
    wanted: dict[str, float] = {}
    for part in (part.strip() for part in text.replace("\n", ",").split(",")):
        if not part:
            continue
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError as error:
            raise ExpressionError(
                f"'{part[:80]}' came in {where}; write name=number, for example eyeBlinkLeft=0.5"
            ) from error
        if name in wanted:
            raise ExpressionError(f"'{name[:80]}' came twice in {where}; name it once")
        wanted[name] = value
    return wanted


def save_preset(path: Path, intensities: Mapping[str, float]) -> None:
    """Write intensities by expression or shape as JSON that people can read; nothing is said about a photo.

    Raises: ExpressionError for an intensity beyond the limit, or none at all; OutputError.
    """
    numbers = {name: round(checked_intensity(name, value), 4) for name, value in intensities.items()}
    if not numbers:
        raise ExpressionError("there is nothing to save: every intensity is 0; move a slider first")
    text = json.dumps({"format": FORMAT, "intensities": numbers}, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, lambda temporary: _write(temporary, text))


def load_preset(path: Path) -> dict[str, float]:
    """Intensities from a file that `save_preset` wrote, or that somebody typed.

    Raises: CheckpointError when it is missing, too large, another file or damaged; ExpressionError for an intensity
    beyond the limit.
    """
    try:
        with open(path, "rb", opener=ordinary_only) as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CheckpointError(f"cannot read {path.name}: {error.strerror or error}; check the file") from error
    if len(raw) > MAX_BYTES:
        raise CheckpointError(f"{path.name} has more than {MAX_BYTES} bytes, too many for an expression; give another")
    try:
        content = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is no JSON text; give a file that Save Expression wrote") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        came = content.get("format", "none") if isinstance(content, dict) else "none"
        raise CheckpointError(f"{path.name} is no expression (format '{str(came)[:40]}'); needed '{FORMAT}'")
    return _checked(path.name, content.get("intensities"))


def builtin_presets() -> dict[str, dict[str, float]]:
    """The expressions that come with the package, by name."""
    content = json.loads(builtin_path(BUILTIN).read_text(encoding="utf-8"))
    return {name: _checked(name, intensities) for name, intensities in content.items()}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _checked(where: str, intensities: object) -> dict[str, float]:
    if not isinstance(intensities, dict) or not 0 < len(intensities) <= MAX_NAMES:
        raise CheckpointError(
            f"{where} holds no intensities, or more than {MAX_NAMES}; write them as "
            '{"intensities": {"happiness": 0.5}}'
        )
    for name in intensities:
        if not name.isprintable() or not 0 < len(name) <= MAX_LETTERS:
            raise CheckpointError(f"{where} has the name {name[:80]!r}; give a plain one such as mouthSmileLeft")
    return {name: checked_intensity(name, _number(value)) for name, value in intensities.items()}


def _number(value: object) -> float:
    """A JSON number; texts and truth values are none, and `checked_intensity` says so of NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    return float(value) if abs(value) < 1e9 else float("inf")  # a whole number of 400 digits is no float
