"""The page's own search, as somebody uses it who does not know what the nodes are called."""

from __future__ import annotations

from typing import Any

import pytest
from comfy_host import Host

pytestmark = pytest.mark.slow

WORDS = (
    *("happy", "portrait", "edit face", "smile", "liveportrait", "gaze", "expression", "blink", "emotion"),
    *("blendshapes", "neutral face"),
)
FOUND = "() => [...document.querySelectorAll('[role=option]')].map(one => one.innerText)"


@pytest.mark.parametrize("nodes_2", [False, True], ids=["classic", "nodes_2"])
def test_shape_the_first_hit_is_ours(host: Host, browser: Any, nodes_2: bool) -> None:
    host.post("/settings", {"Comfy.VueNodes.Enabled": nodes_2, "Comfy.TutorialCompleted": True})
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.goto(f"http://{host.address}/", timeout=120_000)
    page.wait_for_function("window.app?.graph && window.app.extensionManager?.setting", timeout=120_000)
    page.wait_for_selector("#splash-loader", state="detached", timeout=120_000)  # it lies over the canvas
    page.wait_for_timeout(3000)  # the page opens a workflow of its own first
    page.evaluate("() => app.graph.clear()")
    page.mouse.dblclick(700, 450)
    search = page.get_by_placeholder("Add a node...")
    search.wait_for(timeout=20_000)
    first = {}
    for word in WORDS:
        search.fill(word)
        page.wait_for_timeout(1500)
        first[word] = next(iter(page.evaluate(FOUND)), "nothing")
    context.close()
    assert {word: text for word, text in first.items() if "(EmotionGAN)" not in text} == {}
