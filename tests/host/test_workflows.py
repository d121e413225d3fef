"""The shipped workflows, opened, converted as ComfyUI's page would send them, run in a real host, and their pictures checked."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from comfy_host import ROOT, Host, Run, workflow_prompt
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import maximum_filter

from emogan_core.checkpoints import load_generator
from emogan_core.expressions import read_expression
from emogan_core.faces import choose_face, dense_landmarks
from emogan_core.images import Photo, open_photo, read_record
from emogan_core.weights import builtin_path

pytestmark = pytest.mark.slow

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))


def run_workflow(host: Host, name: str, *, switched_on: str = "") -> tuple[Run, dict[str, str]]:
    """The run of a workflow, and its nodes' numbers."""
    prompt, numbers = workflow_prompt(host, name, switched_on=switched_on)
    before = written(host)
    run = host.run(prompt)
    assert run.status == "success", run.error
    assert switched_on or written(host) == before
    return run, numbers


def written(host: Host) -> set[Path]:
    return {path for path in (host.folder / "output").rglob("*") if path.is_file()}


def picture(host: Host, run: Run, node: str, *, side: int) -> NDArray[np.uint8]:
    (only,) = host.pictures(run, node)
    assert only.shape == (side, side, 3)
    assert only.std() > 20  # a picture, not a blank
    return only


def test_shape_the_host_offers_the_workflows_as_templates(host: Host) -> None:
    assert set(host.get_json("/api/workflow_templates")["emotiongan"]) == {path.stem for path in WORKFLOWS}


def test_invariance_sample_and_edit(host: Host) -> None:
    run, nodes = run_workflow(host, "sample_and_edit")
    before, edited = (picture(host, run, nodes[node], side=512) for node in ("Before", "Edited"))
    changed = (np.abs(before.astype(int) - edited) > 12).any(-1)
    assert 0.02 < changed.mean() < 0.6


def test_invariance_edit_a_photo(host: Host) -> None:
    run, nodes = run_workflow(host, "edit_a_photo")
    before, edited = (picture(host, run, nodes[node], side=768) for node in ("Before", "Edited"))
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
    assert "licence: Apache-2.0" in run.outputs[nodes["What it is"]]["text"][0]
    convert = "EmotionGAN_ConvertGenerator"
    run_workflow(host, "bring_your_own_generator", switched_on=convert)
    file = host.folder / "output/stylegan/my_generator.safetensors"
    assert load_generator(file).fingerprint == load_generator("builtin").fingerprint
    again, nodes = run_workflow(host, "bring_your_own_generator", switched_on=convert)
    assert not again.ran & {nodes["Convert Generator (off: it writes a file)"]}
    assert len(list(file.parent.glob("my_generator*"))) == 1


def test_golden_all_expressions(host: Host) -> None:
    run, nodes = run_workflow(host, "all_expressions")
    frames = [frame.astype(int) for frame in host.pictures(run, nodes["Each by itself, whole photos"])]
    assert len(frames) == 8
    for one, other in combinations(frames, 2):
        assert (one != other).any(-1).mean() > 0.005
    (sheet,) = host.pictures(run, nodes["The sheet"])
    assert sheet.shape[1] > 8 * 240


def test_golden_neutralise_then_edit(host: Host) -> None:
    run, nodes = run_workflow(host, "neutralise_then_edit")
    before, edited = (picture(host, run, nodes[node], side=768) for node in ("Before", "Edited"))
    prompt, _ = workflow_prompt(host, "neutralise_then_edit")
    prompt[nodes["Edit"]]["inputs"]["sadness"] = 0.0
    neutral = host.run(prompt)
    shown = read_expression(Photo(host.pictures(neutral, nodes["Edited"])[0]))
    smiling, sad = (read_expression(Photo(one)) for one in (before, edited))
    assert smiling.expression == "happiness"
    assert shown.probabilities["happiness"] < 0.5 * smiling.probabilities["happiness"]
    assert host.pictures(run, nodes["What the edited face reads as"])[0].shape == (512, 852, 3)
    assert sad.probabilities["sadness"] > max(shown.probabilities["sadness"], smiling.probabilities["sadness"])


def test_golden_copy_an_expression(host: Host) -> None:
    run, nodes = run_workflow(host, "copy_an_expression")
    reference, edited = (picture(host, run, nodes[node], side=768) for node in ("Copied from", "Edited"))
    before = read_expression(open_photo(builtin_path("examples/composite_f_multi.jpg")))
    given, copied = (read_expression(Photo(one)) for one in (reference, edited))
    assert given.expression == "happiness"
    assert copied.probabilities["happiness"] > before.probabilities["happiness"] + 0.2
    assert edited.shape == reference.shape
    assert (edited != reference).any(-1).mean() > 0.5  # another person


def test_golden_fit_my_expression(host: Host) -> None:
    run, nodes = run_workflow(host, "fit_my_expression")
    before, edited = (picture(host, run, nodes[node], side=768) for node in ("Before", "Edited"))
    assert "wink: 12 examples, moves photos" in run.outputs[nodes["What was learned"]]["text"][0]
    shut, open_before, other = (
        read_expression(Photo(one)).coefficients[name]
        for one, name in ((edited, "eyeBlinkLeft"), (before, "eyeBlinkLeft"), (edited, "eyeBlinkRight"))
    )
    assert shut > 0.6
    assert max(open_before, other) < 0.3
    assert 0.02 < (before != edited).any(-1).mean() < 0.5
    prompt, _ = workflow_prompt(host, "fit_my_expression")
    prompt[nodes["EmotionGAN_ApplyExpression"]]["inputs"]["more"] = "wink=0.5"
    assert host.run(prompt).ran.isdisjoint({nodes["EmotionGAN_FitExpressionGLM"]})


def test_golden_one_side_and_gaze(host: Host) -> None:
    run, nodes = run_workflow(host, "one_side_and_gaze")
    before = open_photo(builtin_path("examples/composite_f_multi.jpg"))
    after = Photo(picture(host, run, nodes["Edited"], side=768))
    raised = dense_landmarks(before, choose_face(before))[:, 1] - dense_landmarks(after, choose_face(after))[:, 1]
    left_brow, right_brow = raised[[336, 296, 334, 293, 300]].mean(), raised[[70, 63, 105, 66, 107]].mean()
    assert left_brow > 3  # px
    assert right_brow < 0
    shown = read_expression(after).coefficients
    assert min(shown["eyeLookOutLeft"], shown["eyeLookInRight"]) > 0.2
    assert shown["eyeLookOutRight"] < 0.1


def test_golden_sweep_to_frames(host: Host) -> None:
    run, nodes = run_workflow(host, "sweep_to_frames")
    frames = [frame.astype(int) for frame in host.pictures(run, nodes["Frames"])]
    assert len(frames) == 14
    assert np.array_equal(frames[0], frames[-1])
    away = [np.abs(frame - frames[0]).mean() for frame in frames]
    assert away[1] < away[2] < away[4]
    assert away[10] > away[12] > 0
    run_workflow(host, "sweep_to_frames", switched_on="SaveAnimatedWEBP")
    (film,) = (host.folder / "output/EmotionGAN").glob("sweep*.webp")
    with Image.open(film) as opened:
        assert opened.n_frames > 8
    record = read_record(film)
    assert record is not None
    assert "keyframes" in record["nodes"][0]


def test_golden_drive_a_photo(host: Host) -> None:
    run, nodes = run_workflow(host, "drive_a_photo")
    frames = [frame.astype(int) for frame in host.pictures(run, nodes["Frames"])]
    driving = [frame.astype(int) for frame in host.pictures(run, nodes["Driving"])]
    assert len(frames) == len(driving) == 16
    away = [
        np.abs(frame - open_photo(builtin_path("examples/composite_f_multi.jpg")).pixels).mean() for frame in frames
    ]
    assert min(away[0], away[15]) < 0.3 * away[4]
    assert min(away[4:9]) > 0
    shown = [read_expression(Photo(frame.astype(np.uint8))).coefficients for frame in (frames[0], frames[4])]
    assert shown[1]["mouthSmileLeft"] - shown[0]["mouthSmileLeft"] > 0.2


def test_invariance_the_blueprint_is_the_three_nodes_it_stands_for(host: Host) -> None:
    converter = pytest.importorskip("comfy_cli.workflow_to_api", reason="converting needs the package comfy-cli")
    served = [entry for entry in host.get_json("/global_subgraphs").values() if "emotiongan" in str(entry["info"])]
    assert [entry["name"] for entry in served] == ["Change a Facial Expression"]
    workflow = json.loads((ROOT / "subgraphs/Change a Facial Expression.json").read_text(encoding="utf-8"))
    (blueprint,) = workflow["nodes"]
    photo = {"id": 1, "type": "EmotionGAN_ExamplePhoto", "mode": 0, "inputs": [], "widgets_values": ["woman"]}
    shown = {"id": 2, "type": "PreviewImage", "mode": 0, "inputs": [{"name": "images", "type": "IMAGE", "link": 2}]}
    photo["outputs"], shown["outputs"] = [{"name": "image", "type": "IMAGE", "links": [1]}], []
    blueprint["inputs"][0]["link"], blueprint["outputs"][0]["links"] = 1, [2]
    blueprint["widgets_values"][1] = 0.5  # happiness, after face
    workflow |= {"nodes": [photo, blueprint, shown], "links": [[1, 1, 0, 10, 0, "IMAGE"], [2, 10, 0, 2, 0, "IMAGE"]]}
    prompt = converter.convert_ui_to_api(workflow, host.get_json("/object_info"))
    (edit,) = (node for node in prompt.values() if node["class_type"] == "EmotionGAN_ApplyExpression")
    assert edit["inputs"]["happiness"] == 0.5
    run = host.run(prompt)
    assert run.status == "success", run.error
    before, edited = open_photo(builtin_path("examples/composite_f_multi.jpg")).pixels, host.pictures(run, "2")[0]
    assert 0.01 < (before != edited).any(-1).mean() < 0.9


def test_invariance_two_people_have_two_expressions(host: Host) -> None:
    run, nodes = run_workflow(host, "two_people")
    (edited,) = host.pictures(run, nodes["Edited"])
    woman, man = (open_photo(builtin_path(f"examples/composite_{one}.jpg")).pixels for one in ("f_multi", "m_african"))
    side = man.shape[1]
    assert edited.shape == (side, 2 * side, 3)
    left, right = edited[:, :side], edited[:, side:]
    for before, after in ((woman, left), (man, right)):
        assert 0.02 < (before != after).any(-1).mean() < 0.9
    assert read_expression(Photo(np.ascontiguousarray(right))).expression == "happiness"
    sad = [read_expression(Photo(np.ascontiguousarray(one))).probabilities["sadness"] for one in (woman, left)]
    assert sad[1] > sad[0] + 0.2
