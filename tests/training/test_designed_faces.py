"""Faces that the face model moved by random changes, and axes fitted on them."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import make_generator

from emogan_core.expressions import NAMED, load_axes
from emogan_core.face_model import load_face_model
from emogan_core.faces import choose_face, dense_landmarks
from emogan_core.images import Photo
from emogan_core.training import designed_faces
from emogan_core.training.designed_axes import Pairs, fit, read_pairs
from emogan_core.training.designed_faces import SETS, random_move
from emogan_core.training.labelled_fits import LANDMARK_STEPS
from emogan_core.weights import builtin_path

SIDE = 256
SHAPES = ("jawOpen", "browDown", "eyeBlink", "noseSneer")
MOVES = {"studio": 4, "congress": 1, "press": 1}
COLUMNS = "file,person,expression,yaw_deg\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, landmarks and pictures of three sets of one composite each, who is somebody held out in the last."""
    folder = tmp_path_factory.mktemp("data")
    picture = Image.open(builtin_path("examples/composite_f_multi.jpg")).convert("RGB").resize((SIDE, SIDE))
    photo = Photo(np.asarray(picture))
    landmarks = np.zeros((1, 478, 3), dtype=np.int16)
    landmarks[0, :, :2] = np.round(dense_landmarks(photo, choose_face(photo)) * LANDMARK_STEPS)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    for kind, archive in SETS.items():
        file = f"{kind}_1.png"
        (folder / f"{kind}_faces.csv").write_text(f"{COLUMNS}{file},{kind} person,neutral,3.0\n")
        np.savez(folder / f"{kind}_landmarks.npz", files=np.array([file]), landmarks=landmarks)
        with zipfile.ZipFile(folder / archive, "w") as pictures:
            pictures.writestr(file, stream.getvalue())
    (folder / "held_out.txt").write_text("press person\n")
    return folder


@pytest.fixture(scope="module")
def out(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("designed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(designed_faces, "MOVES", MOVES)
        main(data, folder)
    return folder


def main(data: Path, out: Path) -> None:
    words = [data, data / "held_out.txt", builtin_path("axes.safetensors"), out]
    designed_faces.main([str(word) for word in words])


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "designed.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_shape_every_move_is_in_the_table(data: Path, out: Path) -> None:
    made = rows(out)
    assert len(made) == MOVES["studio"] + MOVES["congress"]  # the press person is held out
    assert {row["person"] for row in made} == {"studio person", "congress person"}
    names = load_face_model().names
    with zipfile.ZipFile(data / SETS["studio"]) as archive:
        before = np.asarray(Image.open(io.BytesIO(archive.read("studio_1.png"))).resize((128, 128)))
    for row in made:
        change = np.array([float(row[name]) for name in names])
        pixels = np.asarray(Image.open(out / row["file"]))
        assert pixels.shape == (128, 128, 3)
        assert np.abs(change).max() > 0.1
        assert np.abs(pixels.astype(float) - before).mean() > 0.3
        assert row["was"] == "neutral"


def test_golden_named_moves_are_steps_of_their_axis(out: Path) -> None:
    names, axes = load_face_model().names, load_axes()
    found = [row for row in rows(out) if row["intensity"] and row["neutral_first"] == "0"]
    assert found
    for row in found:
        step = axes[row["expression"]].coefficients.double().numpy()
        change = np.array([float(row[name]) for name in names])
        assert step @ change / (step @ step) == pytest.approx(float(row["intensity"]), rel=0.3)


def test_invariant_a_stopped_run_goes_on(
    data: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designed_faces, "MOVES", MOVES)
    again = tmp_path / "again"
    shutil.copytree(out, again)
    kept, lost = sorted(again.glob("*.png"))[:2]
    kept.write_bytes(b"kept")
    drawn = lost.read_bytes()
    lost.unlink()
    main(data, again)
    assert kept.read_bytes() == b"kept"
    assert lost.read_bytes() == drawn
    assert rows(again) == rows(out)


def test_shape_moves_are_random_and_repeatable() -> None:
    asked = [random_move(np.random.default_rng(seed), SHAPES) for seed in range(200)]
    assert asked == [random_move(np.random.default_rng(seed), SHAPES) for seed in range(200)]
    named = [one for one, _ in asked if set(one) <= set(NAMED)]
    assert {name for one in named for name in one} == set(NAMED)
    assert 0.6 < len(named) / 200 < 0.9


def test_shape_pairs_begin_at_neutral(data: Path, out: Path) -> None:
    pairs = read_pairs(data, out, frozenset())
    neutral = [intensity == 0 for intensity in pairs.intensities]
    assert neutral == [label == "neutral" for label in pairs.labels]
    assert len(set(pairs.sources)) == sum(neutral)
    assert len(read_pairs(data, out, frozenset({"studio person"})).labels) < len(pairs.labels)


@pytest.mark.slow
def test_golden_an_axis_is_what_its_pictures_differ_by() -> None:
    generator, rng = make_generator(), torch.Generator().manual_seed(0)
    pixels, labels, sources, intensities = [], [], [], []
    marks = {name: torch.randn(3, 1, 1, generator=rng) * 20 for name in NAMED}
    for name in NAMED:
        for index in range(40):
            base = torch.rand(3, 4, 4, generator=rng) * 160 + 40
            large = base.repeat_interleave(32, 1).repeat_interleave(32, 2)
            strength = 0.5 if index % 2 else 1.5
            pixels += [large, large + strength * marks[name]]
            labels += ["neutral", name]
            sources += [f"{name} {index}"] * 2
            intensities += [0.0, strength]
    pairs = Pairs(torch.stack(pixels).clamp(0, 255).byte(), tuple(labels), tuple(sources), tuple(intensities))
    known = load_axes()
    axes = fit(generator, pairs, known)
    assert axes.names == NAMED
    assert axes.fingerprint == generator.fingerprint
    for axis in axes:
        assert axis.designed
        assert torch.equal(axis.coefficients, known[axis.name].coefficients)
        plain = torch.stack([x for x, source in zip(pixels, sources, strict=True) if source.startswith(axis.name)][::2])
        with torch.no_grad():
            one, other = (generator.encode(x / 127.5 - 1) for x in (plain, plain + marks[axis.name]))
        expected, seen = (other - one).mean((0, 1)), axis.direction.mean(0)  # one direction, weighted by layer
        assert torch.cosine_similarity(seen, expected, dim=0) > 0.9
        assert seen.norm() / expected.norm() == pytest.approx(1.0, abs=0.25)
