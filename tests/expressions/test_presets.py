"""Expressions to keep."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from emogan_core.errors import CheckpointError, ExpressionError, OutputError
from emogan_core.expressions import (
    add_intensities,
    builtin_presets,
    load_axes,
    load_preset,
    parse_intensities,
    save_preset,
    scale_intensities,
)


def test_invariance_what_is_saved_is_loaded(tmp_path: Path) -> None:
    intensities = {"happiness": 0.8, "mouthSmileLeft": -0.25}
    save_preset(tmp_path / "half.json", intensities)
    assert load_preset(tmp_path / "half.json") == intensities
    assert set(json.loads((tmp_path / "half.json").read_text())) == {"format", "intensities"}
    assert [path.name for path in tmp_path.iterdir()] == ["half.json"]


def test_golden_sums_and_shares() -> None:
    assert add_intensities({"a": 1.0, "b": 0.5}, {"b": -0.5, "c": 2.0}, {}) == {"a": 1.0, "c": 2.0}
    assert scale_intensities({"a": 1.0, "b": -0.5}, 0.5) == {"a": 0.5, "b": -0.25}
    assert parse_intensities("a=1, b = -.5\nc=2,", where="here") == {"a": 1.0, "b": -0.5, "c": 2.0}


def test_shape_the_shipped_ones_are_known_to_the_shipped_axes() -> None:
    axes = load_axes()
    for intensities in builtin_presets().values():
        assert all(name in axes for name in intensities)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no JSON text"),
        (b"\xff\xfe", "is no JSON text"),
        (b"[" * 30_000, "is no JSON text"),
        (b"[]", "is no expression .format 'none'."),
        (b'{"format": "other"}', "is no expression .format 'other'."),
        (b'{"format": "emotiongan-expression-1"}', "holds no intensities"),
        (b'{"format": "emotiongan-expression-1", "intensities": {}}', "holds no intensities"),
        (b'{"format": "emotiongan-expression-1", "intensities": {"a\\nb": 1}}', "has the name"),
        (b" " * 70_000, "more than 65536 bytes"),
    ],
)
def test_error_another_file(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "it.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=sentence):
        load_preset(tmp_path / "it.json")


@pytest.mark.parametrize("value", ["NaN", '"1"', "true", "null", "9", "1e999", "9" * 400, "-" + "9" * 400])
def test_error_no_intensity(tmp_path: Path, value: str) -> None:
    (tmp_path / "it.json").write_text(f'{{"format": "emotiongan-expression-1", "intensities": {{"anger": {value}}}}}')
    with pytest.raises(ExpressionError, match="the intensity of 'anger' is"):
        load_preset(tmp_path / "it.json")


def test_error_missing_empty_and_nowhere(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot read none"):
        load_preset(tmp_path / "none.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(CheckpointError, match=r"cannot read pipe\.json: it is a device or pipe"):
        load_preset(tmp_path / "pipe.json")
    with pytest.raises(ExpressionError, match="nothing to save"):
        save_preset(tmp_path / "it.json", {})
    with pytest.raises(OutputError, match="does not exist"):
        save_preset(tmp_path / "no" / "it.json", {"anger": 1.0})
    with pytest.raises(ExpressionError, match="'a' came twice in here"):
        parse_intensities("a=1, a=2", where="here")
