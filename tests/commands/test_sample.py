"""`emogan sample`: faces of nobody, with an expression."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emogan_core.checkpoints import load_generator
from emogan_core.cli import main
from emogan_core.expressions import ExpressionAxes, load_axes, move_latent, save_axes
from emogan_core.images import photo_from_tensor
from emogan_core.networks.sampling import sampled

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


def test_golden_a_shape_moves_the_drawn_pixels(tmp_path: Path) -> None:
    """The mouth opens, and the forehead stays nearly what the generator drew."""
    plain, opened = tmp_path / "plain.png", tmp_path / "open.png"
    words = ["sample", "--count", "1", "--psi", "0.5", "--seed", "3"]
    assert main([*words, "-o", str(plain)]) == 0
    assert main([*words, "-o", str(opened), "--expression", "jawOpen=1"]) == 0
    change = np.abs(picture(opened) - picture(plain)).mean(-1)
    assert change.shape == (128, 128)
    assert change[88:120, 40:88].mean() > 5
    assert change[:24].max() < 3


def test_golden_shapes_that_stop_are_told_of_each_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sample", "--count", "2", "--seed", "3", "-o", str(tmp_path / "a.png"), "--expression", "cheekPuff=-2"]
    assert main(words) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "cheekPuff -2 moves" in line]
    assert told
    assert all("this shape goes from 0 to 1 and has no opposite movement" in line for line in told)
    assert len(told) == 1 or all("(face " in line for line in told)


def test_golden_axes_that_move_photos_alone_move_drawn_faces(tmp_path: Path) -> None:
    axes = load_axes("builtin")
    still = replace(
        axes["happiness"], name="grin", direction=torch.zeros(0, 0), readout=torch.zeros(0), layer_weights=()
    )
    save_axes(tmp_path / "grin.safetensors", ExpressionAxes((still,), axes.fingerprint))
    words = ["sample", *COUNT, "--expression"]
    assert main([*words, "grin", "--axes", str(tmp_path / "grin.safetensors"), "-o", str(tmp_path / "a.png")]) == 0
    assert main([*words, "happiness", "-o", str(tmp_path / "b.png")]) == 0
    assert np.array_equal(picture(tmp_path / "a.png")[-100:, :300], picture(tmp_path / "b.png")[-100:, :300])


def test_golden_learned_directions_of_the_generator_draw(tmp_path: Path) -> None:
    """Axes fitted on examples say themselves what is drawn: the whole picture may change, not only the moved face."""
    axes = load_axes("builtin")
    learned = replace(axes["happiness"], designed=False)
    save_axes(tmp_path / "own.safetensors", ExpressionAxes((learned,), axes.fingerprint))
    words = ["sample", "--count", "1", "--psi", "0.5", "--seed", "3", "--expression", "happiness=1"]
    assert main([*words, "-o", str(tmp_path / "a.png"), "--axes", str(tmp_path / "own.safetensors")]) == 0
    assert main([*words, "-o", str(tmp_path / "b.png")]) == 0
    generator = load_generator("builtin")
    latent = move_latent(sampled(generator, 1, psi=0.5, seed=3, label=None), axes, {"happiness": 1.0})
    drawn = photo_from_tensor(generator.synthesis(latent.ws)).pixels
    assert np.abs(picture(tmp_path / "a.png") - drawn).max() <= 1
    assert np.abs(picture(tmp_path / "b.png") - drawn).max() > 20


def test_refusal_of_axes_of_another_generator_without_the_face_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    axes = load_axes("builtin")
    bare = replace(axes["happiness"], coefficients=torch.zeros(0))
    save_axes(tmp_path / "foreign.safetensors", ExpressionAxes((bare,), "0" * 64))
    words = ["sample", "-o", str(tmp_path / "a.png"), "--axes", str(tmp_path / "foreign.safetensors")]
    assert main([*words, "--expression", "happiness"]) == 2
    assert "the axes were fitted for generator" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
