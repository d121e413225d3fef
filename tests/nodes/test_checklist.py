"""The table of what a first-class pack needs says something about every row."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/comfyui.md"
ROWS = {"H": 12, "A": 7, "U": 11, "M": 5, "D": 7, "P": 6, "T": 6}


def test_shape_every_row_stands_somewhere_with_evidence() -> None:
    rows = re.findall(r"^\| ([A-Z]\d+) \| (.+) \| (\w+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row[0] for row in rows] == [f"{letter}{n}" for letter, count in ROWS.items() for n in range(1, count + 1)]
    for _, _, stands, evidence in rows:
        assert stands in ("met", "partly", "not")
        assert len(evidence) > 4
