"""What nodes told and showed when they ran is on them too when the host takes them from its cache."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from comfy_host import ROOT, Host

pytestmark = pytest.mark.slow

RUN_SECONDS = 180
STATE = """() => {
    const of = kind => app.graph.nodes.find(one => one.comfyClass === kind);
    const generator = of('EmotionGAN_LoadGenerator'), inversion = of('EmotionGAN_InvertFace');
    const text = generator.widgets.find(one => one.name === '$$node-text-preview')?.value;
    return {text, shown: Boolean(app.nodePreviewImages?.[inversion.id]?.length)};
}"""


def run(host: Host, browser: Any) -> dict[str, Any]:
    """The state of a page that was just opened, in which the workflow was run."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.goto(f"http://{host.address}/", timeout=120_000)
    page.wait_for_function("window.app?.graph && window.app.extensionManager?.setting", timeout=120_000)
    page.wait_for_timeout(3000)  # the page opens a workflow of its own first
    workflow = json.loads((ROOT / "workflows/edit_a_photo.json").read_text(encoding="utf-8"))
    page.evaluate("async workflow => { await app.loadGraphData(workflow); }", workflow)
    page.wait_for_timeout(1500)
    page.evaluate("() => app.queuePrompt(0, 1)")
    page.wait_for_timeout(1000)
    for _ in range(RUN_SECONDS * 4):
        if host.get_json("/prompt")["exec_info"]["queue_remaining"] == 0:
            break
        time.sleep(0.25)
    page.wait_for_timeout(3000)
    state: dict[str, Any] = page.evaluate(STATE)
    context.close()
    return state


@pytest.mark.parametrize("nodes_2", [False, True], ids=["classic", "nodes_2"])
def test_invariance_a_page_opened_anew_shows_what_was_there(host: Host, browser: Any, nodes_2: bool) -> None:
    host.post("/settings", {"Comfy.VueNodes.Enabled": nodes_2, "Comfy.TutorialCompleted": True})
    first, again = run(host, browser), run(host, browser)
    assert first["shown"]
    assert "licence" in first["text"]
    assert again == first
