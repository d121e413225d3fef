"""Clips inside a real ComfyUI: inverted as one person, and driving another face; on tiny models."""

from __future__ import annotations

import numpy as np
import pytest
from comfy_host import Graph, Host
from tiny_models import portrait

pytestmark = pytest.mark.slow

PARTS = {"brows": True, "eyes": True, "mouth": True}


def driving(graph: Graph, **inputs: object) -> Graph:
    """The mirrored portrait driven by four frames of the portrait, whose mouth opens, behind one frame of nobody."""
    made = (
        graph.with_node(
            "film",
            "EmotionGAN_ExpressionSweep",
            image=["photo", 0],
            inversion=["invert", 0],
            keyframes="0: neutral\n3: jawOpen=0.8",
            easing="linear",
            frames=0,
        )
        .with_node("nobody", "EmptyImage", width=256, height=256, batch_size=1, color=0x336699)
        .with_node("clip", "ImageBatch", image1=["film", 0], image2=["nobody", 0])
        .with_node("other", "LoadImage", image="mirrored.png")
        .with_inversion("invert_other", of="other", method="encode", steps=3)
    )
    asked = {"image": ["other", 0], "inversion": ["invert_other", 0], "driving": ["clip", 0], "strength": 1.0}
    return (
        made.with_node("apply", "EmotionGAN_DriveExpression", **(PARTS | asked | {"neutral_frame": 0} | inputs))
        .with_node("redrawn", "PreviewImage", images=["invert_other", 1])
        .with_node("report", "PreviewAny", source=["apply", 2])
    )


def test_golden_a_clip_drives_a_photo(host: Host, graph) -> None:
    run = host.run(driving(graph).nodes)
    assert run.status == "success", run.error
    frames = [frame.astype(int) for frame in host.pictures(run, "save")]
    assert len(frames) == len(host.pictures(run, "mask")) == 5
    assert np.array_equal(frames[0], portrait().pixels[:, ::-1])
    away = [np.abs(frame - frames[0]).mean() for frame in frames]
    assert away[1] < away[2] < away[3]
    assert np.array_equal(frames[3], frames[4])  # nobody is seen there: as in the frame before
    told = run.outputs["report"]["text"][0].splitlines()
    assert told == [
        "5 frames; driving frame 0 counts as neutral",
        "driven as the frames around it: driving frame 5 of 5: no face was found",
        "the face has 43 px between the eyes; below 64 px teeth, lids and folds can hardly be seen, a larger photo shows them",
    ]
    steps = [value for node, value, _ in run.progress if node == "apply"]
    assert len(steps) >= 5
    still = host.run(driving(graph, mouth=False, brows=False, eyes=False).nodes)
    assert all(np.array_equal(frame, frames[0]) for frame in host.pictures(still, "save"))


def test_shape_a_clip_drives_a_clip_until_the_shorter_one_ends(host: Host, graph) -> None:
    pair = (
        driving(graph, image=["two", 0])
        .with_node("two", "ImageBatch", image1=["nobody", 0], image2=["other", 0])
        .with_inputs("invert_other", image=["two", 0], clip=True)
    )
    run = host.run(pair.nodes)
    assert run.status == "success", run.error
    first, second = host.pictures(run, "save")
    assert (first == (0x33, 0x66, 0x99)).all()
    assert not np.array_equal(second, portrait().pixels[:, ::-1])
    told = run.outputs["report"]["text"][0]
    assert "5 driving frames came for a clip of 2; the shorter one ended it" in told
    assert "image 1 of 2 passed through, it shows no usable face" in told


def test_golden_frames_are_inverted_as_one_clip(host: Host, graph) -> None:
    film = driving(graph).with_node("kept", "EmotionGAN_InvertFace", image=["clip", 0], generator=["generator", 0])
    film = film.with_inputs("kept", face=0, method="encode", steps=3, clip=True, smoothing=1.0)
    film = film.with_node("told", "PreviewAny", source=["kept", 2])
    run = host.run({name: node for name, node in film.nodes.items() if name not in ("apply", "save", "mask", "report")})
    assert run.status == "success", run.error
    lines = run.outputs["told"]["text"][0].splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == [f"image {number}" for number in range(1, 5)]
    assert lines[4].startswith("left unchanged: frame 5 of 5: no face was found")


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"driving": ["nobody", 0]}, "the driving clip: no face was found in this photo of 256 x 256 px"),
        ({"neutral_frame": 9}, "the neutral frame 9 was named, but the driving clip has 0 to 4"),
    ],
)
def test_error_driving_is_refused_in_one_sentence(host: Host, graph, inputs: dict, sentence: str) -> None:
    error = host.run(driving(graph, **inputs).nodes).error
    assert sentence in error
    assert len(error.strip().splitlines()) == 1


def test_error_cancel_stops_between_frames(host: Host, graph) -> None:
    long = driving(graph, driving=["film", 0]).with_inputs("film", frames=12, keyframes="0: neutral\n11: jawOpen=0.8")
    run = host.run(long.nodes, interrupt_when=lambda run: any(node == "apply" for node, _, _ in run.progress))
    assert "execution_interrupted" in run.messages
    assert run.interrupted_after is not None
    assert run.interrupted_after < 5
