"""Every command on tiny models: what it writes, what it says, and that it says nothing it should not."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from foreign import rosinality_names
from likeness_files import ALEXNET, VGG16, classifier, linear_names, lpips_names, torchvision_names
from likeness_files import write_networks as write_likeness
from nvidia_pickles import write_networks
from PIL import Image
from played_readings import played_composites
from played_readings import played_reading as played_picture
from safetensors.torch import save_file
from tiny import TINY, make_generator
from tiny_models import portrait, without_progress, write_models

from emogan_core import cli, progress_bar
from emogan_core.checkpoints import write_generator
from emogan_core.commands.draw import drawn
from emogan_core.compose import Composite
from emogan_core.depth import tiff_of
from emogan_core.errors import Cancelled
from emogan_core.expressions import load_axes, move_latent, save_axes
from emogan_core.expressions.axes import moving_only
from emogan_core.face_model import load_face_model
from emogan_core.images import Photo, open_photo, read_record, save_photo
from emogan_core.inversion import CODE_METHODS, Edit, Inversion, OptimiseConfig
from emogan_core.latents import load_latent, save_latent
from emogan_core.networks import Generator
from emogan_core.networks.sampling import sampled
from emogan_core.progress import StepReport, silent
from emogan_core.progress_bar import ProgressBar
from emogan_core.weights import builtin_path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    save_photo(folder / "portrait.png", portrait())
    return folder


@pytest.fixture
def run(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command with the tiny models; gives back what it printed. Putting back, slow and tested elsewhere, is played."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("emogan_core.commands.asked_edit.put_back", played_put_back)
    monkeypatch.setattr("emogan_core.commands.demo.put_back", played_put_back)
    monkeypatch.setattr("emogan_core.commands.edit.reading_of", lambda fit: played_reading())

    def command(name: str, *words: str | Path, axes: bool = True) -> str:
        tiny = ["--generator", str(models / "generator.safetensors"), "--device", "cpu", "--force"]
        generator = [] if name == "info" else tiny
        chosen = ["--axes", str(models / "axes.safetensors")] if axes and name in ("edit", "apply", "demo") else []
        status = cli.main([name, *map(str, words), *generator, *chosen])
        printed = capsys.readouterr()
        assert (status, without_progress(printed.err)) == (0, "")
        return printed.out

    return command


def played_put_back(
    generator: Generator, photo: Photo, inversion: Inversion, edited: Edit, *, mode: str = "motion", redraw: bool = True
) -> Composite:
    """A corner turned negative by every edit, in the way of the real one: nothing at all at intensity 0."""
    assert mode in ("motion", "paste")
    mask = np.zeros(photo.pixels.shape[:2], np.float32)
    if inversion.faces is None or edited.coefficients is None:  # a drawn picture that is no face
        return Composite(photo, mask, generator.synthesis(edited.latent.ws), {})
    before, after = inversion.faces[0].coefficients, edited.coefficients[0]
    mask[:9, :9] = not np.array_equal(before, after)
    pixels = np.where(mask[..., None] > 0, 255 - photo.pixels, photo.pixels)
    names = load_face_model().names
    report = {
        "coefficients": dict(zip(names, after.round(3).tolist(), strict=True)),
        "moved_cm": (0.125, 0.5),
        "notices": ("the mouth is hidden",),
    }
    return Composite(replace(photo, pixels=pixels), mask, generator.synthesis(edited.latent.ws), report)


def played_reading(photo: Photo | None = None, face: int = 0) -> SimpleNamespace:
    """What a smile reads as."""
    return SimpleNamespace(
        coefficients={"jawOpen": 0.01, "mouthSmileLeft": 0.5},
        probabilities={"neutral": 0.125, "happiness": 0.875},
        yaw_deg=2.0,
        pitch_deg=-1.0,
        roll_deg=float(face),
        error_cm=0.0625,
    )


EDIT = ("--expression", "happiness", "--method", "encode")


def test_shape_edit_writes_a_photo_of_the_same_size(run, models: Path) -> None:
    said = run("edit", models / "portrait.png", *EDIT, "--intensity", "1", "-o", "out.png")
    photo = open_photo(Path("out.png"))
    assert photo.pixels.shape == (256, 256, 3)
    assert not np.array_equal(photo.pixels, portrait().pixels)
    assert "out.png" in said
    assert [path.name for path in Path().iterdir()] == ["out.png"]


def test_invariance_intensity_zero_changes_no_pixel(run, models: Path) -> None:
    for mode in ("motion", "paste"):
        run("edit", models / "portrait.png", *EDIT, "--intensity", "0", "--mode", mode, "-o", "out.png")
        np.testing.assert_array_equal(open_photo(Path("out.png")).pixels, portrait().pixels)


def test_shape_several_expressions_and_negative_intensities(run, models: Path) -> None:
    several = ("--expression", "happiness", "--intensity", "1", "--expression", "anger", "--intensity", "-5e-1")
    run("edit", models / "portrait.png", *several, "--method", "encode", "-o", "out.jpg")
    record = read_record(Path("out.jpg"))
    assert record is not None
    assert record["expressions"] == {"happiness": 1.0, "anger": -0.5}


def test_shape_record_says_that_it_was_edited_and_how(run, models: Path) -> None:
    run("edit", models / "portrait.png", *EDIT, "-o", "out.png")
    record = read_record(Path("out.png"))
    assert record is not None
    assert record["edited"] is True
    assert record["expressions"] == {"happiness": 1.0}
    assert record["mode"] == "motion"
    assert len(str(record["generator"])) == len(str(record["axes"])) == 64
    assert set(record) == {"program", "edited", "expressions", "generator", "axes", "mode"}


def test_golden_the_record_keeps_what_was_edited_before(run, models: Path) -> None:
    quick = ("--method", "encode", "-o")
    run("edit", models / "portrait.png", "--expression", "happiness", *quick, "one.png")
    run("edit", "one.png", "--expression", "anger=0.5", *quick, "two.jpg")
    run("edit", "two.jpg", "--expression", "happiness=-0.25", *quick, "three.webp")
    record = read_record(Path("three.webp"))
    assert record is not None
    assert record["expressions"] == {"happiness": -0.25}
    assert [one["expressions"] for one in record["earlier"]] == [{"happiness": 1.0}, {"anger": 0.5}]


def coefficients(run: Callable[..., str], photo: Path, *words: str | Path) -> dict[str, float]:
    """What an edit asks of the face model."""
    said = run("edit", photo, "--method", "encode", "-o", "out.png", "--json", *words)
    return dict(json.loads(said)["reached"]["coefficients"])


def test_shape_a_name_carries_its_own_intensity(run, models: Path) -> None:
    photo = models / "portrait.png"
    own = ("--expression", "jawOpen=0.25", "--expression", "browInnerUpLeft=-1e-1", "--expression", "happiness")
    run("edit", photo, *own, "--intensity", "-0.5", "--method", "encode", "-o", "out.jpg")
    record = read_record(Path("out.jpg"))
    assert record is not None
    assert record["expressions"] == {"jawOpen": 0.25, "browInnerUpLeft": -0.1, "happiness": -0.5}
    before = coefficients(run, photo, "--expression", "jawOpen=0")
    after = coefficients(run, photo, "--expression", "jawOpen=0.25")
    assert after["jawOpen"] == pytest.approx(min(1, before["jawOpen"] + 0.25), abs=2e-3)
    assert {**after, "jawOpen": 0} == {**before, "jawOpen": 0}


def test_shape_neutral_first_and_absolute(run, models: Path) -> None:
    photo = models / "portrait.png"
    neutral = coefficients(run, photo, "--neutral-first")
    assert {name for name, value in neutral.items() if value} <= {n for n in neutral if n.startswith("eyeLook")}
    assert coefficients(run, photo, "--neutral-first", "--expression", "jawOpen=0.5")["jawOpen"] == 0.5
    assert coefficients(run, photo, "--absolute", "--expression", "mouthSmile=0.25")["mouthSmileLeft"] == 0.25
    record = read_record(Path("out.png"))
    assert record is not None
    assert record["absolute"] is True
    assert "neutral_first" not in record


@pytest.mark.slow
def test_shape_an_expression_is_copied_from_another_photo(run, models: Path) -> None:
    photo = models / "portrait.png"
    reference = builtin_path("examples/composite_m_african.jpg")
    before = coefficients(run, photo, "--expression", "jawOpen=0")
    whole = coefficients(run, photo, "--copy-from", reference)
    mouth = coefficients(run, photo, "--copy-from", reference, "--regions", "mouth,jaw")
    for name, value in mouth.items():
        assert value == (whole if name.startswith(("mouth", "jaw")) else before)[name]
    assert sum(abs(whole[name] - before[name]) for name in whole) > 0.3  # she smiles, the composite does not
    record = read_record(Path("out.png"))
    assert record is not None
    assert (record["copied"], record["expressions"]) == (["jaw", "mouth"], {})
    more = coefficients(run, photo, "--copy-from", reference, "--expression", "browOuterUp=0.5", "--neutral-first")
    assert more["browOuterUpLeft"] == pytest.approx(min(1, whole["browOuterUpLeft"] + 0.5), abs=2e-3)


def test_shape_sheets_of_other_edits_go_up_to_them(run, models: Path) -> None:
    asked = ("--neutral-first", "--method", "encode", "-o", "out.png", "--sheet", "sheet.png")
    run("edit", models / "portrait.png", *asked)
    assert min(open_photo(Path("sheet.png")).pixels.shape[:2]) > 400


def test_shape_an_edit_says_what_it_reached(run, models: Path) -> None:
    said = run("edit", models / "portrait.png", *EDIT, "-o", "out.png")
    assert "moved by 0.12 cm on average, 0.50 cm at most" in said
    assert "note: the mouth is hidden\n" in said
    assert "now reads as: happiness 88%, neutral 12%" in said
    assert "now shapes: mouthSmileLeft 0.50\n" in said
    report = json.loads(run("edit", models / "portrait.png", *EDIT, "-o", "out.png", "--json"))
    assert report["reached"]["reading"]["probabilities"] == {"happiness": 0.875, "neutral": 0.125}
    assert report["reached"]["moved_cm"] == [0.125, 0.5]


def test_shape_names_in_another_case_are_told(run, models: Path) -> None:
    said = run("edit", models / "portrait.png", "--expression", "Happy=0.5", "--method", "encode", "-o", "out.png")
    assert said.startswith("happiness +0.5: wrote out.png")
    assert "note: 'Happy' was read as happiness" in said
    assert read_record(Path("out.png"))["expressions"] == {"happiness": 0.5}
    assert "note: 'ANGER' was read as anger" in run(
        "apply", models / "latent.safetensors", "--expression", "ANGER", "-o", "out.png"
    )


def test_error_an_intensity_given_twice(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--expression", "happiness=1", "--intensity", "2", "-o", "out.png")
    assert cli.main(["edit", str(models / "portrait.png"), *words]) == 2
    assert "--intensity 2 came, but every --expression has its own (happiness=1)" in capsys.readouterr().err


def test_shape_what_a_foreign_file_lacks_is_a_note(run, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of one line and without a stranger's colours, as everything that is said."""
    net = make_generator(replace(TINY, w_dim=24, z_dim=24), companions=False)
    torch.save({"g_ema": rosinality_names(net)}, "\x1b[31mred.pt")
    assert (
        cli.main(["sample", "--generator", "\x1b[31mred.pt", "--count", "1", "-o", "out.png", "--device", "cpu"]) == 0
    )
    said = without_progress(capsys.readouterr().err)
    assert said.startswith("emogan: note: \\x1b[31mred.pt: the file lacks the average latent")
    assert said.count("\n") == 1


def test_shape_axes_say_only_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(builtin_path("axes.safetensors")), "--json"]) == 0
    known = json.loads(capsys.readouterr().out)["expressions"]
    assert all({"auc", "licence", "examples"} <= set(facts) for facts in known.values())
    builtin = load_axes()
    moving, weak = moving_only(builtin["fear"]), replace(builtin["disgust"], experimental=True)
    save_axes(tmp_path / "axes.safetensors", replace(builtin, axes=(moving, weak)))
    assert cli.main(["info", str(tmp_path / "axes.safetensors"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["expressions"]["fear"]) == {"moves", "source"}
    assert cli.main(["expressions", "--axes", str(tmp_path / "axes.safetensors")]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  disgust"))
    assert f"experimental in what the generator draws: fitted on {weak.n_expression} examples" in line


def test_shape_axes_of_another_generator_move_photos(run, models: Path) -> None:
    axes = ("--axes", models / "other_axes.safetensors")
    for more in ((), ("--mode", "paste"), ("--mode", "paste", "--expression", "jawOpen=1")):  # the encoder reads them
        run("edit", models / "portrait.png", *EDIT, "-o", "out.png", *axes, *more, axes=False)
    assert not np.array_equal(open_photo(Path("out.png")).pixels, portrait().pixels)


def test_shape_read_tells_people_and_programs(models: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("emogan_core.commands.read.reading_of", played_reading)
    assert cli.main(["read", str(models / "portrait.png")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("reads as: happiness 88%, neutral 12%\nshapes: mouthSmileLeft 0.50\n")
    assert "yaw +2, pitch -1, roll +0 degrees" in said
    assert cli.main(["read", str(models / "portrait.png"), "--face", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["coefficients"] == {"jawOpen": 0.01, "mouthSmileLeft": 0.5}
    assert (report["roll_deg"], report["error_cm"]) == (0.0, 0.062)


@pytest.mark.slow
def test_shape_faces_beneath_transparency_are_told(run, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = portrait().pixels
    for name, alpha in (("clear", 0), ("thick", 200)):
        save_photo(Path(f"{name}.png"), Photo(pixels, np.full(pixels.shape[:2], alpha, np.uint8)))
    told = "note: the face in clear.png is 100% transparent; the colours beneath were taken"
    asked = ("--expression", "happiness", "--method", "encode")
    for words in (("edit", "NAME", *asked, "-o", "out.png"), ("invert", "NAME", *asked[2:], "-o", "out.safetensors")):
        assert told in run(*(word.replace("NAME", "clear.png") for word in words))
        assert "transparent" not in run(*(word.replace("NAME", "thick.png") for word in words))
    assert told in run("edit", "thick.png", "--copy-from", "clear.png", *asked[2:], "-o", "out.png")
    for value, said in ((0, "note: the mask leaves out nothing of the face"), (253, "leaves out 99% of the face")):
        mask = np.full(pixels.shape, value, np.uint8)
        mask[-1] = 0
        save_photo(Path("mask.png"), Photo(mask))
        assert said in run("edit", "thick.png", *asked, "--ignore", "mask.png", "-o", "out.png")
    assert cli.main(["read", "clear.png"]) == 0
    assert told in capsys.readouterr().out


def test_shape_expressions_lists_names_and_shapes(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["expressions", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["expressions"]) == sorted(load_axes("builtin").names)
    assert all(facts["does"] and facts["source"] for facts in report["expressions"].values())
    assert report["shapes"]["jawOpen"]["sides"] == []
    assert report["shapes"]["eyeBlink"]["sides"] == ["eyeBlinkLeft", "eyeBlinkRight"]
    assert cli.main(["expressions", "--axes", str(models / "axes.safetensors")]) == 0
    said = capsys.readouterr().out
    for words in ("happiness ", "anger ", "experimental", "eyeBlink*", "closes the eyes"):
        assert words in said
    assert "sadness" not in said
    assert "its name means" not in said


def test_shape_expressions_tells_of_axes_named_like_shapes(
    run, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the list and in an edit: the axis goes before the shape."""
    axes = load_axes(models / "axes.safetensors")
    named = replace(axes, axes=(replace(axes["happiness"], name="jaw_open"),))
    save_axes(Path("named.safetensors"), named)
    assert cli.main(["expressions", "--axes", "named.safetensors"]) == 0
    assert "its name means the expression jaw_open above" in capsys.readouterr().out
    asked = ("apply", models / "latent.safetensors", "--axes", "named.safetensors", "--expression", "jawOpen")
    said = run(*asked, "-o", "out.png", axes=False)
    assert "note: jaw_open is the expression of these axes, not the face model's shape jawOpen" in said


def test_shape_edit_help_names_the_expressions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["edit", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "happiness, surprise, anger, sadness, disgust, fear, contempt" in said
    assert "emogan expressions" in said


def test_shape_sheet(run, models: Path) -> None:
    said = run("edit", models / "portrait.png", *EDIT, "-o", "out.png", "--sheet", "sheet.png")
    assert "sheet.png" in said
    assert min(open_photo(Path("sheet.png")).pixels.shape[:2]) > 400


def test_shape_json_is_one_object_without_a_path(run, models: Path) -> None:
    said = run("edit", models / "portrait.png", *EDIT, "-o", "out.png", "--json")
    report = json.loads(said)
    assert said.count("\n") == 1
    assert report["expressions"] == {"happiness": 1.0}
    assert (report["width"], report["height"]) == (256, 256)
    for word in ("portrait", "out.png", str(models), "ws", "landmarks"):
        assert word not in said.replace('"width"', "")


def test_shape_alpha_is_kept(run, models: Path) -> None:
    alpha = np.full((256, 256), 255, np.uint8)
    alpha[:100] = 7
    save_photo(Path("in.webp"), Photo(portrait().pixels, alpha))
    run("edit", "in.webp", *EDIT, "-o", "out.png")
    np.testing.assert_array_equal(open_photo(Path("out.png")).alpha, alpha)


def test_shape_invert_then_apply(run, models: Path) -> None:
    run("invert", models / "portrait.png", "--method", "encode", "-o", "a.safetensors")
    assert load_latent(Path("a.safetensors")).ws.shape == (1, 8, 16)
    assert b"portrait" not in Path("a.safetensors").read_bytes()
    run("apply", "a.safetensors", "--expression", "anger", "--intensity", "-1", "-o", "a.png")
    run("apply", "a.safetensors", "--expression", "anger", "--intensity", "0", "-o", "b.png")
    a, b = open_photo(Path("a.png")), open_photo(Path("b.png"))
    assert a.pixels.shape == b.pixels.shape == (32, 32, 3)
    assert not np.array_equal(a.pixels, b.pixels)
    said = json.loads(run("info", "a.safetensors", "--json"))
    assert (said["kind"], said["count"], said["rows"], said["width"]) == ("latent", 1, 8, 16)


def test_shape_tune_then_apply(run, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The delta is kept with the code, and drawn with."""
    short = partial(OptimiseConfig, hybrid_steps=2, tune_steps=4)
    monkeypatch.setattr("emogan_core.commands.arguments.OptimiseConfig", short)
    mask = np.zeros((256, 256, 3), np.uint8)
    mask[:40] = 255
    save_photo(Path("mask.png"), Photo(mask))
    asked = ("--method", "tune", "--seconds", "600", "--editability", "0.2", "--ignore", "mask.png")
    run("invert", models / "portrait.png", *asked, "-o", "a.safetensors")
    latent = load_latent(Path("a.safetensors"))
    assert latent.delta is not None
    assert json.loads(run("info", "a.safetensors", "--json"))["delta"] == latent.delta.content_fingerprint
    save_latent(Path("b.safetensors"), replace(latent, delta=None))
    for name in "ab":
        run("apply", f"{name}.safetensors", "--expression", "anger", "-o", f"{name}.png")
    assert not np.array_equal(*(open_photo(Path(f"{name}.png")).pixels for name in "ab"))


@pytest.mark.slow
def test_shape_fit_then_apply(run, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Axes fitted on drawn faces, half of them moved along a known axis, move a latent again."""
    generator = make_generator()
    faces = sampled(generator, 100, psi=0.7, seed=5)
    happy = move_latent(faces, load_axes(models / "axes.safetensors"), {"happiness": 1.5})
    Path("faces").mkdir()
    rows = ["file,expression,person"]
    for index in range(100):
        latent, label = (happy, "happiness") if index % 2 else (faces, "neutral")
        save_photo(Path(f"faces/{index}.png"), drawn(generator, latent[index], silent)[0])
        rows.append(f"{index}.png,{label},{index // 2}")
    Path("faces/torn.png").write_bytes(Path("faces/0.png").read_bytes()[:200])
    Path("faces/text.png").write_text("no picture")
    rows += ["torn.png,neutral,1", "text.png,neutral,1"]
    Path("labels.csv").write_text("\n".join(rows))
    said = run("fit", "faces", "--labels", "labels.csv", "--aligned", "-o", "mine.safetensors", "--json")
    report = json.loads(said)
    assert report["expressions"]["happiness"]["examples"] == 50
    assert {name: why.split(" ")[0] for name, why in report["skipped"].items()} == {
        "text.png": "text.png",
        "torn.png": "torn.png",
    }
    assert report["read_as"] == []
    assert Path("mine.codes").exists()
    with monkeypatch.context() as nobody_inverts:
        nobody_inverts.setitem(CODE_METHODS, "encode", None)
        again = json.loads(
            run("fit", "faces", "--labels", "labels.csv", "--aligned", "-o", "mine.safetensors", "--json")
        )
    assert again == report
    said = run("fit", "faces", "--labels", "labels.csv", "--aligned", "-o", "mine.safetensors")
    assert "left out: torn.png (torn.png is damaged or cut short" in said
    assert "kept in mine.codes" in said
    apply = ("apply", models / "latent.safetensors", "--axes", "mine.safetensors", "--expression", "happiness")
    run(*apply, "--intensity", "1", "-o", "out.png", axes=False)
    told = json.loads(run("info", "mine.safetensors", "--json"))
    assert told["expressions"]["happiness"]["examples"] == 50
    scored = [
        "file,score,person,weight",
        *(f"{row}.png,{(row % 2) * 0.6 + row / 1000},{row // 2},2" for row in range(100)),
    ]
    Path("scores.csv").write_text("\n".join(scored))
    fit = ("fit", "faces", "--labels", "scores.csv", "--aligned", "-o", "mine.safetensors", "--score", "score")
    said = run(*fit, "--hold", "identity", "--model", "readout", "--covariance", "latent")
    assert "score: 50 examples (soft), AUC" in said
    assert "other people: cosine" in said


@pytest.mark.slow
def test_shape_a_report_is_a_page_a_picture_or_figures(run, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emogan_core.report.measure.read_picture", played_picture)
    monkeypatch.setattr("emogan_core.report.gather.composites", played_composites)
    asked = ("report", models / "axes.safetensors", "--expression", "happiness", "-o")
    said = run(*asked, "out.html")
    page = Path("out.html").read_text(encoding="utf-8")
    assert "<h2>happiness</h2>" in page
    assert "<h2>anger</h2>" not in page
    assert said.endswith("wrote out.html\n")
    told = json.loads(run(*asked, "out.json", "--json"))
    assert told == json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert all(sentence in page for sentence in told["expressions"]["happiness"]["remarks"])
    run(*asked, "out.png")
    assert read_record(Path("out.png")) is not None
    assert sorted(path.name for path in Path().iterdir()) == ["out.html", "out.json", "out.png"]


def test_shape_sample_follows_its_seed(run) -> None:
    run("sample", "--count", "1", "--seed", "3", "-o", "a.png")
    run("sample", "--count", "1", "--seed", "3", "-o", "b.png")
    run("sample", "--count", "1", "--seed", "4", "-o", "c.png")
    run("sample", "--count", "5", "-o", "sheet.png")
    a, b, c = (open_photo(Path(f"{name}.png")).pixels for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    assert a.shape == (32, 32, 3)
    assert open_photo(Path("sheet.png")).pixels.shape[0] > 256


def test_shape_demo_needs_nothing(run) -> None:
    said = run("demo", "-o", "pictures", "--method", "encode")
    names = sorted(path.name for path in Path("pictures").iterdir())
    faces = ("composite_f_multi", "composite_m_african", "drawn")
    edited = {f"{face}-{edit}.jpg" for face in faces for edit in ("1-happiness", "2-anger")}
    assert set(names) == {"drawn.png", "sheet.png"} | edited
    for name in names:
        assert str(Path("pictures") / name) in said
        assert read_record(Path("pictures") / name) is not None


def test_shape_info_tells_files_by_their_bytes(run, models: Path) -> None:
    for name, kind in [("generator", "generator"), ("axes", "axes"), ("latent", "latent")]:
        Path("misnamed.png").write_bytes((models / f"{name}.safetensors").read_bytes())
        assert json.loads(run("info", "misnamed.png", "--json"))["kind"] == kind
        assert f"kind: {kind}" in run("info", "misnamed.png")
    write_networks(Path("misnamed.png"), make_generator())
    assert json.loads(run("info", "misnamed.png", "--json"))["resolution"] == 32
    Path("misnamed.safetensors").write_bytes((models / "portrait.png").read_bytes())
    report = json.loads(run("info", "misnamed.safetensors", "--json"))
    assert (report["kind"], report["record"]) == ("picture", None)


def test_shape_info_says_what_networks_that_compare_pictures_are_for(run, capsys: pytest.CaptureFixture[str]) -> None:
    write_likeness(Path())
    features = classifier(VGG16)
    torch.save(features.state_dict(), "features.pth")
    torch.save(lpips_names(features, VGG16), "lpips.pt")
    torch.save(linear_names(), "lin.pth")
    save_file(torchvision_names(classifier(ALEXNET)), "alex.safetensors")
    for name, network, option in (
        ("vgg16.pth", "VGG16", "--perceptual"),
        ("features.pth", "VGG16", "--perceptual"),
        ("lpips.pt", "LPIPS on VGG16", "--perceptual"),
        ("alex.safetensors", "AlexNet", "--perceptual"),
    ):
        report = json.loads(run("info", name, "--json"))
        assert (report["kind"], report["network"]) == ("network that compares pictures", network)
        assert report["use"].startswith(f"{option} {name} of emogan edit and invert; in ComfyUI")
    assert "kind: LPIPS' linear layers alone\n" in run("info", "lin.pth")
    told = run("info", "arcface.pth")
    assert "kind: face recogniser (ArcFace)\ninput: 32\ndescriptor: 12\n" in told
    assert "use: --identity arcface.pth of emogan edit and invert" in told
    torch.save({"features.0.weight": torch.zeros(2), "features.10.weight": torch.zeros(2)}, "other.pth")
    assert cli.main(["info", "other.pth"]) == 2
    assert "seems to be an image classifier, of which VGG16 and AlexNet go to --perceptual" in capsys.readouterr().err


def test_shape_info_knows_all_that_ships(run) -> None:
    report = json.loads(run("info", "builtin", "--json"))
    assert {key: part["kind"] for key, part in report.items()} == {
        "generator": "generator",
        "axes": "axes",
        "landmarks": "landmark net",
        "dense_landmarks": "dense landmark net",
        "face_model": "face model",
        "expression_readout": "expression readout",
        "mouth_look": "mouth net",
        "rims": "rim net",
    }
    alone = json.loads(run("info", builtin_path("landmarks.safetensors"), "--json"))
    assert alone == report["landmarks"]
    assert alone["licence"] == "Apache-2.0"


def test_invariance_a_file_cannot_speak_over_what_info_found(run) -> None:
    notes = {"kind": "picture", "sha256": "none", "data": "faces of nobody"}
    write_generator(Path("sly.safetensors"), make_generator(), half=False, notes=notes)
    report = json.loads(run("info", "sly.safetensors", "--json"))
    assert (report["kind"], len(report["sha256"]), report["data"]) == ("generator", 64, "faces of nobody")


def test_shape_info_tells_what_a_foreign_file_lacked(run) -> None:
    torch.save({"g_ema": rosinality_names(make_generator())}, "bare.pt")
    assert "note: the file lacks the average latent" in run("info", "bare.pt")
    assert "average latent" in json.loads(run("info", "bare.pt", "--json"))["notices"][0]


def test_shape_sample_draws_by_class(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "classes.safetensors"
    write_generator(file, make_generator(replace(TINY, c_dim=3), companions=False), half=False)
    pictures = []
    for label in ("0", "2", "2"):
        out = tmp_path / "out.png"
        words = ["--generator", str(file), "--class", label, "--count", "1", "--device", "cpu", "--json", "--force"]
        assert cli.main(["sample", "-o", str(out), *words]) == 0
        assert json.loads(capsys.readouterr().out)["class"] == int(label)
        pictures.append(open_photo(out).pixels)
    assert np.array_equal(pictures[1], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])


def test_shape_help_is_quick_because_torch_is_not_imported() -> None:
    code = "import sys, emogan_core.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_shape_the_real_path_once(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All packages together, nothing mocked."""
    chosen = ("--generator", str(models / "generator.safetensors"), "--axes", str(models / "axes.safetensors"))
    target = tmp_path / "out.png"
    status = cli.main(["edit", str(models / "portrait.png"), *EDIT, "-o", str(target), *chosen, "--device", "cpu"])
    assert status == 0, capsys.readouterr().err
    assert open_photo(target).pixels.shape == portrait().pixels.shape
    assert not np.array_equal(open_photo(target).pixels, portrait().pixels)


def test_shape_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "emogan_core", "edit"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("emogan: ")
    assert done.stderr.count("\n") == 1


def test_golden_a_photo_of_sixteen_bits_stays_one(run, models: Path) -> None:
    """Its notices are told, its profile and its maker are kept, and what is not touched is so to the bit."""
    rng = np.random.default_rng(0)
    deep = portrait().pixels.astype(np.uint16) * 256 + rng.integers(0, 256, portrait().pixels.shape, dtype=np.uint16)
    exif = Image.Exif()
    exif[0x010F] = "CameraMaker"
    Path("in.tif").write_bytes(tiff_of(deep, {"exif": exif.tobytes()}))
    for out in ("out.tif", "out.png"):
        assert run("edit", "in.tif", *EDIT, "-o", out).count("note:") == 1  # the mouth's, of the stub
        after = np.round(open_photo(Path(out)).pixels * 257)
        np.testing.assert_array_equal(after[9:], deep[9:])
        assert not np.array_equal(after[:9, :9], deep[:9, :9])
        with Image.open(out) as image:
            assert image.getexif()[0x010F] == "CameraMaker"
    said = run("edit", "in.tif", *EDIT, "-o", "out.jpg")
    assert "note: out.jpg holds 8 bits a channel, the photo has 16; .png and .tif keep them" in said


def test_shape_several_pictures_in_a_file_are_told(run, models: Path) -> None:
    first = Image.fromarray(portrait().pixels)
    first.save("in.webp", save_all=True, append_images=[first.rotate(180)], lossless=True)
    told = "note: in.webp holds 2 pictures; the first was taken"
    assert told in run("edit", "in.webp", *EDIT, "-o", "out.png")
    assert told in run("invert", "in.webp", "--method", "encode", "-o", "a.safetensors")
    assert json.loads(run("info", "in.webp", "--json"))["notices"] == [told.removeprefix("note: ")]


def test_shape_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    project = (Path(cli.__file__).parents[1] / "pyproject.toml").read_text()
    assert left.value.code == 0
    assert f'version = "{capsys.readouterr().out.split()[1]}"' in project


@pytest.mark.slow
@pytest.mark.parametrize("stop", [KeyboardInterrupt, signal.SIGTERM, signal.SIGHUP])
def test_error_a_stopped_command_says_what_it_wrote(
    stop: type | signal.Signals, run, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether by Ctrl-C, a kill or a closed terminal."""

    def stopped(*_: object, **__: object) -> None:
        if isinstance(stop, signal.Signals):
            os.kill(os.getpid(), stop)
            time.sleep(5)
        raise KeyboardInterrupt

    monkeypatch.setattr("emogan_core.commands.edit._sheet", stopped)
    monkeypatch.setattr("emogan_core.commands.demo.contact_sheet", stopped)
    tiny = ["--generator", str(models / "generator.safetensors"), "--axes", str(models / "axes.safetensors")]
    tiny += ["--method", "encode", "--device", "cpu"]
    words = ["--expression", "happiness", "-o", "out.png", "--sheet", "sheet.png"]
    assert cli.main(["edit", str(models / "portrait.png"), *words, *tiny]) == 130
    assert capsys.readouterr().err == "emogan: stopped; written before: out.png\n"
    assert Path("out.png").exists()
    if stop is KeyboardInterrupt:
        assert cli.main(["demo", "-o", "demo", *tiny]) == 130
        said = capsys.readouterr().err
        assert "emogan: stopped; written before: demo/drawn.png, demo/composite_f_multi-1-happiness.jpg" in said
        assert said.endswith(" and 1 more\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled()])
def test_error_interrupted(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise error

    monkeypatch.setitem(__import__("emogan_core.commands").commands.COMMANDS, "info", stop)
    assert cli.main(["info", "builtin"]) == 130
    assert capsys.readouterr().err == "emogan: stopped; nothing was written\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
        (OSError(28, "No space left on device", "x.png"), "x.png: No space left"),
        (ModuleNotFoundError("No module named 'skimage'", name="skimage"), "'skimage' cannot be imported"),
    ],
)
def test_error_troubles_of_the_machine_are_one_line(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setitem(__import__("emogan_core.commands").commands.COMMANDS, "info", fail)
    assert cli.main(["info", "builtin"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_error_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setitem(__import__("emogan_core.commands").commands.COMMANDS, "info", fail)
    with pytest.raises(KeyError):
        cli.main(["info", "builtin"])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def played(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, seconds_a_step: float) -> str:
    """What a progress bar shows of two phases of ten steps."""
    clock = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: clock[0])
    with ProgressBar(stream) as show:
        for what in ("optimise", "drawing"):
            for step in range(1, 11):
                clock[0] += seconds_a_step
                show(StepReport(step, 10, what))
    return stream.getvalue()


def test_shape_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = played(Terminal(), monkeypatch, seconds_a_step=1.0)
    assert "optimise  [" in shown
    assert "100%" in shown
    assert shown.endswith("\r")
    assert "\n" not in shown


def test_shape_progress_is_a_line_now_and_then_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = played(io.StringIO(), monkeypatch, seconds_a_step=1.0)
    assert [line.split(":")[0] for line in shown.splitlines()] == ["optimise", "drawing"]
    shown = played(io.StringIO(), monkeypatch, seconds_a_step=10.0)
    assert shown.splitlines()[:3] == [
        "optimise: 2 of 10, about 90 s left",
        "optimise: 5 of 10, about 60 s left",
        "optimise: 8 of 10, about 30 s left",
    ]


def test_shape_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(Terminal(), monkeypatch, seconds_a_step=0.1) == ""


def test_error_standard_output_is_closed(models: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it when `>&-` closed it
    assert cli.main(["info", str(models / "axes.safetensors")]) == 2
    assert capsys.readouterr().err == (
        "emogan: standard output is closed, so the report cannot be shown; files asked for are written\n"
    )


def test_golden_a_hardly_turned_head_is_turned_by_plus_nothing(
    run, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading = played_reading()
    reading.yaw_deg, reading.pitch_deg, reading.roll_deg = -0.3, -0.7, 0.3
    monkeypatch.setattr("emogan_core.commands.read.reading_of", lambda fit: reading)
    assert cli.main(["read", str(models / "portrait.png")]) == 0
    assert "head: yaw +0, pitch -1, roll +0 degrees" in capsys.readouterr().out
