"""Help pages: every node in three languages, the same inputs and pictures in each, named as the translated nodes name them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "web/docs"
SCHEMAS: dict[str, Any] = json.loads((ROOT / "tests/host/schemas.json").read_text(encoding="utf-8"))
TRANSLATED = [(node, language) for node in SCHEMAS for language in ("zh", "ja")]
MOST_BYTES = 100_000


def page(node: str, language: str = "en") -> str:
    """As the host's page looks for it: a folder for each node with its translations, English beside it."""
    path = DOCS / f"{node}.md" if language == "en" else DOCS / node / f"{language}.md"
    return path.read_text(encoding="utf-8")


def cells(text: str) -> list[str]:
    """The first cells of rows that explain inputs or outputs, in order."""
    return re.findall(r"^\| (\*\*.+?) \| ", text, flags=re.MULTILINE)


def names(text: str) -> list[str]:
    """What is explained, in bold, by the names that nodes use."""
    return [name for cell in cells(text) for name in re.findall(r"\*\*(\w+)\*\*", cell)]


def labels(info: dict[str, Any]) -> list[str]:
    """Inputs and outputs of a node as the English page names them."""
    inputs = [
        spec[1].get("display_name", name)
        for group in ("required", "optional")
        for name, spec in info["input"].get(group, {}).items()
    ]
    return [*inputs, *info["output_name"]]


def pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)


def shape(text: str) -> list[str]:
    """What a translation keeps: headings, tables, lists, pictures and code, without their words."""
    return re.findall(r"^(#+|\||-|!|```)", text, flags=re.MULTILINE)


def test_shape_pages_are_of_the_nodes_that_there_are() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == set(SCHEMAS)
    folders = {path.name for path in DOCS.iterdir() if path.is_dir()} - {"pictures"}
    assert folders == set(SCHEMAS)
    assert {path.name for folder in folders for path in (DOCS / folder).iterdir()} == {"zh.md", "ja.md"}


@pytest.mark.parametrize("node", SCHEMAS)
def test_shape_every_input_and_output_is_explained(node: str) -> None:
    assert sorted(names(page(node))) == sorted(labels(SCHEMAS[node]))


@pytest.mark.parametrize(("node", "language"), TRANSLATED)
def test_invariance_translations_explain_the_same(node: str, language: str) -> None:
    english, other = page(node), page(node, language)
    assert names(other) == names(english)
    assert pictures(other) == pictures(english)
    assert shape(other) == shape(english)
    for name in re.findall(r"`(\w+)`", english):
        assert f"`{name}`" in other, name


@pytest.mark.parametrize(("node", "language"), TRANSLATED)
def test_shape_translations_call_things_as_the_node_does(node: str, language: str) -> None:
    told = json.loads((ROOT / f"locales/{language}/nodeDefs.json").read_text(encoding="utf-8"))
    own, text = told[node], page(node, language)
    title = own["display_name"].removesuffix(" (EmotionGAN)")
    assert text.startswith(f"# {title}\n")
    explained = "\n".join(cells(text))
    inputs = {spec["name"] for spec in own.get("inputs", {}).values()}
    for label in inputs | {spec["name"] for spec in own.get("outputs", {}).values()}:
        assert label in explained, label
    titles = {one["display_name"].removesuffix(" (EmotionGAN)") for one in told.values()}
    for name in re.findall(r"\u300c([^\u300d]+)\u300d", text):
        assert name in titles | inputs, name


@pytest.mark.parametrize("node", SCHEMAS)
def test_shape_pictures_are_there_and_small(node: str) -> None:
    for picture in pictures(page(node)):
        assert picture.startswith("pictures/")  # the host's page looks from web/docs, wherever the text lies
        assert (DOCS / picture).stat().st_size < MOST_BYTES, picture
