"""The shipped workflows as people see them: nothing lies over another, links can be followed, and a run writes no file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

WORKFLOWS = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))
TITLE_PX, SLOT_PX = 30, 20
LEAST_GAP_PX = 20
INSET_PX = 24  # a link may pass under a node's very edge
OFF = 2  # a node's mode
WRITES = ("Save", "ConvertGenerator")

Box = tuple[float, float, float, float]


def opened(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def box(node: dict[str, Any]) -> Box:
    """Left, top, right, bottom with the title."""
    (left, top), (width, height) = node["pos"], node["size"]
    return left, top - TITLE_PX, left + width, top + height


def link_points(start: tuple[float, float], end: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """A link as the page draws it: a cubic curve that leaves to the right and arrives from the left."""
    reach = 0.25 * ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    xs, ys = (start[0], start[0] + reach, end[0] - reach, end[0]), (start[1], start[1], end[1], end[1])
    for step in range(101):
        t = step / 100
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        yield (
            sum(weight * x for weight, x in zip(weights, xs, strict=True)),
            sum(weight * y for weight, y in zip(weights, ys, strict=True)),
        )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_invariance_nodes_lie_apart(path: Path) -> None:
    boxes = {node["id"]: box(node) for node in opened(path)["nodes"]}
    for one, (left, top, right, bottom) in boxes.items():
        for other, (left2, top2, right2, bottom2) in boxes.items():
            apart = max(left2 - right, left - right2, top2 - bottom, top - bottom2)
            assert one == other or apart >= LEAST_GAP_PX, (one, other)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_invariance_no_link_runs_behind_a_node(path: Path) -> None:
    workflow = opened(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for link, source, output, target, entry, _ in workflow["links"]:
        left, top, right, _ = box(nodes[source])
        start = (right, top + TITLE_PX + (output + 0.7) * SLOT_PX)
        left, top, _, _ = box(nodes[target])
        end = (left, top + TITLE_PX + (entry + 0.7) * SLOT_PX)
        assert end[0] > start[0], f"link {link} runs backwards"
        for x, y in link_points(start, end):
            for number, node in nodes.items():
                a, b, c, d = box(node)
                behind = a + INSET_PX < x < c - INSET_PX and b + INSET_PX < y < d - INSET_PX
                assert number in (source, target) or not behind, f"link {link} runs behind {node['type']}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_invariance_a_run_writes_no_file(path: Path) -> None:
    nodes = opened(path)["nodes"]
    writing = [node for node in nodes if node["type"].removeprefix("EmotionGAN_").startswith(WRITES)]
    assert all(node["mode"] == OFF for node in writing)
    assert all("off" in node["title"] for node in writing)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shape_each_says_how_to_use_it_and_names_its_pictures(path: Path) -> None:
    nodes = opened(path)["nodes"]
    (note,) = (node for node in nodes if node["type"] == "MarkdownNote")
    assert note["title"] == "How to use"
    assert len(note["widgets_values"][0]) > 200
    assert all(node.get("title") for node in nodes if node["type"] in ("PreviewImage", "MaskPreview", "PreviewAny"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shape_links_agree_at_both_ends(path: Path) -> None:
    workflow = opened(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for link, source, output, target, entry, kind in workflow["links"]:
        assert link in nodes[source]["outputs"][output]["links"]
        assert nodes[target]["inputs"][entry]["link"] == link
        assert nodes[source]["outputs"][output]["type"] == kind
        assert nodes[target]["inputs"][entry]["type"] in (kind, "*")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shape_every_workflow_has_a_thumbnail(path: Path) -> None:
    with Image.open(path.with_suffix(".jpg")) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert min(thumbnail.size) >= 256
        assert path.with_suffix(".jpg").stat().st_size < 100_000
