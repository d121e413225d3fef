"""The tables of what a first-class pack needs, and of what takes the place of AdvancedLivePortrait, are whole."""

from __future__ import annotations

import re
from pathlib import Path

from emogan_core import EXPRESSIONS, SHAPES, builtin_presets

PAGE = Path(__file__).parents[2] / "docs/comfyui.md"
OTHER_PACK = Path(__file__).parents[2] / "docs/from-advanced-live-portrait.md"
SLIDERS = [
    "rotate_pitch",
    "rotate_yaw",
    "rotate_roll",
    "blink",
    "eyebrow",
    "wink",
    "pupil_x",
    "pupil_y",
    "aaa",
    "eee",
    "woo",
    "smile",
]
FEATURES = ("sample image", "motion link", "chained data", "part selection", "video")
ROWS = {"H": 12, "A": 7, "U": 11, "M": 5, "D": 7, "P": 6, "T": 6}


def test_shape_every_row_stands_somewhere_with_evidence() -> None:
    rows = re.findall(r"^\| ([A-Z]\d+) \| (.+) \| (\w+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row[0] for row in rows] == [f"{letter}{n}" for letter, count in ROWS.items() for n in range(1, count + 1)]
    for _, _, stands, evidence in rows:
        assert stands in ("met", "partly", "not")
        assert len(evidence) > 4


def test_shape_each_slider_and_feature_of_advanced_live_portrait_has_its_row() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", OTHER_PACK.read_text(encoding="utf-8"), re.MULTILINE)
    sliders = [name for there, _ in rows for name in there.split(", ") if name in SLIDERS]
    assert sliders == SLIDERS
    assert [one for there, _ in rows for one in FEATURES if there.startswith(one)] == list(FEATURES)
    sides = {f"{name}{side}" for name in SHAPES for side in ("", "Left", "Right")}
    known = sides | set(EXPRESSIONS) | set(builtin_presets())
    named = [one for there, here in rows if there.split(", ")[0] in SLIDERS for one in re.findall(r"\*([^*]+)\*", here)]
    assert set(named) - {"more", "Read Expression"} <= known
