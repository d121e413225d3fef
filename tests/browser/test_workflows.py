"""Every shipped workflow and the blueprint opened in a real page, in both canvases: no missing node, no complaint, no overlap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comfy_host import ROOT, Host

pytestmark = pytest.mark.slow

OPENED = [*sorted((ROOT / "workflows").glob("*.json")), *sorted((ROOT / "subgraphs").glob("*.json"))]
HOSTS_OWN = (  # what the host's page says with nothing opened
    "/userdata",
    "user.css",
    "ComfyApp graph accessed before initialization",
    "huggingface.co",
)
STATE = """() => {
    const unknown = app.graph.nodes.filter(one => one.has_errors || !(one.type in LiteGraph.registered_node_types));
    const boxes = app.graph.nodes.map(one => [one.title, ...one.getBounding()]);
    const over = boxes.filter(([title, x, y, w, h]) => boxes.some(([other, x2, y2, w2, h2]) =>
        other !== title && x < x2 + w2 && x2 < x + w && y < y2 + h2 && y2 < y + h));
    return {unknown: unknown.map(one => one.type), over: over.map(one => one[0]), count: app.graph.nodes.length};
}"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("nodes_2", [False, True], ids=["classic", "nodes_2"])
@pytest.mark.parametrize("path", OPENED, ids=lambda path: path.stem)
def test_shape_opens_whole_and_without_complaint(
    host: Host, page: Any, path: Path, nodes_2: bool, tmp_path: Path
) -> None:
    host.post("/settings", {"Comfy.VueNodes.Enabled": nodes_2, "Comfy.TutorialCompleted": True})
    page.goto(f"http://{host.address}/", timeout=120_000)
    page.wait_for_function("window.app?.graph && window.app.extensionManager?.setting", timeout=120_000)
    page.wait_for_timeout(3000)  # the page opens a workflow of its own first
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(f"{line.text} {line.location}") if line.type == "error" else None)
    workflow = json.loads(path.read_text(encoding="utf-8"))
    page.evaluate("async workflow => { await app.loadGraphData(workflow); }", workflow)
    page.wait_for_timeout(2000)
    page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    page.wait_for_timeout(1000)
    page.screenshot(path=tmp_path / f"{path.stem}.png")
    state = page.evaluate(STATE)
    assert page.evaluate("LiteGraph.vueNodesMode") is nodes_2
    assert state == {"unknown": [], "over": [], "count": len(workflow["nodes"])}
    assert [text for text in said if not any(known in text for known in HOSTS_OWN)] == []


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_shape_help_is_shown_in_the_users_language(host: Host, page: Any, language: str) -> None:
    host.post("/settings", {"Comfy.Locale": language, "Comfy.VueNodes.Enabled": True, "Comfy.TutorialCompleted": True})
    page.goto(f"http://{host.address}/", timeout=120_000)
    page.wait_for_function("window.app?.graph && window.app.extensionManager?.setting", timeout=120_000)
    page.wait_for_timeout(3000)
    workflow = json.loads((ROOT / "workflows/edit_a_photo.json").read_text(encoding="utf-8"))
    page.evaluate("async workflow => { await app.loadGraphData(workflow); }", workflow)
    page.wait_for_timeout(1500)
    node = "app.graph.nodes.find(one => one.comfyClass === 'EmotionGAN_InvertFace')"
    page.evaluate(f"() => {{ app.canvas.selectNode({node}); app.canvas.setDirty(true, true); }}")
    page.locator("[data-testid=info-button]").first.click(timeout=20_000)
    title = {"en": "Invert Face", "zh": "\u53cd\u6f14\u4eba\u8138", "ja": "\u9854\u3092\u53cd\u8ee2"}[language]
    try:
        shown = page.locator(".node-help-content")
        shown.get_by_role("heading", name=title).first.wait_for(timeout=20_000)
        picture = shown.locator("img").first
        picture.wait_for(timeout=20_000)
        page.wait_for_function("one => one.naturalWidth > 0", arg=picture.element_handle(), timeout=20_000)
    finally:
        host.post("/settings", {"Comfy.Locale": "en"})
