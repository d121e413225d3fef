"""What inputs cannot use, on their nodes in a real ComfyUI: one sentence each, or the host's own refusal by its limits."""

from __future__ import annotations

import re

import pytest
from comfy_host import Graph, Host, Run

pytestmark = pytest.mark.slow

NO_NUMBER = ("nan", "give a finite number")
PARTS = {"brows": True, "eyes": True, "mouth": True}


def with_others(graph: Graph) -> Graph:
    """The photo inverted at once and edited, beside a link that may be anything, a mask and a picture of nothing."""
    return (
        graph.with_inputs("invert", method="encode")
        .with_inputs("apply", mode="motion")
        .with_node("anything", "TestAnything")
        .with_node("blank", "EmptyImage", width=256, height=256, batch_size=1, color=0)
        .with_node("narrow", "SolidMask", value=1.0, width=64, height=256)
    )


def driven(graph: Graph) -> Graph:
    """The photo driven by itself, in the place of its edit."""
    inputs = {"driving": ["photo", 0], "strength": 1.0, "neutral_frame": -1}
    return graph.with_node(
        "apply", "EmotionGAN_DriveExpression", image=["photo", 0], inversion=["invert", 0], **(PARTS | inputs)
    ).with_node("redrawn", "PreviewImage", images=["invert", 1])


def refused(run: Run, sentence: str) -> None:
    assert run.status == "error"
    assert re.search(sentence, run.error), run.error
    assert len(run.error.strip().splitlines()) == 1
    assert run.messages["execution_error"]["exception_type"] == "ValueError"


def test_error_numbers_that_are_none(host: Host, graph) -> None:
    graph, (value, sentence) = with_others(graph), NO_NUMBER
    for name in ("seconds", "editability", "smoothing"):
        refused(host.run(graph.with_inputs("invert", **{name: value}).nodes), f"^{name} nan came; {sentence}")
    refused(host.run(graph.with_inputs("apply", happiness=value).nodes), f"^happiness nan came; {sentence}")
    for name in ("strength", "smoothing"):
        refused(host.run(driven(graph).with_inputs("apply", **{name: value}).nodes), f"^{name} nan came; {sentence}")


@pytest.mark.parametrize(
    ("node", "inputs", "said"),
    [
        ("invert", {"editability": 1.5}, "bigger than max"),
        ("invert", {"seconds": -1}, "smaller than min"),
        ("invert", {"smoothing": 99}, "bigger than max"),
        ("apply", {"strength": 99}, "bigger than max"),
        ("apply", {"neutral_frame": -5}, "smaller than min"),
        ("apply", {"driving_face": 64}, "bigger than max"),
    ],
)
def test_error_numbers_beyond_the_hosts_limits(host: Host, graph, node: str, inputs: dict, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        host.run(driven(with_others(graph)).with_inputs(node, **inputs).nodes)


@pytest.mark.parametrize(
    ("node", "inputs", "source"),
    [
        ("apply", ("image", "inversion", "axes", "expression"), "Load Expression|Invert Face|an IMAGE"),
        ("invert", ("image", "generator", "face_mask", "ignore_mask"), "Load Generator|a MASK|an IMAGE"),
    ],
)
def test_error_links_that_bring_something_else(host: Host, graph, node: str, inputs: tuple, source: str) -> None:
    graph = with_others(graph)
    for name in inputs:
        run = host.run(graph.with_inputs(node, **{name: ["anything", 0]}).nodes)
        refused(
            run,
            f"^what came at '{name}' is of type str and not what this EmotionGAN makes and takes; connect ({source})",
        )
    drive = driven(graph).with_inputs("apply", driving=["anything", 0])
    refused(host.run(drive.nodes), "^what came at 'driving' is of type str")


def test_error_masks_and_clips_without_a_face(host: Host, graph) -> None:
    graph = with_others(graph)
    refused(
        host.run(graph.with_inputs("invert", ignore_mask=["narrow", 0]).nodes), "came for 1 picture of 256 x 256 px"
    )
    nobody = graph.with_inputs("invert", image=["blank", 0], clip=True)
    refused(host.run(nobody.nodes), "no face was found")
    refused(host.run(nobody.with_inputs("invert", without_face="stop").nodes), "no face was found")


def fitting(**inputs: object) -> dict[str, dict]:
    asked = {"face_set": "images and labels below", "model": "readout", "aligned": False}
    return (
        Graph({})
        .with_node("generator", "EmotionGAN_LoadGenerator", name="generator.safetensors")
        .with_node("fit", "EmotionGAN_FitExpressionGLM", generator=["generator", 0], **(asked | inputs))
        .with_node("photo", "LoadImage", image="portrait.png")
        .with_node("report", "PreviewAny", source=["fit", 1])
        .nodes
    )


def test_error_scores_and_samples(host: Host) -> None:
    given = {"images": ["photo", 0], "labels": "happiness"}
    refused(host.run(fitting(scores="joy", **given)), "^scores are columns of a CSV, and none is chosen")
    (host.folder / "input/few.csv").write_text("file,expression,joy\nportrait.png,happiness,much\n", encoding="utf-8")
    refused(host.run(fitting(face_set="few.csv", scores="fun")), "fun")
    refused(host.run(fitting(face_set="few.csv", scores="joy")), "joy")
    refused(host.run(fitting(face_set="few.csv", **given)), "^images, labels came, and 'few.csv' is chosen as face_set")
    own = "the generator's own samples"
    with pytest.raises(AssertionError, match="smaller than min"):
        host.run(fitting(face_set=own, samples=10))
    of_labels = {"covariates": "age", "hold": "age", "covariance": "latent", "neutral": "calm"}
    refused(
        host.run(fitting(face_set=own, **of_labels)),
        "^covariates, hold, neutral, covariance are about labelled pictures",
    )
    refused(host.run(fitting(face_set=own, scores="joy", family="soft")), "^scores, family are about labelled pictures")
