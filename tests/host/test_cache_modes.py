"""Every workflow in every cache mode of ComfyUI, one host after the other on one folder, so that each is a restart too.

The photos are small, the steps few and the frames drafts: what a mode may change is when nodes run, not what they draw.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comfy_folders import edit_graph, filled_folder
from comfy_host import ROOT, Graph, Host, Run, start, stop, workflow_prompt
from numpy.typing import NDArray

pytestmark = pytest.mark.slow

WORKFLOWS = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))
CLASSIC = ("--cache-classic",)
OTHERS = {
    "lru": ("--cache-lru", "3"),  # fewer than any workflow has nodes, so that one pushes out the other
    "none": ("--cache-none",),
    "ram": ("--cache-ram", "100000"),  # never free, so that all that can go goes at once
}
SMALL = {
    "EmotionGAN_InvertFace": {"steps": 2},
    "EmotionGAN_ApplyExpression": {"draft": True},
    "EmotionGAN_FaceShapes": {"draft": True},
    "EmotionGAN_CopyExpression": {"draft": True},
    "EmotionGAN_DriveExpression": {"draft": True},
    "EmotionGAN_ExpressionSweep": {"draft": True, "keyframes": "0: neutral\n2: happiness=1"},
    "EmotionGAN_SampleFaces": {"size": 128},
}
PROMPTS, WARM_UP = 100, 30
MOST_GROWTH = 20 * 2**20

Pictures = dict[tuple[str, str], list[NDArray[np.uint8]]]


@contextmanager
def running(installed: tuple[Path, Path], folder: Path, *arguments: str) -> Iterator[Host]:
    """A host in a folder that may have had one before."""
    host = start(*installed, folder, arguments=arguments)
    try:
        yield host
    finally:
        stop(host)


def small(host: Host, name: str) -> dict[str, Any]:
    """A workflow as the page would send it, with a small photo and little to do."""
    prompt = workflow_prompt(host, name)[0]
    for node in prompt.values():
        if node["class_type"] == "EmotionGAN_ExamplePhoto":
            node["class_type"], node["inputs"] = "LoadImage", {"image": "portrait.png"}
        node["inputs"] |= {key: value for key, value in SMALL.get(node["class_type"], {}).items()}
    return prompt


def run_all(host: Host, *, twice: Collection[str]) -> tuple[Pictures, dict[str, set[str]]]:
    """What every workflow shows, by workflow and node, and which nodes ran when the workflows of `twice` ran again."""
    shown: Pictures = {}
    again = {}
    for name in WORKFLOWS:
        prompt = small(host, name)
        run = host.run(prompt)
        assert run.status == "success", f"{name}: {run.error}"
        shown |= {(name, node): host.pictures(run, node) for node, out in run.outputs.items() if "images" in out}
        if name in twice:
            second = host.run(prompt)
            assert second.status == "success", f"{name}: {second.error}"
            again[name] = second.ran
    return shown, again


def kept(graph: Graph) -> Graph:
    """An inversion, an expression and axes, each saved; and the photo edited with all three."""
    return (
        graph.with_inputs("apply", mode="motion", happiness=0.6)
        .with_node("keep", "EmotionGAN_SaveInversion", inversion=["invert", 0], name="kept")
        .with_node("keep_axes", "EmotionGAN_SaveAxes", axes=["axes", 0], name="kept")
        .with_node("keep_expression", "EmotionGAN_SaveExpression", expression=["apply", 3], name="kept")
    )


def found_again(graph: Graph) -> Graph:
    """The same edit from the three files."""
    return (
        graph.with_inputs("apply", mode="motion", happiness=0.0, expression=["expression", 0])
        .with_node("invert", "EmotionGAN_LoadInversion", name="kept_00001_.safetensors", generator=["generator", 0])
        .with_node("axes", "EmotionGAN_LoadAxes", name="kept_00001_.safetensors")
        .with_node("expression", "EmotionGAN_LoadExpression", name="kept_00001_.json", strength=1.0)
    )


@pytest.fixture(scope="module")
def folder(installed: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled_folder(tmp_path_factory.mktemp("modes"))


@pytest.fixture(scope="module")
def classic(installed: tuple[Path, Path], folder: Path) -> dict[str, Any]:
    """What the host with the oldest kind of cache shows, saves and uses of memory, before it is stopped."""
    seen: dict[str, Any] = {}
    with running(installed, folder, *CLASSIC) as host:
        seen["shown"], seen["again"] = run_all(host, twice=WORKFLOWS)
        graph = edit_graph()
        saved = host.run(kept(graph).nodes)
        assert saved.status == "success", saved.error
        seen["saved"] = host.pictures(saved, "save")[0]
        seen["memory"] = list(memory_of_prompts(host, graph))
    return seen


def memory_of_prompts(host: Host, graph: Graph) -> Iterator[int]:
    """The host's memory after each of many prompts with other sliders each time."""
    graph = graph.with_inputs("invert", method="encode").with_inputs("apply", mode="motion", draft=True)
    graph = graph.with_node("save", "PreviewImage", images=["apply", 0])
    for number in range(PROMPTS):
        strengths = {"happiness": 0.2 + number / PROMPTS, "anger": number % 7 / 10}
        run = host.run(graph.with_inputs("apply", **strengths).nodes)
        assert run.status == "success", run.error
        yield host.memory_bytes()


def test_invariance_the_same_prompt_again_runs_nothing(classic: dict[str, Any]) -> None:
    assert classic["again"] == {name: set() for name in WORKFLOWS}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is read as Linux tells it")
def test_invariance_a_hundred_prompts_leave_memory_flat(classic: dict[str, Any]) -> None:
    """One prompt makes 1.1 MB of pictures and masks: kept, they would come to 77 MB; a third of that is above the noise."""
    memory = classic["memory"]
    growth = float(np.median(memory[-10:]) - np.median(memory[WARM_UP - 10 : WARM_UP]))
    assert growth < MOST_GROWTH, f"{growth / 2**20:.1f} MiB in {PROMPTS - WARM_UP} prompts"


@pytest.mark.parametrize("mode", OTHERS)
def test_invariance_every_cache_mode_shows_the_same(
    installed: tuple[Path, Path], folder: Path, classic: dict[str, Any], mode: str
) -> None:
    with running(installed, folder, *OTHERS[mode]) as host:
        shown, again = run_all(host, twice=["edit_a_photo"])
        if mode == "none":
            assert len(again["edit_a_photo"]) == 7  # all of it
        assert shown.keys() == classic["shown"].keys()
        for (name, node), pictures in shown.items():
            for one, other in zip(pictures, classic["shown"][name, node], strict=True):
                assert np.array_equal(one, other), f"{name}, node {node}"
        loaded: Run = host.run(found_again(edit_graph()).nodes)
        assert loaded.status == "success", loaded.error
        assert np.array_equal(host.pictures(loaded, "save")[0], classic["saved"])
