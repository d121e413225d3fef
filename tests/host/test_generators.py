"""Generator files of other people inside a real ComfyUI: found, described, drawn by class, converted."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
import pytest
from comfy_host import Graph, Host, Run

from emogan_core.checkpoints import load_generator
from emogan_core.weights import read_header

pytestmark = pytest.mark.slow


def loading(name: str, *, node: str = "EmotionGAN_LoadGenerator", **inputs: Any) -> Graph:
    """A generator, two faces of it, and its report."""
    return (
        Graph({})
        .with_node("generator", node, name=name, **inputs)
        .with_node("faces", "EmotionGAN_SampleFaces", generator=["generator", 0], seed=1, psi=0.7, count=2, size=64)
        .with_node("show", "PreviewImage", images=["faces", 0])
        .with_node("report", "PreviewAny", source=["generator", 1 if node.endswith("LoadGenerator") else 2])
    )


def converting(name: str, **inputs: Any) -> Graph:
    return loading(name, node="EmotionGAN_ConvertGenerator", **({"save_as": "", "fp16": False} | inputs))


def shown(run: Run) -> str:
    """The text on the generator's node, as a reader of Markdown sees it."""
    return html.unescape(run.told["generator"].replace("  \n", "\n"))


def choices(host: Host, node: str = "EmotionGAN_LoadGenerator") -> list[str]:
    info = host.get_json(f"/object_info/{node}")[node]
    return list(info["input"]["required"]["name"][1]["options"])


def test_shape_extra_paths_and_subfolders_are_listed(host: Host) -> None:
    listed = choices(host)
    assert listed[0] == "builtin"
    assert {"generator.safetensors", "faces.pt", "animals/breeds.safetensors", "hostile.pkl"} <= set(listed)
    assert "readme.txt" not in listed
    assert choices(host, "EmotionGAN_ConvertGenerator") == listed


def test_shape_a_foreign_file_draws_and_says_what_it_lacked(host: Host) -> None:
    run = host.run(loading("faces.pt").nodes)
    assert run.status == "success", run.error
    report = run.outputs["report"]["text"][0]
    assert report.startswith("faces: stylegan2, 32 px")
    assert "licence: unknown" in report
    assert "note: the file lacks the average latent" in report
    assert report.startswith(shown(run).removesuffix("more in report"))
    assert len(shown(run).splitlines()) == 3  # what the page's box holds
    assert set(run.outputs["generator"]) == {
        "emotiongan_told"
    }  # "text" would stand for the job instead of its pictures
    assert len(host.pictures(run, "show")) == 2


ARCHITECTURES = ("stylegan1", "stylegan2-resnet", "stylegan2-orig", "stylegan3")


@pytest.mark.parametrize("name", [*(f"{name}.safetensors" for name in ARCHITECTURES), "ada.pkl", "e4e.pt"])
def test_shape_every_architecture_draws_inverts_and_converts(host: Host, name: str) -> None:
    graph = (
        converting(name, save_as=f"all/{name}")
        .with_node("photo", "LoadImage", image="portrait.png")
        .with_inversion("invert", of="photo", method="hybrid", steps=2)
        .with_node("redrawn", "PreviewImage", images=["invert", 1])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    assert ("no encoder" not in run.outputs["report"]["text"][0]) == (name == "e4e.pt")
    assert len(host.pictures(run, "show")) == 2
    assert host.pictures(run, "redrawn")[0].shape == (32, 32, 3)
    assert (host.folder / "output/stylegan/all" / f"{name.removesuffix('.safetensors')}.safetensors").is_file()


def test_invariance_a_changed_file_is_loaded_again(host: Host) -> None:
    graph = loading("faces.pt")
    host.run(graph.nodes)
    assert host.run(graph.nodes).ran == set()
    (host.folder / "elsewhere/gans/faces.pt").touch()
    assert "generator" in host.run(graph.nodes).ran


def test_error_a_name_that_is_no_file(host: Host) -> None:
    for node in ("EmotionGAN_LoadGenerator", "EmotionGAN_ConvertGenerator"):
        inputs = {"save_as": "", "fp16": False} if "Convert" in node else {}
        with pytest.raises(AssertionError, match=r"there is no file 'gone\.pkl' in .*stylegan; put it there"):
            host.run(loading("gone.pkl", node=node, **inputs).nodes)


def test_error_a_name_that_leads_elsewhere(host: Host) -> None:
    for name in ("../input/portrait.png", str(host.folder / "elsewhere/gans/faces.pt"), "readme.txt"):
        with pytest.raises(AssertionError, match="there is no file"):
            host.run(loading(name).nodes)


def test_error_a_hostile_file_is_refused_in_one_sentence(host: Host) -> None:
    for graph in (loading("hostile.pkl"), converting("hostile.pkl")):
        run = host.run(graph.nodes)
        assert "hostile.pkl" in run.error
        assert len(run.error.strip().splitlines()) == 1
    assert not list((host.folder / "output").rglob("hostile*"))


def test_invariance_a_name_is_no_markup(host: Host) -> None:
    run = host.run(loading("sly.safetensors").nodes)
    assert run.status == "success", run.error
    assert shown(run).startswith("![x](https://example.org/x.png)<img src=x onerror=alert(1)>: stylegan2")
    assert not set("<>[]()!") & set(run.told["generator"])


def test_shape_classes_are_drawn(host: Host) -> None:
    graph = loading("animals/breeds.safetensors")
    pictures = [
        host.pictures(host.run(graph.with_inputs("faces", class_index=number).nodes), "show")[0] for number in (0, 2, 2)
    ]
    assert np.array_equal(pictures[1], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])
    assert "classes: 0 to 2" in host.run(graph.with_inputs("faces", class_index=1).nodes).outputs["report"]["text"][0]


@pytest.mark.parametrize(
    ("name", "number", "sentence"),
    [
        ("animals/breeds.safetensors", -1, "no class came, but 'breeds' draws by class; give one of 0 to 2"),
        ("animals/breeds.safetensors", 3, "class 3 came, but 'breeds' draws by class; give one of 0 to 2"),
        ("generator.safetensors", 0, "class 0 came, but 'tiny' has no classes; leave the class out"),
    ],
)
def test_error_classes(host: Host, name: str, number: int, sentence: str) -> None:
    run = host.run(loading(name).with_inputs("faces", class_index=number).nodes)
    assert run.error.strip() == sentence


def test_invariance_a_conversion_is_found_and_draws_the_same(host: Host) -> None:
    first = host.run(loading("faces.pt").nodes)
    run = host.run(converting("faces.pt", save_as="mine/converted").nodes)
    assert run.status == "success", run.error
    path = host.folder / "output/stylegan/mine/converted.safetensors"
    report = run.outputs["report"]["text"][0]
    assert report.startswith("wrote converted.safetensors, float32\nfaces: stylegan2, 32 px")
    assert report == run.outputs["generator"]["text"][0]
    assert report.startswith(shown(run).removesuffix("more in report"))
    source = load_generator(host.folder / "elsewhere/gans/faces.pt")
    assert source.fingerprint == load_generator(path).fingerprint
    assert source.fingerprint in report
    assert read_header(path)[1]["source_sha256"] in report
    assert "mine/converted.safetensors" in choices(host)
    again = host.run(loading("mine/converted.safetensors").nodes)
    for left, right, direct in zip(*(host.pictures(one, "show") for one in (first, run, again)), strict=True):
        assert np.array_equal(left, right)
        assert np.array_equal(left, direct)


def test_shape_the_path_is_handed_on(host: Host) -> None:
    graph = converting("builtin", save_as="handed").with_node("report", "PreviewAny", source=["generator", 1])
    said = host.run(graph.nodes).outputs["report"]["text"][0]
    assert said == str(host.folder / "output/stylegan/handed.safetensors")


def test_invariance_nothing_is_written_over(host: Host) -> None:
    folder = host.folder / "output/stylegan"
    host.run(converting("faces.pt", save_as="kept").nodes)
    before = (folder / "kept.safetensors").read_bytes()
    half = host.run(converting("faces.pt", save_as="kept", fp16=True).nodes)
    assert half.outputs["report"]["text"][0].startswith("wrote kept_2.safetensors, float16; rounding changed")
    same = host.run(converting("faces.pt", save_as=" kept.safetensors").nodes)
    assert same.outputs["report"]["text"][0].startswith("kept.safetensors was there already")
    (folder / "taken.safetensors").mkdir()
    host.run(converting("faces.pt", save_as="taken").nodes)
    assert (folder / "taken_2.safetensors").is_file()
    assert (folder / "kept.safetensors").read_bytes() == before
    assert not list(folder.glob(".emogan-*"))


def test_shape_frame_and_terms_can_be_told(host: Host) -> None:
    told = converting("faces.pt", save_as="told", crop="tight", licence="CC0 <b>")
    report = host.run(told.nodes).outputs["report"]["text"][0]
    assert report.startswith("wrote told.safetensors, float32\nfaces: stylegan2, 32 px, crop tight\nlicence: CC0 <b>")
    plain = host.run(converting("faces.pt", save_as="told").nodes)
    assert plain.outputs["report"]["text"][0].startswith("wrote told_2.safetensors, float32")


def test_invariance_a_conversion_never_hides_behind_its_source(host: Host) -> None:
    """Named as generator.safetensors in models/stylegan, it would not be found."""
    run = host.run(converting("generator.safetensors").nodes)
    assert run.outputs["report"]["text"][0].startswith("wrote generator_2.safetensors, float32\ntiny:")
    half = host.run(converting("generator.safetensors", fp16=True).nodes)
    assert half.outputs["report"]["text"][0].startswith("wrote generator_fp16.safetensors, float16")
    assert {"generator_2.safetensors", "generator_fp16.safetensors"} <= set(choices(host))


@pytest.mark.parametrize(
    "name", ["../escaped", "../../models/stylegan/escaped", "a/../../escaped", "/tmp/escaped", ".", "x\0", "x\ny"]
)
def test_error_conversions_stay_in_the_output_folder(host: Host, name: str) -> None:
    run = host.run(converting("builtin", save_as=name).nodes)
    assert re.search(r"leads out of .*stylegan; give a plain one such as my_stylegan", run.error)
    assert not list(host.folder.rglob("escaped*"))


@pytest.mark.parametrize("name", [300 * "x", "sly.safetensors/inner"])
def test_error_names_that_no_file_can_have(host: Host, name: str) -> None:
    (host.folder / "output/stylegan").mkdir(exist_ok=True)
    (host.folder / "output/stylegan/sly.safetensors").touch()
    run = host.run(converting("builtin", save_as=name).nodes)
    assert re.search(r"cannot write '.*' in .*stylegan: .*; give another name", run.error)
    assert len(run.error.strip().splitlines()) == 1
