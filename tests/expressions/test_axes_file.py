"""The axes file: everything comes back, and nothing odd is believed."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from emogan_core.errors import CheckpointError, EmoganError, OutputError
from emogan_core.expressions import ExpressionAxes, load_axes, moving_axis, save_axes
from emogan_core.face_model import load_face_model
from emogan_core.glm import Validation


@pytest.fixture
def path(tmp_path, axes: ExpressionAxes):
    target = tmp_path / "axes.safetensors"
    save_axes(target, replace(axes, left_out={"fear": 3}))
    return target


def rewrite(path, *, metadata=None, about=None, tensors=None):
    """The file with some metadata, axis fields or tensors replaced; None deletes."""
    with safe_open(str(path), framework="pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        words = dict(file.metadata())
    entries = json.loads(words["axes"])
    for name, value in (about or {}).items():
        entries[0][name] = value
        if value is None:
            del entries[0][name]
    words["axes"] = json.dumps(entries)
    words |= metadata or {}
    stored |= tensors or {}
    stored = {name: value for name, value in stored.items() if value is not None}
    save_file(stored, str(path), metadata={name: value for name, value in words.items() if value is not None})


def test_golden_every_field_round_trips(path, axes):
    back = load_axes(path)
    assert back.fingerprint == axes.fingerprint
    assert back.left_out == {"fear": 3}
    assert back.names == axes.names
    assert back.content_fingerprint == axes.content_fingerprint
    for field in fields(axes["smile"]):
        was, now = getattr(axes["smile"], field.name), getattr(back["smile"], field.name)
        assert torch.equal(was, now) if isinstance(was, torch.Tensor) else was == now, field.name


def with_grin(axes: ExpressionAxes) -> ExpressionAxes:
    model = load_face_model()
    rng = torch.Generator().manual_seed(2)
    step, shading = torch.rand(len(model.names), generator=rng), torch.rand(model.face_vertices, generator=rng)
    return replace(axes, axes=(*axes.axes, moving_axis("grin", step, shading=shading, source="made up")))


def test_golden_parts_of_the_face_model_round_trip(tmp_path, axes):
    both = with_grin(axes)
    save_axes(tmp_path / "both.safetensors", both)
    back = load_axes(tmp_path / "both.safetensors")
    assert torch.equal(back["grin"].coefficients, both["grin"].coefficients)
    assert torch.equal(back["grin"].shading, both["grin"].shading)
    assert back["grin"].source == "made up"
    assert (back["grin"].has_direction, back["smile"].has_direction) == (False, True)
    assert back.content_fingerprint == both.content_fingerprint != axes.content_fingerprint


def test_shape_version_1_files_are_read(path, axes):
    rewrite(path, metadata={"version": "1"}, about={"source": None, "actions": ["mouth"]})
    assert load_axes(path).names == axes.names


def test_shape_curves_are_kept_and_files_without_them_are_read(path, axes):
    assert load_axes(path)["smile"].validation == axes["smile"].validation != Validation()
    rewrite(path, about={"validation": None, "covariate_drift": None})
    assert load_axes(path)["smile"].validation == Validation()


@pytest.mark.parametrize("part", ["coefficients", "shading"])
def test_error_parts_of_another_face_model(tmp_path, axes, part):
    target = tmp_path / "axes.safetensors"
    save_axes(target, with_grin(axes))
    rewrite(target, tensors={f"1.{part}": torch.zeros(7)})
    with pytest.raises(CheckpointError, match=f"{part} of shape"):
        load_axes(target)


def test_invariance_content_fingerprint_follows_the_direction(axes):
    moved = replace(axes["smile"], direction=axes["smile"].direction + 1e-3)
    assert replace(axes, axes=(moved,)).content_fingerprint != axes.content_fingerprint
    assert replace(axes, fingerprint="0" * 64).content_fingerprint != axes.content_fingerprint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metadata": {"format": "other"}}, "no file of expression axes"),
        ({"metadata": {"version": "99"}}, "version 99"),
        ({"metadata": {"fingerprint": None}}, "describes its axes wrongly"),
        ({"metadata": {"left_out": "[]"}}, "describes its axes wrongly"),
        ({"metadata": {"axes": "{"}}, "JSON|describes its axes wrongly"),
        ({"metadata": {"axes": "[]"}}, "unexpected 0.direction"),
        ({"about": {"auc": None}}, "lacks auc"),
        ({"about": {"colour": "red"}}, "unknown colour"),
        ({"about": {"auc": "high"}}, "auc = high"),
        ({"about": {"auc": float("nan")}}, "describes its axes wrongly .*NaN is no finite number"),
        ({"about": {"eta_per_unit": float("inf")}}, "describes its axes wrongly .*Infinity is no finite number"),
        ({"about": {"eta_per_unit": 10**400}}, "describes its axes wrongly .*a number of 401 digits"),
        ({"about": {"name": "a\ud800b"}}, "describes its axes wrongly .*a text is not Unicode"),
        ({"metadata": {"left_out": '{"x": 1e999}'}}, "describes its axes wrongly .*1e999 is no finite number"),
        ({"about": {"n_expression": True}}, "n_expression = True"),
        ({"about": {"layer_weights": [1.0]}}, "do not fit together"),
        ({"about": {"level_gain": 0.5}}, "level_gain = 0.5, needed 1 or more"),
        ({"about": {"layer_weights": ["1", "1", "1", "1"]}}, "layer_weights"),
        ({"about": {"validation": [1]}}, "describes its axes wrongly"),
        ({"about": {"validation": {"colour": "red"}}}, "unknown colour"),
        ({"about": {"validation": {"false_rate": ["0"]}}}, "false_rate"),
        ({"about": {"validation": {"false_rate": [0.5]}}}, "uneven length"),
        ({"about": {"validation": {"told": [0.5], "found": [0.5], "rows": [0]}}}, "beyond 0 to 1"),
        ({"about": {"validation": {"false_rate": [0.5], "true_rate": [1.5]}}}, "beyond 0 to 1"),
        ({"about": {"validation": {"unit": "<b>"}}}, "a calibration that is none"),
        ({"tensors": {"0.readout": None}}, "lacks tensors 0.readout"),
        ({"tensors": {"7.direction": torch.zeros(2)}}, "unexpected 7.direction"),
        ({"tensors": {"0.direction": torch.full((4, 8), float("nan"))}}, "NaN"),
        ({"tensors": {"0.direction": torch.zeros(4, 9)}}, "do not fit together"),
    ],
)
def test_error_wrong_file(path, changes, words):
    rewrite(path, **changes)
    with pytest.raises(CheckpointError, match=words):
        load_axes(path)


def test_error_not_safetensors(tmp_path):
    text = tmp_path / "axes.safetensors"
    text.write_text("hello")
    with pytest.raises(CheckpointError):
        load_axes(text)


def test_error_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing\.safetensors"):
        load_axes(tmp_path / "nothing.safetensors")


def test_error_unwritable_folder(tmp_path, axes):
    with pytest.raises(OutputError, match="does not exist"):
        save_axes(tmp_path / "missing" / "axes.safetensors", axes)
    assert not list(tmp_path.iterdir())


def test_error_every_byte_cut_is_told(path):
    whole = path.read_bytes()
    for length in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(EmoganError):
            load_axes(path)
