"""What a text on the command line may be; argparse prints the words of the errors."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

MOST_FACES = 400


def count(text: str) -> int:
    """How many faces."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:18]) <= MOST_FACES:
        raise ArgumentTypeError(f"'{text}' came; needed a whole number from 1 to {MOST_FACES}")
    return int(text)


def whole(text: str) -> int:
    """A whole number from 0."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ArgumentTypeError(f"'{text}' came; needed a whole number from 0")
    return int(text)


def place(text: str) -> Path:
    """A path; an empty one would mean the folder that one is in."""
    return Path(place_or_name(text))


def place_or_name(text: str) -> str:
    """A path, or a word that stands for what ships."""
    if not text:
        raise ArgumentTypeError("the path is empty; name the file or folder that is meant")
    return text
