"""What a page may ask between two runs, and what it is answered."""

from __future__ import annotations

import gc
import io
import json
from pathlib import Path
from types import SimpleNamespace
from weakref import ref

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).parents[2]
VALUES = {"happiness": 1.0, "steps": 3, "draft": False, "more": ""}


@pytest.fixture
def live(part):
    return part("nodes.live")


def face_of(live, *tensors: torch.Tensor, node: str = "5", edit=lambda values: values):
    """A face whose picture is as bright as its happiness."""

    def with_edit(values):
        return np.full((16, 16, 3), round(100 * values["happiness"]), dtype=np.uint8)

    return live.LiveFace(node, tuple(map(ref, tensors)), SimpleNamespace(with_edit=with_edit), VALUES, edit)


def body(**said: object) -> bytes:
    return json.dumps(said).encode()


def brightness(jpeg: bytes) -> float:
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (16, 16))
        return float(np.asarray(picture).mean())


def test_shape_only_changed_values_replace_those_of_the_run(live) -> None:
    face = face_of(live)
    assert brightness(live.picture_of(face, {})) == pytest.approx(100, abs=1)
    assert brightness(live.picture_of(face, {"happiness": 0.5, "draft": True})) == pytest.approx(50, abs=1)
    assert brightness(live.picture_of(face, {"happiness": 2})) == pytest.approx(200, abs=1)
    assert VALUES["happiness"] == 1.0


def test_shape_the_face_asked_for_least_recently_is_forgotten(live) -> None:
    faces = live.LiveFaces(most=2)
    first, second = (faces.keep(face_of(live, torch.zeros(1), node=node)) for node in "12")
    faces.named(first)
    third = faces.keep(face_of(live, torch.zeros(1), node="3"))
    assert len({first, second, third}) == 3
    assert len(faces) == 2
    assert faces.named(first).node == "1"
    with pytest.raises(live.RequestError, match="run the workflow once") as caught:
        faces.named(second)
    assert caught.value.status == 404


def test_shape_a_node_that_runs_again_on_the_same_photo_keeps_its_face(live) -> None:
    faces, image, other = live.LiveFaces(), torch.zeros(1), torch.zeros(1)
    face = face_of(live, image)
    name = faces.keep(face)
    assert faces.preview_for("5", [image]) is face.preview
    assert faces.keep(face_of(live, image)) == name
    assert faces.preview_for("6", [image]) is None
    assert faces.preview_for("5", [other]) is None
    assert faces.keep(face_of(live, other)) != name
    assert len(faces) == 2


def test_shape_remembered_faces_keep_no_photo_alive(live) -> None:
    faces, image = live.LiveFaces(), torch.zeros(1)
    there = ref(image)
    faces.keep(face_of(live, image))
    del image
    gc.collect()
    assert there() is None
    assert faces.preview_for("5", [torch.zeros(1)]) is None


def test_shape_requests(live) -> None:
    asked = live.request_of(body(face="ab", values={"happiness": 0.5, "more": "wink=1", "draft": True}))
    assert (asked.name, asked.values) == ("ab", {"happiness": 0.5, "more": "wink=1", "draft": True})


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        (b"", 400, "no JSON"),
        (b"\xff\xfe", 400, "no JSON"),
        (b"[" * 16_000, 400, "no JSON"),
        (b"[]", 400, "needed an object"),
        (body(face=3, values={}), 400, "needed an object"),
        (body(face="ab", values=[]), 400, "needed an object"),
        (body(face="ab", values={"happiness": None}), 400, "'happiness' is no number"),
        (body(face="ab", values={"happiness": [1]}), 400, "'happiness' is no number"),
        (body(face="ab", values={"more": "x" * 2001}), 400, "no short text"),
        (b" " * 16_385, 413, "at most 16384"),
    ],
)
def test_error_no_request(live, said: bytes, status: int, sentence: str) -> None:
    with pytest.raises(live.RequestError, match=sentence) as caught:
        live.request_of(said)
    assert caught.value.status == status
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"image": "/etc/passwd"}, "no value 'image'"),
        ({"happiness": "1"}, "not what that input takes"),
        ({"happiness": True}, "not what that input takes"),
        ({"draft": 1}, "not what that input takes"),
        ({"more": 0.5}, "not what that input takes"),
    ],
)
def test_error_values_that_the_node_does_not_take(live, changed: dict[str, object], sentence: str) -> None:
    with pytest.raises(live.RequestError, match=sentence):
        live.picture_of(face_of(live), changed)


def test_golden_the_setting_is_told_in_every_language() -> None:
    script = (ROOT / "web/js/live.js").read_text(encoding="utf-8")
    told = {
        language: json.loads((ROOT / f"locales/{language}/settings.json").read_text(encoding="utf-8"))
        for language in ("en", "zh", "ja")
    }
    for texts in told.values():
        assert {key: set(text) for key, text in texts.items()} == {"EmotionGAN_LivePreview": {"name", "tooltip"}}
    for text in told["en"]["EmotionGAN_LivePreview"].values():
        assert f'"{text}"' in script
    assert '"EmotionGAN.LivePreview"' in script
    for language in told:
        groups = json.loads((ROOT / f"locales/{language}/main.json").read_text(encoding="utf-8"))["settingsCategories"]
        assert set(groups) == {"Live preview"}
    assert '"Live preview"' in script


def test_shape_the_script_asks_nobody_but_the_host() -> None:
    script = (ROOT / "web/js/live.js").read_text(encoding="utf-8")
    for trouble in ("http:", "https:", "WebSocket", "XMLHttpRequest", " fetch(", "eval(", "Function(", "innerHTML"):
        assert trouble not in script
