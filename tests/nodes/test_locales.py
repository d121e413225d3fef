"""Translations name every node, input and output, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCHEMAS: dict[str, Any] = json.loads((ROOT / "tests/host/schemas.json").read_text(encoding="utf-8"))


def texts(language: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / f"locales/{language}/nodeDefs.json").read_text(encoding="utf-8")))


def inputs(info: dict[str, Any]) -> dict[str, Any]:
    return {name: spec for group in ("required", "optional") for name, spec in info["input"].get(group, {}).items()}


def test_golden_english_is_what_the_schemas_say() -> None:
    english = texts("en")
    assert set(english) == set(SCHEMAS)
    for name, info in SCHEMAS.items():
        told = english[name]
        assert (told["display_name"], told["description"]) == (info["display_name"], info["description"])
        tooltips = {key: spec[1]["tooltip"] for key, spec in inputs(info).items()}
        assert {key: text["tooltip"] for key, text in told.get("inputs", {}).items()} == tooltips
        outputs = [(text["name"], text["tooltip"]) for text in told.get("outputs", {}).values()]
        assert outputs == list(zip(info["output_name"], info["output_tooltips"], strict=True))


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_shape_translations_are_whole(language: str) -> None:
    def keys(node: Any) -> Any:
        return {key: keys(value) for key, value in node.items()} if isinstance(node, dict) else bool(node)

    assert keys(texts(language)) == keys(texts("en"))
