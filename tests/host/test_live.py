"""Live previews in a real ComfyUI: what a run leaves for them, what the route answers, and that results stay as they are."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from comfy_host import Graph, Host
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

pytestmark = pytest.mark.slow

ROUTE = "/emotiongan/preview"


@pytest.fixture
def moving(graph: Graph) -> Graph:
    """A photo's own pixels moved by the built-in axes, which need no generator of theirs."""
    return graph.with_node("axes", "EmotionGAN_LoadAxes", name="builtin").with_inputs("apply", mode="motion")


def asked(host: Host, body: bytes, **headers: str) -> tuple[int, Any]:
    """Status and JSON of one request."""
    request = Request(f"http://{host.address}{ROUTE}", body, {"Content-Type": "application/json"} | headers)
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        said = error.read()
        return error.code, json.loads(said) if said else None


def shown(host: Host, face: str, values: Mapping[str, object]) -> NDArray[np.uint8]:
    """The preview of a face with some values changed."""
    status, answer = asked(host, json.dumps({"face": face, "values": values}).encode())
    assert status == 200, answer
    (place,) = answer["images"]
    with Image.open(io.BytesIO(host.get("/view", **place))) as picture:
        assert picture.format == "JPEG"
        return np.array(picture)


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean difference of two pictures, apart from grain, which no JPEG keeps."""
    return float(np.abs(uniform_filter(one.astype(float) - other, (5, 5, 0))).mean())


def left_by(host: Host, graph: Graph, node: str) -> dict[str, Any]:
    """What a run left on a node for previews."""
    run = host.run(graph.nodes)
    assert run.status == "success", run.error
    return dict(run.outputs[node]["emotiongan_live"][0])


def test_shape_a_preview_follows_the_values_and_no_result_does(host: Host, moving: Graph) -> None:
    run = host.run(moving.nodes)
    assert run.status == "success", run.error
    (left,) = run.outputs["apply"]["emotiongan_live"]
    assert left["values"]["happiness"] == 1.0
    assert "image" not in left["values"]
    (result,) = host.pictures(run, "apply")
    as_run, surprised, again = (
        shown(host, left["face"], values)
        for values in ({}, {"happiness": 0, "surprise": 1.0}, {"happiness": 1.0, "surprise": 0})
    )
    assert as_run.shape == result.shape
    assert apart(as_run, result) < 1  # a draft, and a JPEG
    assert apart(again, as_run) == 0
    assert apart(surprised, result) > 3 * apart(as_run, result)
    later = host.run(moving.with_inputs("save", filename_prefix="after").nodes)
    assert "apply" in later.cached
    for one, other in zip(host.pictures(run, "save"), host.pictures(later, "save"), strict=True):
        assert np.array_equal(one, other)


def test_shape_the_same_face_keeps_its_name_from_run_to_run(host: Host, moving: Graph) -> None:
    first = left_by(host, moving, "apply")
    second = left_by(host, moving.with_inputs("apply", happiness=0.5), "apply")
    assert second["face"] == first["face"]
    assert second["values"]["happiness"] == 0.5
    other = left_by(host, moving.with_node("photo", "LoadImage", image="mirrored.png"), "apply")
    assert other["face"] != first["face"]


def test_shape_face_shapes_have_a_preview(host: Host, moving: Graph) -> None:
    names = host.get_json("/object_info")["EmotionGAN_FaceShapes"]["input"]["required"]
    sliders = {name: 0.0 for name in names if name not in ("image", "inversion")}
    shapes = moving.with_node(
        "apply", "EmotionGAN_FaceShapes", image=["photo", 0], inversion=["invert", 0], **sliders
    ).with_node("redrawn", "PreviewImage", images=["apply", 0])
    face = left_by(host, shapes, "apply")["face"]
    still, open_mouth = shown(host, face, {}), shown(host, face, {"jawOpen": 1.0})
    assert apart(open_mouth, still) > 0.3


def test_error_requests_are_refused_in_one_sentence(host: Host, moving: Graph) -> None:
    face = left_by(host, moving, "apply")["face"]

    def said(**values: object) -> bytes:
        return json.dumps({"face": face, "values": values}).encode()

    for body, status, sentence in (
        (b"no JSON", 400, "no JSON"),
        (said(happiness=float("nan")), 400, "finite number"),
        (said(happiness=99.0), 400, "beyond the limit of 3"),
        (said(more="nothing"), 400, "name=number"),
        (said(mode="paste"), 400, "only mode motion"),
        (said(image="../../etc/passwd"), 400, "no value 'image'"),
        (json.dumps({"face": "../x", "values": {}}).encode(), 404, "run the workflow once"),
        (b" " * 20_000, 413, "16384 bytes or less"),
    ):
        came, answer = asked(host, body)
        assert came == status, answer
        assert sentence in answer["error"]
        assert "\n" not in answer["error"]
    assert asked(host, said(), **{"Content-Type": "text/plain"})[0] == 415
    assert asked(host, said(), **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert asked(host, said(), Origin="http://elsewhere.example")[0] == 403


def test_error_while_a_workflow_runs(host: Host, moving: Graph) -> None:
    face = left_by(host, moving, "apply")["face"]
    long = moving.with_inputs("invert", method="optimise", steps=1000).nodes
    host.post("/prompt", {"prompt": long})
    status, answer = asked(host, json.dumps({"face": face, "values": {}}).encode())
    host.post("/interrupt", {})
    assert (status, answer) == (409, {"error": "busy; ask again in a moment"})
    for _ in range(200):
        if host.get_json("/prompt")["exec_info"]["queue_remaining"] == 0:
            break
        time.sleep(0.1)
    assert shown(host, face, {}).size
