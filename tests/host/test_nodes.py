"""Our nodes inside a real ComfyUI, on tiny models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from comfy_host import Graph, Host
from scipy.ndimage import maximum_filter
from tiny import make_generator
from tiny_models import axis, portrait

from emogan_core.expressions import load_axes
from emogan_core.expressions.meanings import SHAPES
from emogan_core.images import open_photo, photo_from_tensor, read_record, save_photo
from emogan_core.weights import builtin_path

pytestmark = pytest.mark.slow

SNAPSHOT = Path(__file__).with_name("schemas.json")
OURS = (  # what a schema says on every host; newer ones add keys of their own
    *("display_name", "description", "category", "search_aliases", "input", "input_order"),
    *("output", "output_name", "output_tooltips", "output_node", "has_intermediate_output"),
)
STITCH = {
    "direction": "right",
    "match_image_size": False,
    "spacing_width": 0,
    "spacing_color": "white",
}
FILE_CHOICES = (
    ("EmotionGAN_LoadGenerator", "required", "name"),
    ("EmotionGAN_ConvertGenerator", "required", "name"),
    ("EmotionGAN_LoadAxes", "required", "name"),
    ("EmotionGAN_LoadExpression", "required", "name"),
    ("EmotionGAN_LoadInversion", "required", "name"),
    ("EmotionGAN_FitExpressionGLM", "required", "face_set"),
    ("EmotionGAN_InvertFace", "optional", "perceptual"),
    ("EmotionGAN_InvertFace", "optional", "identity"),
    ("EmotionGAN_CompareReport", "optional", "identity"),
)


def test_shape_the_host_loads_the_pack(host: Host) -> None:
    log = host.log_at_start
    assert "emotiongan" in log
    for trouble in ("IMPORT FAILED", "Traceback", "Error while calling", "Cannot import"):
        assert trouble not in log, log[-4000:]


def test_golden_schemas(host: Host) -> None:
    """Written by: pytest tests/host -k schemas, after deleting schemas.json."""
    schemas = {
        name: {key: info[key] for key in OURS}
        for name, info in host.get_json("/object_info").items()
        if name.startswith("EmotionGAN_")
    }
    for name, kind, choice in FILE_CHOICES:
        options = schemas[name]["input"][kind][choice][1]["options"]
        options[:] = [option for option in options if "." not in option]  # the others are files of this machine
    text = json.dumps(schemas, indent=1, sort_keys=True) + "\n"
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8"), (
        "a schema changed: delete schemas.json, run again, read the diff"
    )


def test_shape_everything_has_a_tooltip_and_a_description(host: Host) -> None:
    for name, info in host.get_json("/object_info").items():
        if not name.startswith("EmotionGAN_"):
            continue
        assert info["category"] == "EmotionGAN"
        assert info["description"]
        assert info["search_aliases"]
        assert all(info["output_tooltips"])
        for group in ("required", "optional"):
            for label, spec in info["input"].get(group, {}).items():
                assert spec[1].get("tooltip"), f"{name}.{label}"


@pytest.mark.parametrize("mode", ["motion", "paste"])
def test_invariance_only_the_mask_changes(host: Host, graph, mode: str) -> None:
    run = host.run(graph.with_inputs("apply", mode=mode, happiness=1.5).nodes)
    assert run.status == "success", run.error
    edited, mask = host.pictures(run, "save")[0], host.pictures(run, "mask")[0]
    before = portrait().pixels
    assert edited.shape == before.shape
    outside = maximum_filter(mask[..., 0], 5) == 0
    assert 0.2 < outside.mean() < 0.98
    assert np.array_equal(edited[outside], before[outside])
    assert not np.array_equal(edited, before)
    assert host.pictures(run, "redrawn")[0].shape == (32, 32, 3)


def test_shape_saved_pictures_carry_a_record_of_the_edit(host: Host, graph) -> None:
    graph = graph.with_inputs("apply", mode="motion", happiness=0.75).with_inputs("save", filename_prefix="recorded")
    for _ in range(2):  # taken from the cache, too
        assert host.run(graph.nodes).status == "success"
        graph = graph.with_inputs("save", filename_prefix="recorded_again")
    found = sorted((host.folder / "output").glob("recorded*.png"))
    assert len(found) == 2
    for path in found:
        record = read_record(path)
        assert record is not None
        assert (record["edited"], record["expressions"]) == (True, {"happiness": 0.75})


def test_shape_a_draft_is_nearly_the_result(host: Host, graph) -> None:
    graph = graph.with_inputs("apply", mode="motion", happiness=1.0)
    before = portrait().pixels.astype(int)
    whole, drafted = (
        host.pictures(host.run(one.nodes), "save")[0].astype(int)
        for one in (graph, graph.with_inputs("apply", draft=True))
    )
    assert 0 < np.abs(drafted - whole).mean() < np.abs(whole - before).mean()


def test_invariance_intensity_zero_changes_no_pixel(host: Host, graph) -> None:
    run = host.run(graph.with_inputs("apply", happiness=0.0).nodes)
    assert np.array_equal(host.pictures(run, "save")[0], portrait().pixels)
    assert host.pictures(run, "mask")[0].max() == 0


def test_invariance_alpha_comes_back(host: Host, graph) -> None:
    graph = (
        graph.with_node("ramp", "LoadImageMask", image="ramp.png", channel="red")
        .with_node("photo", "LoadImage", image="portrait.png")
        .with_node("joined", "JoinImageWithAlpha", image=["photo", 0], alpha=["ramp", 0])
        .with_inputs("invert", image=["joined", 0])
        .with_inputs("apply", image=["joined", 0])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    edited = host.pictures(run, "save")[0]
    height, width = portrait().pixels.shape[:2]
    assert edited.shape == (height, width, 4)
    ramp = np.arange(width) % 256
    assert np.abs(edited[..., 3].astype(int) - (255 - ramp)).max() <= 1


def test_shape_a_batch_is_edited_whole(host: Host, graph) -> None:
    graph = (
        graph.with_node("second", "LoadImage", image="mirrored.png")
        .with_node("both", "ImageBatch", image1=["photo", 0], image2=["second", 0])
        .with_inputs("invert", image=["both", 0], method="encode")
        .with_inputs("apply", image=["both", 0])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    pictures, masks = host.pictures(run, "save"), host.pictures(run, "mask")
    assert len(pictures) == len(masks) == len(host.pictures(run, "redrawn")) == 2
    for edited, before in zip(pictures, (portrait().pixels, portrait().pixels[:, ::-1]), strict=True):
        assert 0 < (edited != before).any(-1).mean() < 0.8


def test_invariance_a_slider_runs_only_its_own_node(host: Host, graph) -> None:
    host.run(graph.nodes)
    run = host.run(graph.with_inputs("apply", happiness=0.35).nodes)
    assert {"generator", "axes", "photo", "invert"} <= run.cached
    assert run.ran == {"apply", "save", "mask", "redrawn"}


def test_shape_inversion_reports_steps_and_previews(host: Host, graph) -> None:
    run = host.run(graph.with_inputs("invert", steps=7).nodes)
    steps = [(value, of) for node, value, of in run.progress if node == "invert"]
    assert (7, 7) in steps
    assert steps[-1] == (1, 1)  # full, whatever the method's phases were
    assert run.previews >= 1
    assert set(run.outputs["invert"]) == {
        "emotiongan_told",
        "emotiongan_seen",
    }  # the page would show "images" beside the preview


def test_shape_more_takes_expressions_without_a_slider(host: Host, graph) -> None:
    by_slider = host.run(graph.with_inputs("apply", anger=0.5, happiness=0.0).nodes)
    by_text = host.run(graph.with_inputs("apply", anger=0.0, happiness=0.0, more="anger = 0.5").nodes)
    assert np.array_equal(host.pictures(by_slider, "save")[0], host.pictures(by_text, "save")[0])


def test_shape_what_stops_or_may_look_wrong_is_told_on_the_node(host: Host, graph) -> None:
    graph = graph.with_inputs("apply", mode="motion", happiness=0.0)
    run = host.run(graph.with_inputs("apply", more="cheekPuff=-0.5").nodes)
    assert re.match(
        "cheekPuff -0.5 moves it by 0.0[0-9]: this shape goes from 0 to 1 and has no opp", run.told["apply"]
    )
    assert "cheekPuff" not in host.run(graph.with_inputs("apply", more="cheekPuff=0.5").nodes).told["apply"]
    assert "the face has 43 px between the eyes" in run.told["apply"]


def test_shape_axes_of_another_generator_move_photos(host: Host, graph) -> None:
    run = host.run(graph.with_inputs("axes", name="other_axes.safetensors").with_inputs("apply", mode="motion").nodes)
    assert run.status == "success", run.error
    assert host.pictures(run, "mask")[0].max() > 0


def test_shape_neutral_first_changes_a_smiling_face_and_absolute_sets_a_level(host: Host, graph) -> None:
    graph = graph.with_inputs("apply", mode="motion", happiness=0.0)
    neutral = host.run(graph.with_inputs("apply", neutral_first=True).nodes)
    assert host.pictures(neutral, "mask")[0].max() > 0
    added = host.run(graph.with_inputs("apply", happiness=0.5).nodes)
    level = host.run(graph.with_inputs("apply", happiness=0.5, absolute=True).nodes)
    assert not np.array_equal(host.pictures(added, "save")[0], host.pictures(level, "save")[0])


def shapes_graph(graph: Graph, **inputs: object) -> Graph:
    """The photo edited by shapes."""
    sliders = dict.fromkeys(SHAPES, 0.0) | inputs
    return graph.with_node(
        "apply", "EmotionGAN_FaceShapes", image=["photo", 0], inversion=["invert", 0], **sliders
    ).with_node("redrawn", "PreviewImage", images=["invert", 1])


def test_shape_face_shapes_move_the_photo(host: Host, graph) -> None:
    still = host.run(shapes_graph(graph).nodes)
    assert np.array_equal(host.pictures(still, "save")[0], portrait().pixels)
    by_slider = host.run(shapes_graph(graph, browInnerUp=0.5).nodes)
    both = "browInnerUpLeft=0.5, browInnerUpRight=0.5"
    by_text = host.run(shapes_graph(graph, more=both).nodes)
    assert by_slider.status == "success", by_slider.error
    edited = host.pictures(by_slider, "save")[0]
    assert not np.array_equal(edited, portrait().pixels)
    assert np.array_equal(edited, host.pictures(by_text, "save")[0])


def test_error_cancel_stops_within_a_step_and_leaves_no_trace(host: Host, graph) -> None:
    long = graph.with_inputs("invert", method="optimise", steps=1000)
    run = host.run(long.nodes, interrupt_when=lambda run: any(node == "invert" for node, _, _ in run.progress))
    assert "execution_interrupted" in run.messages
    assert run.progress[-1][1] < 200
    assert run.interrupted_after is not None
    assert run.interrupted_after < 5
    assert host.run(graph.with_inputs("invert", steps=4).nodes).status == "success"


@pytest.mark.parametrize(
    ("node", "inputs", "sentence"),
    [
        ("invert", {"face": 5}, r"face 5 was asked for, but 1 face was found; use 0"),
        ("apply", {"surprise": 1.0}, r"expression 'surprise' is not known; .*choose from happiness, anger"),
        ("apply", {"more": "wink"}, r"'wink' came in 'more'; write name=number"),
        ("apply", {"more": "mouthSmileLfet=1"}, r"did you mean mouthSmileLeft"),
    ],
)
def test_error_is_one_sentence(host: Host, graph, node: str, inputs: dict[str, object], sentence: str) -> None:
    run = host.run(graph.with_inputs(node, **inputs).nodes)
    assert run.status == "error"
    assert re.search(sentence, run.error), run.error
    told = run.messages["execution_error"]
    assert told["exception_type"] == "ValueError"
    assert len(run.error.strip().splitlines()) == 1
    assert "The above exception" not in "".join(told["traceback"])


def test_error_no_face(host: Host, graph) -> None:
    blank = graph.with_node("photo", "EmptyImage", width=256, height=256, batch_size=1, color=0)
    assert host.run(blank.nodes).error.startswith("no face was found in this photo of 256 x 256 px")


def test_error_another_photo_than_the_inverted_one(host: Host, graph) -> None:
    graph = graph.with_node("other", "EmptyImage", width=264, height=264, batch_size=1, color=0)
    run = host.run(graph.with_inputs("apply", image=["other", 0]).nodes)
    assert "connect the image that was inverted" in run.error


def test_error_another_photo_of_the_same_size(host: Host, graph) -> None:
    graph = graph.with_node("other", "LoadImage", image="mirrored.png").with_inputs("apply", image=["other", 0])
    run = host.run(graph.nodes)
    assert run.error.startswith("the image shows another face than the one that was inverted there")


def test_invariance_what_changes_beside_the_face_does_not_matter(host: Host, graph) -> None:
    graph = (
        graph.with_node("edge", "EmptyImage", width=256, height=8, batch_size=1, color=0xFF0000)
        .with_node(
            "framed",
            "ImageCompositeMasked",
            destination=["photo", 0],
            source=["edge", 0],
            x=0,
            y=0,
            resize_source=False,
        )
        .with_inputs("apply", image=["framed", 0])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    assert (host.pictures(run, "save")[0][:8] == (255, 0, 0)).all()


def test_shape_pictures_without_a_face_pass_through_or_stop(host: Host, graph) -> None:
    graph = (
        graph.with_node("blank", "EmptyImage", width=256, height=256, batch_size=1, color=0x336699)
        .with_node("both", "ImageBatch", image1=["blank", 0], image2=["photo", 0])
        .with_inputs("invert", image=["both", 0], method="encode")
        .with_inputs("apply", image=["both", 0])
        .with_node("report", "PreviewAny", source=["invert", 2])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    first, second = host.pictures(run, "save")
    assert (first == (0x33, 0x66, 0x99)).all()
    assert not np.array_equal(second, portrait().pixels)
    masks = host.pictures(run, "mask")
    assert masks[0].max() == 0
    assert masks[1].max() > 0
    assert len(host.pictures(run, "redrawn")) == 1
    image, note = run.outputs["report"]["text"][0].splitlines()
    assert image.startswith("image 2: redrawn with a PSNR of ")
    assert note.startswith("left unchanged: image 1 of 2: no face was found")
    assert "no face was found" in run.told["invert"]
    run = host.run(graph.with_inputs("invert", without_face="stop").nodes)
    assert run.error.startswith("image 1 of 2: no face was found")


def test_shape_a_mask_chooses_the_face(host: Host, graph) -> None:
    graph = (
        graph.with_node("one", "LoadImage", image="mirrored.png")
        .with_node("wide", "ImageStitch", image1=["photo", 0], image2=["one", 0], **STITCH)
        .with_node("empty", "SolidMask", value=0.0, width=512, height=256)
        .with_node("full", "SolidMask", value=1.0, width=256, height=256)
        .with_inputs("invert", image=["wide", 0], method="encode", face_mask=["over", 0])
        .with_inputs("apply", image=["wide", 0], mode="motion")
    )
    for left in (0, 256):
        over = {"destination": ["empty", 0], "source": ["full", 0], "x": left, "y": 0, "operation": "add"}
        run = host.run(graph.with_node("over", "MaskComposite", **over).nodes)
        assert run.status == "success", run.error
        changed = host.pictures(run, "mask")[0][..., 0] > 0
        assert changed[:, left : left + 256].any()
        assert not changed[:, 256 - left : 512 - left].any()
    run = host.run(graph.with_inputs("invert", face_mask=["empty", 0]).nodes)
    assert run.error == "the mask lies on no face, 2 faces were found; draw it over the face\n"
    run = host.run(graph.with_inputs("invert", face_mask=["full", 0]).nodes)
    assert "came for 1 picture of 512 x 256 px" in run.error


def test_shape_several_faces_are_told_unless_one_was_chosen(host: Host, graph) -> None:
    graph = (
        graph.with_node("one", "LoadImage", image="mirrored.png")
        .with_node("wide", "ImageStitch", image1=["photo", 0], image2=["one", 0], **STITCH)
        .with_inputs("invert", image=["wide", 0], method="encode")
        .with_inputs("apply", image=["wide", 0], mode="motion", more="Brow inner up=0.5")
        .with_node("report", "PreviewAny", source=["invert", 2])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    told = "several faces in image 1: the largest was taken, 'face' or a mask chooses another"
    assert told in run.outputs["report"]["text"][0]
    run = host.run(graph.with_inputs("invert", face=1).nodes)
    assert "several faces" not in run.outputs["report"]["text"][0]


def test_shape_searches_find_the_nodes(host: Host) -> None:
    info = host.get_json("/object_info")
    for word in ("happy", "portrait", "edit face", "smile", "liveportrait", "neutral", "blendshapes"):
        found = [
            name
            for name, node in info.items()
            if name.startswith("EmotionGAN_")
            and any(word in text.lower() for text in (node["display_name"], *node["search_aliases"]))
        ]
        assert found, word


def test_invariance_leftovers_are_no_models(host: Host) -> None:
    leftover = host.folder / "models/emotiongan_axes/.emogan-abc.safetensors"
    leftover.write_bytes(b"")
    options = host.get_json("/object_info/EmotionGAN_LoadAxes")["EmotionGAN_LoadAxes"]["input"]["required"]["name"]
    assert "axes.safetensors" in options[1]["options"]
    assert leftover.name not in options[1]["options"]
    leftover.unlink()


def test_error_psi_that_is_no_number(host: Host, graph) -> None:
    graph = graph.with_node(
        "invert", "EmotionGAN_SampleFaces", generator=["generator", 0], seed=1, psi="nan", count=1, size=0
    )
    graph = graph.with_inputs("apply", image=["invert", 0], inversion=["invert", 1])
    assert host.run(graph.nodes).error.startswith("psi nan came; give a finite number")


def test_shape_sampled_faces_are_edited_without_inversion(host: Host, graph) -> None:
    graph = graph.with_node(
        "invert", "EmotionGAN_SampleFaces", generator=["generator", 0], seed=2**64 - 1, psi=0.5, count=2, size=128
    )
    graph = graph.with_inputs("apply", image=["invert", 0], inversion=["invert", 1])
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    assert [edited.shape for edited in host.pictures(run, "save")] == [(128, 128, 3)] * 2
    first, second = host.pictures(run, "redrawn")
    assert not np.array_equal(first, second)


@pytest.fixture
def face_set(host: Host) -> str:
    """A folder of tiny pictures, half of them made happy along a known axis, with its table."""
    generator = make_generator()
    rng = torch.Generator().manual_seed(0)
    ws = generator.mapping(torch.randn(96, generator.spec.z_dim, generator=rng), psi=0.7).clone()
    ws[48:] += 2 * axis("happiness", generator).direction
    folder = host.folder / "input/faces"
    folder.mkdir(exist_ok=True)
    lines = ["file,expression"]
    for number, image in enumerate(generator.synthesis(ws)):
        save_photo(folder / f"{number}.png", photo_from_tensor(image))
        lines.append(f"{number}.png,{'neutral' if number < 48 else 'happiness'}")
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return "faces/labels.csv"


def test_invariance_fitted_axes_are_saved_and_found_again(host: Host, face_set: str) -> None:
    graph = (
        Graph({})
        .with_node("generator", "EmotionGAN_LoadGenerator", name="generator.safetensors")
        .with_node(
            "fit",
            "EmotionGAN_FitExpressionGLM",
            generator=["generator", 0],
            face_set=face_set,
            model="pattern",
            aligned=True,
        )
        .with_node("saved", "EmotionGAN_SaveAxes", axes=["fit", 0], name="learned/smile")
        .with_node("report", "PreviewAny", source=["fit", 1])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    assert run.outputs["report"]["text"][0].startswith("happiness: 48 examples, AUC ")
    path = host.folder / "output/emotiongan_axes/learned/smile_00001_.safetensors"
    assert load_axes(path).names == ("happiness",)
    assert (
        "learned/smile_00001_.safetensors"
        in host.get_json("/object_info/EmotionGAN_LoadAxes")["EmotionGAN_LoadAxes"]["input"]["required"]["name"][1][
            "options"
        ]
    )
    assert host.run(graph.nodes).ran == set()  # nothing changed in the folder
    (host.folder / "input/faces/labels.csv").touch()
    assert "fit" in host.run(graph.nodes).ran


def test_shape_a_fit_takes_what_the_command_line_takes(host: Host, face_set: str) -> None:
    table = host.folder / "input" / face_set
    rows = table.read_text(encoding="utf-8").splitlines()
    aged = [f"{row.replace('neutral', 'calm')},{20 + number % 30},{number % 48}" for number, row in enumerate(rows[1:])]
    (table.parent / "aged.csv").write_text("\n".join([f"{rows[0]},age,person", *aged]), encoding="utf-8")
    asked = {"model": "readout", "aligned": True, "neutral": "calm", "covariates": "age", "hold": "age, identity"}
    graph = (
        Graph({})
        .with_node("generator", "EmotionGAN_LoadGenerator", name="generator.safetensors")
        .with_node(
            "fit",
            "EmotionGAN_FitExpressionGLM",
            generator=["generator", 0],
            face_set="faces/aged.csv",
            covariance="latent",
            family="multinomial",
            **asked,
        )
        .with_node("report", "PreviewAny", source=["fit", 1])
    )
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    assert run.outputs["report"]["text"][0].startswith("happiness: 48 examples")
    unknown = host.run(graph.with_inputs("fit", hold="height").nodes)
    assert unknown.error.startswith("'height' is to be held still, but is no covariate that was named")


def test_error_labels_must_match_the_images(host: Host, graph) -> None:
    graph = graph.with_node(
        "fit",
        "EmotionGAN_FitExpressionGLM",
        generator=["generator", 0],
        face_set="images and labels below",
        model="readout",
        aligned=False,
        images=["photo", 0],
        labels="neutral, happiness",
    ).with_node("saved", "EmotionGAN_SaveAxes", axes=["fit", 0], name="never")
    run = host.run({name: graph.nodes[name] for name in ("generator", "photo", "fit", "saved")})
    assert run.error.startswith("2 labels came for 1 image;")


def test_error_axes_are_saved_only_below_the_output_folder(host: Host, graph) -> None:
    graph = graph.with_node("saved", "EmotionGAN_SaveAxes", axes=["axes", 0], name="../../escaped")
    run = host.run({name: graph.nodes[name] for name in ("axes", "saved")})
    assert "leads out of" in run.error
    assert not list(host.folder.rglob("escaped*"))


def test_shape_the_example_photo_is_the_shipped_one(host: Host) -> None:
    run = host.run(
        {
            "photo": {"class_type": "EmotionGAN_ExamplePhoto", "inputs": {}},
            "show": {"class_type": "PreviewImage", "inputs": {"images": ["photo", 0]}},
        }
    )
    assert np.array_equal(
        host.pictures(run, "show")[0], open_photo(builtin_path("examples/composite_f_multi.jpg")).pixels
    )


def test_shape_the_host_serves_translations(host: Host) -> None:
    served = host.get_json("/i18n")
    for language in ("en", "zh", "ja"):
        assert "EmotionGAN_InvertFace" in served[language]["nodeDefs"]


def test_shape_the_host_serves_help_pages(host: Host) -> None:
    for name in host.get_json("/object_info"):
        if name.startswith("EmotionGAN_"):
            assert len(host.get(f"/extensions/emotiongan/docs/{name}.md")) > 200
