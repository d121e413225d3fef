"""`emogan sample`: faces of nobody, with an expression."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.cli import main
from emogan_core.expressions import ExpressionAxes, load_axes, save_axes

COUNT = ["--count", "2", "--seed", "3"]


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(float)


def test_golden_an_expression_moves_every_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, happy = tmp_path / "plain.png", tmp_path / "happy.png"
    assert main(["sample", *COUNT, "-o", str(plain)]) == 0
    capsys.readouterr()
    assert main(["sample", *COUNT, "-o", str(happy), "--expression", "happy=1.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["expressions"] == {"happiness": 1.5}
    assert told["neutral_first"] is False
    before, after = (
        picture(plain),
        picture(happy),
    )  # below the title, side by side; its longer subtitle widens the sheet
    change = np.abs(after[-100:, : before.shape[1]] - before[-100:]).mean(-1)
    assert all(half.mean() > 1 for half in np.array_split(change, 2, axis=1))


def test_invariant_nothing_asked_changes_nothing(tmp_path: Path) -> None:
    plain, same = tmp_path / "plain.png", tmp_path / "same.png"
    assert main(["sample", "--count", "1", "-o", str(plain)]) == 0
    assert main(["sample", "--count", "1", "-o", str(same), "--expression", "happiness=0"]) == 0
    assert np.array_equal(picture(plain), picture(same))


def test_golden_neutral_first_takes_a_smile_off(tmp_path: Path) -> None:
    smiling, neutral = tmp_path / "smiling.png", tmp_path / "neutral.png"
    words = ["sample", "--count", "1", "--psi", "0.6", "--seed", "5"]
    assert main([*words, "-o", str(smiling)]) == 0
    assert main([*words, "-o", str(neutral), "--neutral-first"]) == 0
    assert not np.array_equal(picture(smiling), picture(neutral))


def test_refusal_of_an_expression_that_no_generator_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "-o", str(tmp_path / "a.png"), "--expression", "jawOpen"]) == 2
    assert (
        "has no direction among latents; use 'emogan edit' in mode motion, or one of happiness, "
        in capsys.readouterr().err
    )
    assert not (tmp_path / "a.png").exists()


def test_refusal_of_axes_that_move_photos_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axes = load_axes("builtin")
    still = replace(
        axes["happiness"], name="grin", direction=torch.zeros(0, 0), readout=torch.zeros(0), layer_weights=()
    )
    save_axes(tmp_path / "grin.safetensors", ExpressionAxes((still,), axes.fingerprint))
    words = [
        "sample",
        "-o",
        str(tmp_path / "a.png"),
        "--axes",
        str(tmp_path / "grin.safetensors"),
        "--expression",
        "grin",
    ]
    assert main(words) == 2
    assert "use 'emogan edit' in mode motion: none of these axes has one" in capsys.readouterr().err
