"""The page on the architecture: every file that it names is there, and each walk names a file once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALKS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[2:]


def files_in(text: str) -> list[str]:
    return re.findall(r"`([a-z_0-9/]+\.py)`", text)


def test_shape_every_file_that_is_named_is_there() -> None:
    named = set(files_in(PAGE))
    assert len(named) > 30
    assert [name for name in named if not ((ROOT / name).is_file() or (ROOT / "emogan_core" / name).is_file())] == []


def test_shape_every_walk_names_a_file_once() -> None:
    assert len(WALKS) == 3
    for walk in WALKS:
        repeated = [name for name, count in Counter(files_in(walk)).items() if count > 1]
        assert repeated in ([], ["images.py"])  # a photo is opened and saved by the same module
