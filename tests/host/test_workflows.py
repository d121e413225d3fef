"""The shipped workflows, opened, converted as ComfyUI's page would send them, run in a real host, and their pictures checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comfy_host import ROOT, Host, Run
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import maximum_filter

from emogan_core.checkpoints import load_generator

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))


def run_workflow(host: Host, name: str) -> tuple[Run, dict[str, str]]:
    """The run of a workflow, and its nodes' numbers by title or type."""
    converter = pytest.importorskip(
        "comfy_cli.workflow_to_api", reason="converting workflows needs the package comfy-cli"
    )
    workflow = json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
    prompt: dict[str, Any] = converter.convert_ui_to_api(workflow, host.get_json("/object_info"))
    run = host.run(prompt)
    assert run.status == "success", run.error
    return run, {node.get("title", node["type"]): str(node["id"]) for node in workflow["nodes"]}


def picture(host: Host, run: Run, node: str, *, side: int) -> NDArray[np.uint8]:
    (only,) = host.pictures(run, node)
    assert only.shape == (side, side, 3)
    assert only.std() > 20  # a picture, not a blank
    return only


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shape_links_agree_at_both_ends(path: Path) -> None:
    workflow = json.loads(path.read_text(encoding="utf-8"))
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for link, source, output, target, entry, kind in workflow["links"]:
        assert link in nodes[source]["outputs"][output]["links"]
        assert nodes[target]["inputs"][entry]["link"] == link
        assert nodes[source]["outputs"][output]["type"] == nodes[target]["inputs"][entry]["type"] == kind


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_shape_every_workflow_has_a_thumbnail(path: Path) -> None:
    with Image.open(path.with_suffix(".jpg")) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert min(thumbnail.size) >= 256
        assert path.with_suffix(".jpg").stat().st_size < 100_000


def test_shape_the_host_offers_the_workflows_as_templates(host: Host) -> None:
    assert set(host.get_json("/api/workflow_templates")["emotiongan"]) == {path.stem for path in WORKFLOWS}


def test_invariance_sample_and_edit(host: Host) -> None:
    run, nodes = run_workflow(host, "sample_and_edit")
    before, edited = (picture(host, run, nodes[node], side=512) for node in ("Before", "SaveImage"))
    changed = (before != edited).any(-1)
    assert 0.05 < changed.mean() < 0.9
    assert not changed[:8].any()


def test_invariance_edit_a_photo(host: Host) -> None:
    run, nodes = run_workflow(host, "edit_a_photo")
    before, edited = (picture(host, run, nodes[node], side=768) for node in ("Before", "SaveImage"))
    (mask,) = host.pictures(run, nodes["Where it was changed"])
    outside = maximum_filter(mask[..., 0], 5) == 0
    assert 0.1 < outside.mean() < 0.9
    assert np.array_equal(before[outside], edited[outside])
    assert (before != edited).any(-1).mean() > 0.05
    assert run.previews >= 1


def test_invariance_bring_your_own_generator(host: Host) -> None:
    run, nodes = run_workflow(host, "bring_your_own_generator")
    faces = host.pictures(run, nodes["What it draws"])
    assert [face.shape for face in faces] == [(512, 512, 3)] * 4
    side = load_generator("builtin").spec.resolution
    assert host.pictures(run, nodes["The photo, redrawn by it"])[0].shape == (side, side, 3)
    assert "licence: Apache-2.0" in run.outputs[nodes["EmotionGAN_ConvertGenerator"]]["text"][0]
    written = host.folder / "output/stylegan/my_generator.safetensors"
    assert load_generator(written).fingerprint == load_generator("builtin").fingerprint
    again, _ = run_workflow(host, "bring_your_own_generator")
    assert not again.ran & {nodes["EmotionGAN_ConvertGenerator"]}
    assert len(list(written.parent.glob("my_generator*"))) == 1
