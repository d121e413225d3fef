"""Whatever goes wrong on the user's side: exit status 2, one line that helps, nothing half-written, no long work begun."""

from __future__ import annotations

import argparse
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import Call
from PIL import Image
from skimage import data
from tiny import TINY as TINY_SPEC
from tiny import make_generator
from tiny_models import portrait, without_progress, write_models

from emogan_core import cli
from emogan_core.checkpoints import write_generator
from emogan_core.commands import COMMANDS
from emogan_core.compose import Composite
from emogan_core.depth import png_of, tiff_of
from emogan_core.expressions import FitConfig
from emogan_core.faces import find
from emogan_core.images import Photo, open_photo, save_photo
from emogan_core.latents import Latent, load_latent, save_latent
from emogan_core.parser import build_parser
from emogan_core.weights import builtin_path, write_tensors

EDIT = ("--expression", "happiness", "-o", "out.png", "--generator", "generator.safetensors")
TINY = (*EDIT, "--axes", "axes.safetensors", "--method", "encode", "--device", "cpu")
APPLY = ("--expression", "happiness", "-o", "out.png", "--generator", "generator.safetensors", "--device", "cpu")
FIT = ("-o", "out.safetensors", "--generator", "generator.safetensors", "--device", "cpu")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    write_models(folder)
    save_photo(folder / "portrait.png", portrait())
    save_photo(folder / "other.png", portrait())
    return folder


@pytest.fixture
def place(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with tiny models and a portrait in it."""
    for path in originals.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail; gives back its one line."""

    def run(*words: str | Path) -> str:
        before = {path: path.lstat().st_mtime_ns for path in place.rglob("*")}
        status = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        told = without_progress(printed.err)
        assert status == 2, told
        assert printed.out == ""
        assert told.startswith("emogan: ")
        assert told.count("\n") == 1
        assert "Traceback" not in told
        assert {path: path.lstat().st_mtime_ns for path in place.rglob("*")} == before
        return told

    return run


@pytest.fixture
def no_long_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts to invert has looked too late."""

    def started(*_: object, **__: object) -> None:
        raise AssertionError("the long work began before everything was checked")

    monkeypatch.setattr("emogan_core.commands.arguments.invert", started)
    monkeypatch.setattr("emogan_core.commands.fit.label_latents", started)


def stored(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that claims 900 megapixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\4IDAT" + bytes(8)


BAD_FILES = {
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"I am a text", "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
    "pdf": (lambda: b"%PDF-1.4" + bytes(99), "PDF"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "needed a JPEG"),
    "eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "needed a JPEG"),
    "jpeg cut short": (lambda: stored(Image.fromarray(portrait().pixels), "JPEG")[:4000], "cut short"),
    "png cut short": (lambda: stored(Image.fromarray(portrait().pixels))[:40_000], "cut short"),
    "webp cut short": (lambda: stored(Image.fromarray(portrait().pixels), "WEBP")[:2000], "cut short"),
    "tiff cut short": (lambda: stored(Image.fromarray(portrait().pixels), "TIFF")[:40_000], "cut short"),
    "bomb": (bomb, "megapixels"),
    "floats": (lambda: stored(Image.fromarray(np.full((99, 99), 9, np.float32)), "TIFF"), "floating"),
    "one pixel": (lambda: stored(Image.new("RGB", (1, 1))), "no face"),
    "safetensors": (lambda: struct.pack("<Q", 2) + b"{}", "needed a JPEG"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_error_photo_files(case: str, refused: Callable[..., str], place: Path) -> None:
    make, words = BAD_FILES[case]
    (place / "photo.png").write_bytes(make())
    assert words in refused("edit", "photo.png", *TINY)


@pytest.mark.usefixtures("no_long_work")
def test_error_photo_paths(refused: Callable[..., str], place: Path) -> None:
    os.mkfifo(place / "pipe")
    assert "check the path" in refused("edit", "nowhere.png", *TINY)
    assert "folder" in refused("edit", ".", *TINY)
    assert "pipe" in refused("edit", "pipe", *TINY)
    assert "check the path" in refused("edit", "two\nlines.png", *TINY)
    assert "check the path" in refused("edit", "x" * 400, *TINY)
    assert "check the path" in refused("invert", "nowhere.png", "-o", "out.safetensors", *FIT[2:])
    assert "check the path" in refused("read", "nowhere.png")
    assert "check the path" in refused("info", "nowhere.png")


@pytest.mark.slow
def test_error_no_face(refused: Callable[..., str], place: Path) -> None:
    Image.fromarray(data.coffee()).resize((300, 200)).save("photo.png")
    assert "no face was found" in refused("edit", "photo.png", *TINY)
    assert "no face was found" in refused("read", "photo.png")


def test_error_tiny_face(refused: Callable[..., str], place: Path) -> None:
    small = Image.fromarray(portrait().pixels).resize((110, 110))
    canvas = Image.new("RGB", (300, 300), (90, 110, 130))
    canvas.paste(small, (95, 95))
    canvas.save("photo.png")
    said = refused("edit", "photo.png", *TINY)
    assert "too small" in said or "no face" in said


def test_error_profile(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "MAX_YAW_DEG", 0.01)
    assert "degrees to the side" in refused("edit", "portrait.png", *TINY)


def test_error_face_index(refused: Callable[..., str]) -> None:
    assert "face 5 was asked for, but 1 face was found" in refused("edit", "portrait.png", *TINY, "--face", "5")


@pytest.mark.usefixtures("no_long_work")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--face", "-1"), "whole number"),
        (("--face", "first"), "whole number"),
        (("--seed", "3"), "unrecognized arguments: --seed"),
        (("--device", "gpu"), "auto, cpu, cuda or mps"),
        (("--device", "cuda:77"), "--device auto"),
        (("--mode", "magic"), "motion"),
        (("--method", "guess"), "encode"),
        (("--seconds", "0", "--method", "hybrid"), "finite number above 0"),
        (("--seconds", "-nan", "--method", "hybrid"), "finite number above 0"),
        (("--editability", "-0.1", "--method", "hybrid"), "from 0 to 1"),
        (
            ("--seconds", "3"),
            "--seconds is about optimising, and --method encode came, which does not, so nothing would come",
        ),
        (("--seconds", "3", "--editability", "0.5"), "--seconds, --editability are about optimising"),
        (("--bogus",), "unrecognized arguments: --bogus; see emogan --help"),
        (("jawOpen=-0.5",), "an expression is asked for by --expression jawOpen=-0.5; see emogan --help"),
        (("--intensity", "nan"), "finite"),
        (("--intensity", "-nan"), "finite"),
        (("--intensity", "inf"), "finite"),
        (("--intensity", "-1e999"), "finite"),
        (("--intensity", "much"), "finite"),
        (("--intensity", "1e9"), "from -3 to 3"),
        (("--intensity", "-3.5"), "from -3 to 3"),
        (("--intensity",), "expected one argument"),
        (("--intensity", "1", "--intensity", "2"), "one intensity for each"),
        (("--expression", "tongueOut"), "no shape 'tongueOut': its tongue shows behind open lips (jawOpen)"),
        (("--expression", "Happiness=2"), "'happiness' has two intensities, one of them as 'Happiness'"),
        (("--sheet", "sheet.png", "--frames"), "--sheet came with --frames"),
        (("--expression", "anger", "--intensity", "1"), "one intensity for each"),
        (("--expression", "happiness"), "twice"),
        (("--expression", "smirk"), "choose from happiness, anger"),
        (("--expression", "joy\x1b[31m\n"), "choose from happiness, anger"),
        (("--expression", "anger="), "finite"),
        (("--expression", "anger=nan"), "finite"),
        (("--expression", "anger=4"), "from -3 to 3"),
        (("--expression", "happiness=1"), "twice"),
        (("--expression", "hapiness=1"), "did you mean happiness"),
        (("--expression", "mouthSmileLfet=1"), "did you mean mouthSmileLeft"),
        (("--regions", "mouth"), "without --copy-from"),
        (("--copy-from", "portrait.png", "--regions", "mouth,ear"), "region 'ear' is not known"),
        (("--copy-from", "portrait.png", "--regions", ","), "some of brow,eye"),
        (("--copy-from", "nowhere.png"), "check the path"),
        (("--copy-from", "axes.safetensors"), "needed a JPEG"),
        (("--axes", "latent.safetensors"), "axes"),
        (("--axes", "nowhere.safetensors"), "check the path"),
        (("--axes", "portrait.png"), "not a safetensors file"),
        (("--generator", "axes.safetensors"), "not a generator"),
        (("--generator", "nowhere.safetensors"), "nowhere.safetensors"),
        (("--generator", "portrait.png"), "is a picture; needed a StyleGAN generator"),
        (("--generator", "."), ". is a folder; give the file in it"),
        (("-o", "out.gif"), "'.gif'"),
        (("-o", "out"), "no suffix"),
        (("-o", "portrait.png"), "is the input itself"),
        (("-o", "./../{here}/portrait.png"), "is the input itself"),
        (("-o", "generator.safetensors"), "suffix"),
        (("-o", "missing/out.png"), "does not exist"),
        (("-o", "portrait.png/out.png"), "does not exist"),
        (("-o", "."), "suffix"),
        (("-o", "/proc/out.png"), "cannot write"),
        (("-o", "x" * 300 + ".png"), "choose another name"),
        (("-o", "other.png"), "other.png is there already; give another name, or --force to write over it"),
        (("--sheet", "other.png"), "other.png is there already"),
        (("--sheet", "out.png"), "each its own name"),
        (("--sheet", "portrait.png"), "is the input itself"),
        (("--sheet", "missing/sheet.png"), "does not exist"),
    ],
)
def test_error_edit_arguments(words: tuple[str, ...], told: str, refused: Callable[..., str], place: Path) -> None:
    assert told in refused("edit", "portrait.png", *TINY, *(word.format(here=place.name) for word in words))


@pytest.mark.usefixtures("no_long_work")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--expression", "jawOpen=1"), "use 'emogan edit' in mode motion"),
        (("--copy-from", "portrait.png"), "'tiny' has no encoder to read a copied expression with; use --mode motion"),
        (("--axes", "other_axes.safetensors"), "axes were fitted for generator"),
    ],
)
def test_error_what_a_generator_without_an_encoder_cannot_paste(
    words: tuple[str, ...], told: str, refused: Callable[..., str], place: Path
) -> None:
    write_generator(place / "blind.safetensors", make_generator(companions=False), half=False)
    blind = (*EDIT[:-1], "blind.safetensors", "--axes", "axes.safetensors", "--method", "optimise", "--device", "cpu")
    assert told in refused("edit", "portrait.png", *blind, "--mode", "paste", *words)


@pytest.mark.usefixtures("no_long_work")
def test_error_nothing_asked_for(refused: Callable[..., str]) -> None:
    words = [word for word in TINY if word not in ("--expression", "happiness")]
    assert "no expression was asked for" in refused("edit", "portrait.png", *words)
    assert "required: --expression" in refused("apply", "latent.safetensors", "-o", "out.png")


@pytest.mark.slow
@pytest.mark.usefixtures("no_long_work")
def test_error_reference_photos(refused: Callable[..., str]) -> None:
    Image.fromarray(data.coffee()).resize((300, 200)).save("cup.png")
    said = refused("edit", "portrait.png", *TINY, "--copy-from", "cup.png")
    assert "the photo to copy from, cup.png: no face was found" in said
    assert "is the input itself" in refused("edit", "portrait.png", *TINY, "--copy-from", "cup.png", "-o", "cup.png")


@pytest.mark.usefixtures("no_long_work")
def test_error_apply_draws_no_shapes(refused: Callable[..., str]) -> None:
    said = refused("apply", "latent.safetensors", *APPLY, "--axes", "axes.safetensors", "--expression", "jawOpen")
    assert "'jawOpen' moves a photo's own pixels and has no direction among latents" in said
    assert "happiness, anger" in said


@pytest.mark.usefixtures("no_long_work")
def test_error_input_under_another_name(refused: Callable[..., str], place: Path) -> None:
    (place / "link.png").symlink_to("portrait.png")
    os.link("portrait.png", "hard.png")
    for name in ("link.png", "hard.png"):
        assert "is the input itself" in refused("edit", "portrait.png", *TINY, "-o", name)


@pytest.mark.usefixtures("no_long_work")
def test_error_transparency_into_jpeg(refused: Callable[..., str], place: Path) -> None:
    rgba = np.dstack([portrait().pixels, np.full(portrait().pixels.shape[:2], 100, np.uint8)])
    Image.fromarray(rgba).save("glass.png")
    assert "transparency" in refused("edit", "glass.png", *TINY, "-o", "out.jpg")


@pytest.mark.usefixtures("no_long_work")
def test_error_models_from_strangers(refused: Callable[..., str], place: Path) -> None:
    """Pickles are refused unread, cut files and absurd claims before anything is allocated."""
    (place / "bad.pkl").write_bytes(pickle.dumps(Call(os.mkdir, str(place / "owned"))))
    whole = (place / "generator.safetensors").read_bytes()
    (place / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    header = b'{"w":{"dtype":"F32","shape":[999999,999999],"data_offsets":[0,3999992000004]}}'
    (place / "huge.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    (place / "long.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + header)
    (place / "none.safetensors").write_bytes(b"")
    write_tensors(place / "foreign.safetensors", {"w": torch.zeros(2)}, {"format": "pt"})
    for name in ("bad.pkl", *(f"{kind}.safetensors" for kind in ("cut", "huge", "long", "none", "foreign"))):
        refused("edit", "portrait.png", *TINY, "--generator", name)
        refused("edit", "portrait.png", *TINY, "--axes", name)
        refused("info", name)
    assert not (place / "owned").exists()


@pytest.mark.usefixtures("no_long_work")
def test_error_latents(refused: Callable[..., str], place: Path) -> None:
    axes = ("--axes", "axes.safetensors")
    assert "belongs to generator" in refused("apply", "other_latent.safetensors", *APPLY, *axes)
    assert "axes were fitted for generator" in refused(
        "apply", "latent.safetensors", *APPLY, "--axes", "other_axes.safetensors"
    )
    assert "not a latent" in refused("apply", "axes.safetensors", *APPLY, *axes)
    assert "not a safetensors file" in refused("apply", "portrait.png", *APPLY, *axes)
    assert "check the path" in refused("apply", "nowhere", *APPLY, *axes)
    assert "finite" in refused("apply", "latent.safetensors", *APPLY, *axes, "--intensity", "nan")
    assert "joy" in refused("apply", "latent.safetensors", *APPLY, *axes, "--expression", "joy")
    fingerprint = load_latent(place / "latent.safetensors").fingerprint
    for ws, told in [(torch.zeros(2, 8, 16), "holds 2 latents"), (torch.zeros(1, 3, 16), "rows")]:
        save_latent(place / "odd.safetensors", Latent(ws, fingerprint))
        assert told in refused("apply", "odd.safetensors", *APPLY, *axes)
    nan = {"ws": torch.full((1, 8, 16), torch.nan)}
    write_tensors(place / "nan.safetensors", nan, {"format": "emotiongan-latent-1", "fingerprint": fingerprint})
    assert "NaN" in refused("apply", "nan.safetensors", *APPLY, *axes)
    assert ".safetensors" in refused("invert", "portrait.png", "-o", "latent.png", *FIT[2:])


@pytest.mark.usefixtures("no_long_work")
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("file,expression\n../secret.png,happiness\n", "outside the folder"),
        ("file,expression\n/etc/passwd,happiness\n", "outside the folder"),
        ("file,expression\nC:\\secret.png,happiness\n", "outside the folder"),
        ("file,expression\nsub/../../secret.png,happiness\n", "outside the folder"),
        ("file,expression\nlink.png,happiness\n", "link"),
        ("file,expression\nlinked/secret.png,happiness\n", "link"),
        ("file,expression\nloop.png,happiness\n", "link"),
        ("file,expression\nmissing.png,happiness\n", "missing"),
        ("file,expression\na.png,happiness\na.png,neutral\n", "one row per picture"),
        ("file,expression\na.png\n", "cells"),
        ("file,expression\na.png,\n", "expression"),
        ("file,mood\na.png,happiness\n", "no column expression; its first line is 'file,mood'"),
        ("file,expression\n", "no rows"),
        ("", "no header"),
        ("file,expression\n\0\n", "labels.csv"),
    ],
)
def test_error_labels(rows: str, told: str, refused: Callable[..., str], place: Path) -> None:
    faces = place / "faces"
    outside = place / "outside"
    faces.mkdir()
    outside.mkdir()
    shutil.copy("portrait.png", faces / "a.png")
    shutil.copy("portrait.png", outside / "secret.png")
    (faces / "link.png").symlink_to("../outside/secret.png")
    (faces / "linked").symlink_to("../outside")
    (faces / "loop.png").symlink_to("loop.png")
    (place / "labels.csv").write_text(rows)
    assert told in refused("fit", "faces", "--labels", "labels.csv", *FIT)


def test_error_fits_of_samples(refused: Callable[..., str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "faces").mkdir()
    assert "neither a folder of labelled faces nor --samples came" in refused("fit", *FIT)
    assert "both a folder" in refused("fit", "faces", "--samples", "400", *FIT)
    assert "no table of labels came, and no folder in faces holds pictures" in refused("fit", "faces", *FIT)
    own = ("fit", *FIT, "--samples")
    of_labels = ("--hold", "identity", "--family", "multinomial", "--labels", "x.csv")
    assert "--labels, --hold, --family are about labelled pictures" in refused(*own, "400", *of_labels)
    assert "0 samples were asked for" in refused(*own, "0")
    assert "199 samples were asked for; needed are 200 or more that show a face" in refused(*own, "199")
    for psi in ("nan", "0", "9"):
        assert "psi" in refused(*own, "400", "--psi", psi)
    assert "no classes" in refused(*own, "400", "--class", "1")
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")  # as under torchrun, which says the rest too
    assert "torchrun's processes did not find each other" in refused(*own, "400")


def test_error_face_sets(refused: Callable[..., str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = place / "faces"
    faces.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy("portrait.png", faces / name)
    (place / "labels.csv").write_text("file,expression\na.png,happiness\nb.png,neutral\n")
    fit = ("fit", "faces", "--labels", "labels.csv", *FIT)
    assert "needed are" in refused(*fit)
    assert "does not exist" in refused("fit", "nowhere", "--labels", "labels.csv", *FIT)
    assert "check the path" in refused("fit", "faces", "--labels", "nowhere.csv", *FIT)
    assert "no column yaw" in refused(*fit, "--covariate", "yaw")
    assert "no column smile" in refused(*fit, "--score", "smile")
    assert "name their column" in refused(*fit, "--family", "soft")
    assert "is not named" in refused(*fit, "-o", "labels.csv")
    for row in range(80):
        (faces / f"{row}.png").write_bytes(stored(Image.new("RGB", (32, 32))) if row != 3 else b"no picture")
    labels = (f"{row}.png,{'neutral' if row % 2 else 'happiness'}" for row in range(80))
    (place / "labels.csv").write_text("\n".join(["file,expression", *labels]))
    with monkeypatch.context() as quick:  # the unreadable one is skipped, and then there are too few
        quick.setattr(
            "emogan_core.expressions.fit_choices.FitConfig", lambda **given: FitConfig(moving_floor=40, **given)
        )
        quick.setattr("emogan_core.commands.fit.label_latents", None)
        told = refused(*fit, "--aligned")
    assert "39 pictures labelled 'neutral'" in told
    people = [f"{row}.png,{'neutral' if row % 2 else 'happiness'},{row % 4}" for row in range(80) if row != 3]
    people += ["a.png,neutral,0", "b.png,neutral,0"]
    (place / "people.csv").write_text("\n".join(["file,expression,person", *people]))
    with monkeypatch.context() as quick:
        quick.setattr("emogan_core.commands.fit.label_latents", None)
        told = refused("fit", "faces", "--labels", "people.csv", *FIT, "--aligned")
        (place / "scores.csv").write_text("\n".join(["file,smile", *(f"{row}.png,{row}" for row in range(70))]))
        scored = ("fit", "faces", "--labels", "scores.csv", *FIT, "--score", "smile")
        assert "high for 35 pictures and low for 34; needed are 40" in refused(*scored)
        assert "69 values from 0 to 69 came, and soft labels" in refused(*scored, "--family", "soft")
        (place / "even.csv").write_text("\n".join(["file,smile", *(f"{row}.png,1" for row in range(80))]))
        assert "all 79 labels are 1" in refused("fit", "faces", "--labels", "even.csv", *FIT, "--score", "smile")
        for name in ("identity", "yaw"):  # what is held still has one meaning
            marked = (f"{row}.png,{'neutral' if row % 2 else name},{row // 2},{row}" for row in range(80))
            (place / "named.csv").write_text("\n".join(["file,expression,person,yaw", *marked]))
            named = ("fit", "faces", "--labels", "named.csv", *FIT, "--covariate", "yaw", "--hold", name)
            assert "an expression of this set is called so, too" in refused(*named)
    assert "'happiness' comes from 2 people and 'neutral' from 3" in told
    (place / "gray.csv").write_text("file,expression\na.png,0\nb.png,1\n")
    assert "say which (--neutral on the command line)" in refused("fit", "faces", "--labels", "gray.csv", *FIT)
    for end in ("/dev/full", "/dev/zero"):
        assert "device or pipe" in refused("fit", "faces", "--labels", end, *FIT)
    (place / "latin.csv").write_bytes("file,expression\n\u00fc.png,joy\n".encode("latin-1"))
    assert "UTF-8" in refused("fit", "faces", "--labels", "latin.csv", *FIT)


def test_error_reports(refused: Callable[..., str]) -> None:
    own = ("--generator", "generator.safetensors", "--device", "cpu", "-o")
    assert "use .html, .png or .json" in refused("report", "axes.safetensors", *own, "out.pdf")
    assert "give the generator that they belong to" in refused("report", "other_axes.safetensors", *own, "out.html")
    assert "is none of these axes" in refused(
        "report", "axes.safetensors", "--expression", "nonsense", *own, "out.html"
    )
    assert "no file of expression axes" in refused("report", "latent.safetensors", *own, "out.html")
    assert "is there already" in refused("report", "axes.safetensors", *own, "portrait.png")


@pytest.mark.usefixtures("no_long_work")
def test_error_outputs_that_are_there_already(
    refused: Callable[..., str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same rule for every command."""
    tiny = ("--generator", "generator.safetensors", "--device", "cpu")
    (place / "there.safetensors").write_bytes(b"precious")
    (place / "demo").mkdir()
    (place / "demo" / "sheet.png").write_bytes(b"precious")
    told = "is there already; give another name, or --force to write over it"
    assert told in refused("invert", "portrait.png", "-o", "there.safetensors", *tiny)
    assert told in refused("convert", "generator.safetensors", "there.safetensors")
    assert told in refused("sample", "-o", "other.png", *tiny)
    axes = ("--axes", "axes.safetensors", "--expression", "happiness")
    assert told in refused("apply", "latent.safetensors", *axes, "-o", "other.png", *tiny)
    assert cli.main(["demo", "-o", "demo", "--axes", "axes.safetensors", *tiny]) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in (place / "demo").iterdir()] == ["sheet.png"]


def test_error_names_that_are_no_text(refused: Callable[..., str], place: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.safetensors")
    assert "is no text in UTF-8; give another name" in refused("convert", "builtin", name)
    assert not os.path.lexists(place / name)


def test_error_long_names(refused: Callable[..., str], place: Path) -> None:
    for long in ("x" * 300, "\u00e4" * 140, "x" * 100_000):
        for words in (
            ("read", f"{long}.png"),
            ("info", f"{long}.png"),
            ("convert", "builtin", f"{long}.safetensors"),
            ("convert", f"{long}.pkl", "out.safetensors"),
            ("edit", "portrait.png", *TINY, "-o", f"{long}.png"),
            ("fit", long, "--labels", "labels.csv", *FIT),
            ("sample", "-o", f"{long}.png", "--device", "cpu", "--generator", "generator.safetensors"),
        ):
            assert len(refused(*words)) < 5000


@pytest.mark.usefixtures("no_long_work")
def test_error_demo_and_sample(refused: Callable[..., str], place: Path) -> None:
    tiny = ("--generator", "generator.safetensors", "--device", "cpu")
    assert "cannot make the folder" in refused("demo", "-o", "missing/pictures", *tiny)
    assert "cannot make the folder" in refused("demo", "-o", "portrait.png", *tiny)
    assert "cannot" in refused("demo", "-o", "/proc/pictures", *tiny)
    for count in ("0", "100000", "-1", "1.5", "many"):  # one sentence for all of them
        told = f"argument --count: '{count}' came; needed a whole number from 1 to 400"
        assert told in refused("sample", "-o", "out.png", "--count", count, *tiny)
    assert "--psi" in refused("sample", "-o", "out.png", "--psi", "nan", *tiny)
    assert "psi" in refused("sample", "-o", "out.png", "--psi", "x", *tiny)
    assert "suffix" in refused("sample", "-o", "generator.safetensors", *tiny)
    assert "'tiny' has no classes; leave the class out" in refused("sample", "-o", "out.png", "--class", "0", *tiny)
    assert "whole number" in refused("sample", "-o", "out.png", "--class", "-1", *tiny)


@pytest.mark.usefixtures("no_long_work")
def test_error_classes(refused: Callable[..., str], place: Path) -> None:
    net = make_generator(replace(TINY_SPEC, c_dim=3, name="breeds"), companions=False)
    write_generator(place / "classes.safetensors", net, half=False)
    words = ("-o", "out.png", "--generator", "classes.safetensors", "--device", "cpu")
    assert "no class came, but 'breeds' draws by class; give one of 0 to 2" in refused("sample", *words)
    assert "class 3 came, but 'breeds' draws by class" in refused("sample", *words, "--class", "3")


def test_error_no_encoder(refused: Callable[..., str], place: Path) -> None:
    """Told before any face is searched: the pictures here show none."""
    write_generator(place / "bare.safetensors", make_generator(companions=False), half=False)
    save_photo(place / "blank.png", Photo(np.zeros((200, 200, 3), np.uint8)))
    bare = ("--generator", "bare.safetensors", "--device", "cpu", "--method", "encode")
    told = "the generator 'tiny' has no encoder, so method 'encode' cannot work; use 'optimise' or 'hybrid'"
    assert told in refused("invert", "blank.png", "-o", "out.safetensors", *bare)
    edit = ("edit", "blank.png", "--expression", "happiness", "-o", "out.png", "--axes", "axes.safetensors")
    assert told in refused(*edit, *bare)
    faces = place / "faces"
    faces.mkdir()
    for row in range(80):
        shutil.copy("blank.png", faces / f"{row}.png")
    labels = (f"{row}.png,{'neutral' if row % 2 else 'happiness'}" for row in range(80))
    (place / "labels.csv").write_text("\n".join(["file,expression", *labels]))
    assert told in refused("fit", "faces", "--labels", "labels.csv", "-o", "out.safetensors", *bare)


@pytest.mark.usefixtures("no_long_work")
def test_error_generators_of_another_kind(refused: Callable[..., str], place: Path) -> None:
    """Axes, latents and the landmark net lie beside generators and end in .safetensors like them."""
    shutil.copy(builtin_path("landmarks.safetensors"), place / "landmarks.safetensors")
    for name in ("axes.safetensors", "latent.safetensors", "landmarks.safetensors"):
        told = refused("sample", "-o", "out.png", "--generator", name, "--device", "cpu")
        assert name in told
        assert "generator" in told
        assert name in refused("convert", name, "new.safetensors")
    strange = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(2)}
    write_tensors(place / "sd.safetensors", strange, {"format": "pt"})
    assert "sd.safetensors" in refused("convert", "sd.safetensors", "new.safetensors")


def test_error_no_command(refused: Callable[..., str]) -> None:
    assert "--help" in refused()
    assert "--help" in refused("dance")
    assert "PHOTO" in refused("edit")
    assert "--expression" in refused("edit", "portrait.png", "-o", "out.png")


@pytest.mark.slow
def test_error_in_a_process_of_its_own(place: Path) -> None:
    """Nothing else, a library's warning say, finds its way to standard error."""
    (place / "photo.tif").write_bytes(stored(Image.fromarray(portrait().pixels), "TIFF")[:40_000])
    root = str(Path(cli.__file__).parents[1])
    command = [sys.executable, "-m", "emogan_core", "edit", "photo.tif", *TINY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": root})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("emogan: ")
    assert done.stderr.count("\n") == 1
    assert "cut short" in done.stderr


UNUSUAL = {
    "grayscale": lambda image: stored(image.convert("L")),
    "palette": lambda image: stored(image.quantize(200)),
    "rgba": lambda image: stored(image.convert("RGBA")),
    "sixteen bit": lambda image: stored(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)),
    "sixteen bit colour": lambda image: png_of(np.asarray(image).astype(np.uint16) * 257, {}),
    "floats": lambda image: tiff_of(np.asarray(image).astype(np.float32) / 255, {}),
    "gif": lambda image: stored(image, "GIF"),
    "avif": lambda image: stored(image, "AVIF", quality=95),
    "cmyk": lambda image: stored(image.convert("CMYK"), "JPEG", quality=95),
    "rotated": lambda image: stored(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=b"Exif\0\0" + rotation(6)),
}


def rotation(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("case", UNUSUAL)
def test_shape_unusual_photos_are_welcome(
    case: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Putting back has its own tests; here the face must be found and the picture come out upright."""

    def untouched(generator: object, photo: object, inversion: object, edited: object, **_: object) -> Composite:
        return Composite(photo, np.zeros((256, 256), np.float32), torch.zeros(1, 3, 32, 32), {})

    monkeypatch.setattr("emogan_core.commands.asked_edit.put_back", untouched)
    monkeypatch.setattr("emogan_core.commands.edit._reached", lambda composite, face: ({}, []))
    (place / "photo").write_bytes(UNUSUAL[case](Image.fromarray(portrait().pixels)))
    assert cli.main(["edit", "photo", *TINY]) == 0
    assert capsys.readouterr().err == ""
    out = open_photo(place / "out.png")
    assert np.abs(out.pixels.astype(int).mean(2) - portrait().pixels.astype(int).mean(2)).mean() < 9
    assert (out.alpha is not None) == (case == "rgba")


def options_of(command: str) -> Iterator[argparse.Action]:
    """Everything that a command takes."""
    (commands,) = [one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction)]
    yield from commands.choices[command]._actions


PLACES = ("axes", "copy_from", "faces", "file", "folder", "generator", "identity", "ignore", "labels", "latent", "out")
PLACES += ("perceptual", "photo", "photos", "sheet", "source")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_error_an_empty_path_is_called_empty(command: str, refused: Callable[..., str]) -> None:
    """Not the folder that one is in, as which Python reads it."""
    asked = [one for one in options_of(command) if one.dest in PLACES]
    assert [one.dest for one in options_of(command) if one.type is Path] == []
    for one in asked:
        words = [] if not one.option_strings else [f"{one.option_strings[-1]}="]
        needed = [other for other in asked if other is not one and (other.required and not other.option_strings)]
        told = refused(command, *(words or [""]), *("x" for _ in needed), *(["-o", "o"] if words else []))
        assert "the path is empty; name the file or folder that is meant" in told, one.dest


IDLE: dict[str, tuple[tuple[str, ...], str]] = {
    "psi of a folder": (("fit", ".", "-o", "a.safetensors", "--psi", "1"), "--psi is about a generator's own samples"),
    "class of a folder": (("fit", ".", "-o", "a.safetensors", "--class", "0"), "--class is about a generator's own"),
    "seed of a folder": (
        ("fit", ".", "-o", "a.safetensors", "--seed", "0"),
        "--seed is about a generator's own samples",
    ),
    "neutral of scores": (
        ("fit", ".", "-o", "a.safetensors", "--score", "joy", "--neutral", "calm"),
        "--neutral is about labels in words, and --score came",
    ),
    "covariance of a pattern": (
        ("fit", ".", "-o", "a.safetensors", "--covariance", "latent"),
        "the model pattern came, which uses it only to hold something still",
    ),
    "licence and method of samples": (
        ("fit", "--samples", "200", "-o", "a.safetensors", "--licence", "mine", "--method", "encode"),
        "--licence, --method are about labelled pictures",
    ),
    "absolute of a copy": (
        ("edit", "portrait.png", "--copy-from", "portrait.png", "--absolute", "-o", "out.png"),
        "--absolute is about expressions that are named, and none came, so nothing would come of it; leave it out",
    ),
    "seconds of the encoder": (
        ("invert", "portrait.png", "-o", "a.safetensors", "--method", "encode", "--seconds", "2"),
        "--seconds is about optimising",
    ),
    "axes of plain samples": (
        ("sample", "--axes", "axes.safetensors", "-o", "out.png"),
        "--axes is about --expression or --neutral-first, and neither came",
    ),
    "seed of a latent": (
        ("apply", "latent.safetensors", "--expression", "happiness", "-o", "out.png", "--seed", "1"),
        "unrecognized arguments: --seed",
    ),
}


@pytest.mark.usefixtures("no_long_work")
@pytest.mark.parametrize("case", IDLE)
def test_error_options_that_nothing_would_come_of(case: str, refused: Callable[..., str]) -> None:
    words, told = IDLE[case]
    assert told in refused(*words)
