"""Expressions copied, read, kept, swept and compared inside a real ComfyUI, on tiny models."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest
from comfy_host import Graph, Host
from tiny_models import portrait

from emogan_core.expressions.meanings import SHAPES

pytestmark = pytest.mark.slow

NO_SHAPES = {name: 0.0 for name in SHAPES if name != "jawOpen"}
OUTLINES = (
    *("face_oval", "lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow"),
    *("irises", "nose", "tesselation"),
)
SWEEP = "0: neutral\n3: happiness=1\n"


def node_graph(graph: Graph, kind: str, /, **inputs: object) -> Graph:
    """The photo edited by another node in the place of Apply Expression; its first outputs are pictures and masks."""
    return graph.with_node("apply", kind, **({"image": ["photo", 0], "inversion": ["invert", 0]} | inputs)).with_node(
        "redrawn", "PreviewImage", images=["invert", 1]
    )


def copying(graph: Graph, **inputs: object) -> Graph:
    """The photo with an expression from an edit of it, in which the mouth smiles and the brows come down."""
    made = graph.with_node(
        "other",
        "EmotionGAN_ApplyExpression",
        image=["photo", 0],
        inversion=["invert", 0],
        axes=["axes", 0],
        mode="motion",
        happiness=1.0,
        anger=1.0,
        **dict.fromkeys(("surprise", "sadness", "disgust", "fear", "contempt"), 0.0),
    )
    asked = {"reference": ["other", 0], "brows": True, "eyes": True, "mouth": True, "strength": 1.0}
    return node_graph(made, "EmotionGAN_CopyExpression", **(asked | inputs))


def test_shape_an_expression_is_copied_whole_or_in_parts(host: Host, graph) -> None:
    whole = host.run(copying(graph).nodes)
    assert whole.status == "success", whole.error
    edited = host.pictures(whole, "save")[0]
    assert 0.02 < (edited != portrait().pixels).any(-1).mean() < 0.8
    brows = host.run(copying(graph, eyes=False, mouth=False).nodes)
    assert 0 < host.pictures(brows, "mask")[0].mean() < host.pictures(whole, "mask")[0].mean()
    half = host.run(copying(graph, strength=0.5).nodes)
    assert not np.array_equal(host.pictures(half, "save")[0], edited)
    for still in ({"strength": 0.0}, {"brows": False, "eyes": False, "mouth": False}):
        run = host.run(copying(graph, **still).nodes)
        assert np.array_equal(host.pictures(run, "save")[0], portrait().pixels)
    more = host.run(copying(graph, strength=0.0, more="Jaw_open=0.5").nodes)
    assert host.pictures(more, "mask")[0].max() > 0


def test_error_a_reference_without_a_face_or_in_wrong_number(host: Host, graph) -> None:
    blank = graph.with_node("blank", "EmptyImage", width=256, height=256, batch_size=1, color=0)
    run = host.run(copying(blank, reference=["blank", 0]).nodes)
    assert run.error.startswith("the reference to copy from: no face was found in this photo")
    two = graph.with_node("blank", "EmptyImage", width=256, height=256, batch_size=2, color=0)
    run = host.run(copying(two, reference=["blank", 0]).nodes)
    assert run.error.startswith("2 reference pictures came for 1 inverted face")


def reading(photo: str = "portrait.png", **inputs: object) -> Graph:
    return (
        Graph({})
        .with_node("photo", "LoadImage", image=photo)
        .with_node("read", "EmotionGAN_ReadExpression", image=["photo", 0], face=0, **inputs)
        .with_node("report", "PreviewAny", source=["read", 0])
        .with_node("picture", "PreviewImage", images=["read", 1])
    )


def test_golden_a_face_is_read_as_text_and_picture(host: Host) -> None:
    run = host.run(reading().nodes)
    assert run.status == "success", run.error
    text = run.outputs["report"]["text"][0]
    assert re.search(r"^reads as: happiness \d+%", text), text
    assert "\nshapes: " in text
    assert re.search(r"\nhead: yaw [+-]\d+, pitch [+-]\d+, roll [+-]\d+ degrees$", text), text
    assert host.pictures(run, "picture")[0].shape == (512, 852, 3)
    assert np.array_equal(host.pictures(run, "read")[0], host.pictures(run, "picture")[0])


def test_shape_pictures_without_a_face_are_named(host: Host) -> None:
    graph = (
        reading()
        .with_node("blank", "EmptyImage", width=256, height=256, batch_size=1, color=0)
        .with_node("both", "ImageBatch", image1=["blank", 0], image2=["photo", 0])
        .with_inputs("read", image=["both", 0])
    )
    run = host.run(graph.nodes)
    text = run.outputs["report"]["text"][0]
    assert text.startswith("image 2\nreads as: ")
    assert "left unchanged: image 1 of 2: no face was found" in text
    assert len(host.pictures(run, "picture")) == 1


def test_invariance_an_expression_is_saved_found_again_and_added(host: Host, graph) -> None:
    saved = (
        node_graph(graph, "EmotionGAN_FaceShapes", jawOpen=0.4, **NO_SHAPES)
        .with_node("keep", "EmotionGAN_SaveExpression", expression=["apply", 2], name="mine/open")
        .with_node("shown", "PreviewAny", source=["apply", 2])
    )
    run = host.run(saved.nodes)
    assert run.status == "success", run.error
    by_slider = host.pictures(run, "save")[0]
    path = host.folder / "output/emotiongan_expressions/mine/open_00001_.json"
    assert json.loads(path.read_text())["intensities"] == {"jawOpen": 0.4}
    options = host.get_json("/object_info/EmotionGAN_LoadExpression")["EmotionGAN_LoadExpression"]["input"]["required"]
    assert "mine/open_00001_.json" in options["name"][1]["options"]
    loaded = (
        node_graph(graph, "EmotionGAN_FaceShapes", expression=["file", 0], **(NO_SHAPES | {"jawOpen": 0.0}))
        .with_node("file", "EmotionGAN_LoadExpression", name="mine/open_00001_.json", strength=0.5, add=["first", 0])
        .with_node("first", "EmotionGAN_LoadExpression", name="mine/open_00001_.json", strength=0.5)
    )
    run = host.run(loaded.nodes)
    assert run.status == "success", run.error
    assert np.array_equal(host.pictures(run, "save")[0], by_slider)
    assert not np.array_equal(by_slider, portrait().pixels)
    path.write_text('{"format": "emotiongan-expression-1", "intensities": {"jawOpen": 0.1}}')
    assert {"file", "first"} <= host.run(loaded.nodes).ran


def test_shape_a_shipped_expression_needs_no_file(host: Host, graph) -> None:
    wink = node_graph(graph, "EmotionGAN_FaceShapes", expression=["file", 0], **(NO_SHAPES | {"jawOpen": 0.0}))
    run = host.run(wink.with_node("file", "EmotionGAN_LoadExpression", name="wink", strength=1.0).nodes)
    assert run.status == "success", run.error
    assert host.pictures(run, "mask")[0].max() > 0


def test_error_expressions_that_are_no_file_or_lead_elsewhere(host: Host) -> None:
    gone = (
        Graph({})
        .with_node("file", "EmotionGAN_LoadExpression", name="gone.json", strength=1.0)
        .with_node("shown", "PreviewAny", source=["file", 0])
    )
    with pytest.raises(
        AssertionError, match=r"there is no file 'gone\.json' in .*emotiongan_expressions; put it there"
    ):
        host.run(gone.nodes)
    keep = (
        Graph({})
        .with_node("file", "EmotionGAN_LoadExpression", name="wink", strength=1.0)
        .with_node("keep", "EmotionGAN_SaveExpression", expression=["file", 0], name="../../escaped")
    )
    assert "leads out of" in host.run(keep.nodes).error
    assert not list(host.folder.rglob("escaped*"))
    nothing = keep.with_inputs("file", strength=0.0).with_inputs("keep", name="none")
    assert host.run(nothing.nodes).error.startswith("there is nothing to save")


def sweeping(graph: Graph, **inputs: object) -> Graph:
    asked = {"keyframes": SWEEP, "easing": "linear", "frames": 0, "axes": ["axes", 0]}
    return node_graph(graph, "EmotionGAN_ExpressionSweep", **(asked | inputs))


def test_golden_frames_follow_the_keyframes(host: Host, graph) -> None:
    run = host.run(sweeping(graph).nodes)
    assert run.status == "success", run.error
    frames = [frame.astype(int) for frame in host.pictures(run, "save")]
    assert len(frames) == len(host.pictures(run, "mask")) == 4
    assert np.array_equal(frames[0], portrait().pixels)
    away = [np.abs(frame - frames[0]).mean() for frame in frames]
    assert away == sorted(away)
    assert away[1] > 0
    one = host.run(graph.with_inputs("apply", mode="motion", happiness=1.0).nodes)
    assert np.array_equal(host.pictures(one, "save")[0], frames[3])
    sheet = sweeping(graph).with_node("sheet", "PreviewImage", images=["apply", 2])
    assert host.pictures(host.run(sheet.nodes), "sheet")[0].shape[1] > 4 * 240
    held = host.run(sweeping(graph, frames=17, easing="hold").nodes)
    held_frames = host.pictures(held, "save")
    assert len(held_frames) == 17
    assert np.array_equal(held_frames[2], portrait().pixels)
    assert np.array_equal(held_frames[5], frames[3])


def test_shape_a_batch_is_swept_picture_by_picture(host: Host, graph) -> None:
    graph = (
        sweeping(graph, image=["both", 0], keyframes="0: neutral\n1: happiness=1")
        .with_node("second", "LoadImage", image="mirrored.png")
        .with_node("both", "ImageBatch", image1=["photo", 0], image2=["second", 0])
        .with_inputs("invert", image=["both", 0], method="encode")
    )
    frames = host.pictures(host.run(graph.nodes), "save")
    assert len(frames) == 2
    assert np.array_equal(frames[0], portrait().pixels)
    assert not np.array_equal(frames[1], portrait().pixels[:, ::-1])


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"keyframes": "happiness=1"}, "write frame: name=number"),
        ({"keyframes": "0: smile=1"}, "expression 'smile' is not known"),
        ({"keyframes": "2000: neutral"}, "2001 frames were asked for; up to 1000"),
    ],
)
def test_error_a_sweep_is_refused_in_one_sentence(host: Host, graph, inputs: dict[str, object], sentence: str) -> None:
    error = host.run(sweeping(graph, **inputs).nodes).error
    assert sentence in error
    assert len(error.strip().splitlines()) == 1


def test_golden_an_edit_is_compared_with_its_photo(host: Host, graph) -> None:
    graph = (
        graph.with_inputs("apply", mode="motion")
        .with_node(
            "compare", "EmotionGAN_CompareReport", before=["photo", 0], after=["apply", 0], mask=["apply", 1], face=0
        )
        .with_node("report", "PreviewAny", source=["compare", 0])
        .with_node("sheet", "PreviewImage", images=["compare", 1])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    lines = run.outputs["report"]["text"][0].splitlines()
    assert re.match(r"changed: \d+\.\d% of the pixels, by \d+ of 255 at most", lines[0])
    assert lines[1] == "outside of the mask: 0 pixels differ"
    assert re.match(r"landmarks moved: \d\.\d\d cm on average", lines[-1])
    assert host.pictures(run, "sheet")[0].shape[1] > 4 * 320
    other = graph.with_node("blank", "EmptyImage", width=64, height=64, batch_size=1, color=0)
    small = other.with_node("small", "SolidMask", value=1.0, width=64, height=64)
    error = host.run(small.with_inputs("compare", mask=["small", 0]).nodes).error
    assert "came for 1 picture of 256 x 256 px" in error
    assert "give two of one size" in host.run(other.with_inputs("compare", after=["blank", 0]).nodes).error


def test_golden_networks_of_the_users_tell_how_alike_pictures_are(host: Host, graph) -> None:
    graph = (
        graph.with_inputs("invert", perceptual="vgg16.pth", identity="arcface.pth", steps=2)
        .with_inputs("apply", mode="motion")
        .with_node("told", "PreviewAny", source=["invert", 2])
        .with_node("compare", "EmotionGAN_CompareReport", before=["photo", 0], after=["apply", 0], face=0)
        .with_inputs("compare", identity="arcface.pth")
        .with_node("report", "PreviewAny", source=["compare", 0])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    told, report = (run.outputs[name]["text"][0] for name in ("told", "report"))
    assert re.search(r"dB, perceptual distance \d\.\d{3}, identity distance \d\.\d{3}, face model", told)
    assert re.search(r"identity distance: \d\.\d{3} ", report)
    assert {"invert", "compare"} <= host.run(graph.nodes).cached
    os.utime(host.folder / "models/emotiongan_likeness/arcface.pth", (1, 1))
    assert not {"invert", "compare"} & host.run(graph.nodes).cached  # a changed file is seen
    wrong = host.run(graph.with_inputs("invert", identity="vgg16.pth").nodes).error
    assert "needed ArcFace's IR-SE50 as weights" in wrong
    assert len(wrong.strip().splitlines()) == 1
    with pytest.raises(AssertionError, match="there is no file 'gone"):
        host.run(graph.with_inputs("invert", perceptual="gone.pth").nodes)


def landmarked(graph: Graph, **inputs: object) -> Graph:
    """The inversion at landmarks that a node of the tests reads from a file."""
    return (
        graph.with_node("found", "TestLandmarks", **({"name": "portrait.json"} | inputs))
        .with_inputs("invert", face_landmarks=["found", 0], method="encode")
        .with_inputs("apply", mode="motion")
    )


def test_shape_the_hosts_landmarks_take_the_place_of_ours(host: Host, graph) -> None:
    own = host.run(graph.with_inputs("invert", method="encode").with_inputs("apply", mode="motion").nodes)
    masks = [host.pictures(own, "mask")[0][..., 0].astype(int)]
    for name in ("portrait.json", "portrait_468.json", "portrait_moved.json"):
        run = host.run(landmarked(graph, name=name).nodes)
        assert run.status == "success", run.error
        masks.append(host.pictures(run, "mask")[0][..., 0].astype(int))
    apart = [np.abs(mask - masks[0]).mean() for mask in masks[1:]]
    assert max(apart[:2]) < 0.3 * apart[2]


def test_error_landmarks_of_another_picture(host: Host, graph) -> None:
    run = host.run(landmarked(graph, name="none.json").nodes)
    assert run.error.startswith("face 0 was asked for, but the landmarks are of 0")
    run = host.run(landmarked(graph, name="larger.json").nodes)
    assert run.error.startswith("landmarks of pictures of 512 x 512 px came for 256 x 256 px")


def test_shape_faces_are_numbered_and_given_to_the_hosts_own_nodes(host: Host, graph) -> None:
    graph = graph.with_inputs("invert", method="encode").with_inputs("apply", mode="motion")
    own = host.run(graph.nodes)
    found = (
        graph.with_node("found", "EmotionGAN_FindFaces", image=["photo", 0])
        .with_inputs("invert", face_landmarks=["found", 1])
        .with_node("report", "PreviewAny", source=["found", 3])
    )
    if "MediaPipeFaceMask" in host.get_json("/object_info"):  # from 0.23 on
        found = (
            found.with_node("drawn", "MediaPipeFaceMask", face_landmarks=["found", 1], regions="all")
            .with_node("oval", "MaskPreview", mask=["drawn", 0])
            .with_node(
                "lines",
                "MediaPipeFaceMeshVisualize",
                face_landmarks=["found", 1],
                image=["photo", 0],
                connections="custom",
                **{"color": "#00ff00", "thickness": 1, "point_size": 2},
                **{f"connections.{name}": True for name in OUTLINES},
            )
            .with_node("mesh", "PreviewImage", images=["lines", 0])
        )
    run = host.run(found.nodes)
    assert run.status == "success", run.error
    assert re.fullmatch(r"face 0: \d+ px wide, turned [+-]\d+ degrees", run.outputs["report"]["text"][0])
    (shown,) = host.pictures(run, "found")
    assert 0.01 < (shown != portrait().pixels).any(-1).mean() < 0.4
    for one, other in zip(host.pictures(own, "save"), host.pictures(run, "save"), strict=True):
        assert np.abs(one.astype(int) - other).mean() < 0.5  # the same face, found in another way
    if "oval" in run.outputs:
        assert 0.05 < (host.pictures(run, "oval")[0] > 127).mean() < 0.6
        assert (host.pictures(run, "mesh")[0] != portrait().pixels).any(-1).mean() > 0.05


def test_shape_without_a_generator_the_built_in_one_is_taken(host: Host, graph) -> None:
    alone = {name: node for name, node in graph.nodes.items() if name not in ("generator", "axes", "redrawn")}
    for name in ("generator", "axes"):
        for node in alone.values():
            node["inputs"].pop(name, None)
    graph = Graph(alone).with_inputs("invert", method="encode").with_inputs("apply", mode="motion")
    run = host.run(graph.with_node("redrawn", "PreviewImage", images=["invert", 1]).nodes)
    assert run.status == "success", run.error
    assert host.pictures(run, "redrawn")[0].shape == (128, 128, 3)


def test_invariance_an_inversion_is_kept_and_edited_again(host: Host, graph) -> None:
    graph = graph.with_inputs("apply", mode="motion")
    run = host.run(graph.with_node("keep", "EmotionGAN_SaveInversion", inversion=["invert", 0], name="faces/me").nodes)
    assert run.status == "success", run.error
    name = "faces/me_00001_.safetensors"
    assert (host.folder / "output/emotiongan_inversions" / name).is_file()
    loaded = graph.with_node("invert", "EmotionGAN_LoadInversion", name=name, generator=["generator", 0])
    again = host.run(loaded.nodes)
    assert again.status == "success", again.error
    one, two = (host.pictures(each, "save")[0] for each in (run, again))
    assert np.array_equal(one, two)
    other = host.run(loaded.with_inputs("generator", name="other_generator.safetensors").nodes)
    assert "the inversion faces/me_00001_.safetensors belongs to generator" in other.error
    wrong = loaded.with_node("photo", "LoadImage", image="mirrored.png")
    assert "shows another face than the one that was inverted" in host.run(wrong.nodes).error


def test_golden_axes_are_shown_as_pictures_and_text(host: Host) -> None:
    graph = (
        Graph({})
        .with_node("generator", "EmotionGAN_LoadGenerator", name="generator.safetensors")
        .with_node("axes", "EmotionGAN_LoadAxes", name="axes.safetensors")
        .with_node("show", "EmotionGAN_ShowAxes", axes=["axes", 0], expressions="happiness", generator=["generator", 0])
        .with_node("report", "PreviewAny", source=["show", 1])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    (picture,) = host.pictures(run, "show")
    assert picture.shape[1] > 1000
    assert np.ptp(picture) > 200
    text = run.outputs["report"]["text"][0]
    assert text.startswith("happiness: ")
    assert "random samples show a face that can be read" in text  # what a tiny random network draws is none
    strange = host.run(graph.with_inputs("show", expressions="nonsense").nodes)
    assert strange.error.startswith("'nonsense' is none of these axes")
