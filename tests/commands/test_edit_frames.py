"""`emogan edit --frames`: every picture of a file, in order, those without a face as they were; and several faces in one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tiny_models import portrait, write_models

from emogan_core import cli
from emogan_core.images import Photo, open_photo, read_record, save_photo

EDIT = ("--expression", "happiness", "--method", "encode", "--device", "cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models, and animations of a portrait with an empty picture between."""
    folder = tmp_path_factory.mktemp("frames")
    write_models(folder)
    face, empty = Image.fromarray(portrait().pixels), Image.new("RGB", (256, 256), (90, 120, 60))
    empty.save(folder / "faces.webp", save_all=True, append_images=[face, empty, face], lossless=True)
    empty.save(folder / "empty.webp", save_all=True, append_images=[Image.new("RGB", (256, 256))], lossless=True)
    with tifffile.TiffWriter(folder / "deep.tif") as file:
        file.write(portrait().pixels.astype(np.uint16) * 257, photometric="rgb")
        file.write(portrait().pixels.astype(np.float32) / 255, photometric="rgb")
    two = np.concatenate([portrait().pixels[:, ::-1], portrait().pixels], axis=1)
    save_photo(folder / "two.png", Photo(np.ascontiguousarray(two)))
    return folder


@pytest.fixture
def run(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command in an empty folder; gives its status and all that it said."""
    monkeypatch.chdir(tmp_path)

    def command(name: str, photo: str, *words: str) -> tuple[int, str]:
        models = ["--generator", str(place / "generator.safetensors")]
        axes = ["--axes", str(place / "axes.safetensors")] if name == "edit" else []
        status = cli.main([name, str(place / photo), *words, *(models if name != "read" else []), *axes])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return command


def test_error_a_folder_named_as_a_file(run, tmp_path) -> None:
    status, said = run("edit", "faces.webp", *EDIT, "--frames", "-o", "out.png")
    assert (status, list(tmp_path.iterdir())) == (2, [])
    assert "--frames writes a folder of pictures, and out.png is named as a file" in said


@pytest.mark.slow
def test_shape_pages_of_every_kind(run, tmp_path) -> None:
    """Each as deep as it is, those that are not read by number, and transparency told where it lies over the face."""
    face = portrait().pixels
    with tifffile.TiffWriter(tmp_path / "mixed.tif") as file:
        file.write(face.astype(np.uint32) << 24, photometric="rgb")
        file.write(face.astype(np.float32) / 255, photometric="rgb")
        file.write(face.astype(np.uint16) * 257, photometric="rgb")
        for alpha in (200, 10):
            clear = np.dstack([face, np.full(face.shape[:2], alpha, np.uint8)])
            file.write(clear, photometric="rgb", extrasamples=["unassalpha"])
    status, said = run("edit", str(tmp_path / "mixed.tif"), *EDIT, "--frames", "-o", "out")
    photos = {path.name: open_photo(path) for path in sorted(Path("out").iterdir())}
    assert (status, [photo.bits for photo in photos.values()]) == (0, [32, 16, 8, 8])
    assert list(photos) == ["mixed_0002.tif", "mixed_0003.png", "mixed_0004.png", "mixed_0005.png"]
    assert "picture 1 was left out: mixed.tif is a TIFF of 3 x uint32" in said
    assert "note: the face in mixed.tif is 96% transparent; the colours beneath were taken" in said
    assert "be seen (picture 5)" in said


@pytest.mark.slow
def test_shape_every_picture_of_an_animation(run) -> None:
    status, said = run("edit", "faces.webp", *EDIT, "--frames", "-o", "out", "--json")
    report = json.loads(said)
    assert (status, report["frames"], report["edited"], report["unread"]) == (0, 4, 2, {})
    assert list(report["without_face"]) == ["1", "3"]
    photos = {path.name: open_photo(path) for path in sorted(Path("out").iterdir())}
    assert list(photos) == [f"faces_000{number}.png" for number in (1, 2, 3, 4)]
    for name, photo in photos.items():
        if name in ("faces_0001.png", "faces_0003.png"):
            assert (photo.pixels == (90, 120, 60)).all()
            assert read_record(Path("out", name)) is None
        else:
            assert not np.array_equal(photo.pixels, portrait().pixels)
            assert read_record(Path("out", name))["expressions"] == {"happiness": 1.0}
    status, said = run("edit", "faces.webp", *EDIT, "--frames", "-o", "out")
    assert (status, "out/faces_0001.png is there already" in said) == (2, True)
    status, said = run("edit", "faces.webp", *EDIT, "--frames", "-o", "out", "--force")
    assert "wrote 4 pictures to out, 2 of them edited\n" in said
    assert "note: picture 3 was written as it is: no face was found" in said


def test_shape_pages_keep_their_depth(run) -> None:
    assert run("edit", "deep.tif", *EDIT, "--frames", "-o", "out")[0] == 0
    assert {path.name: open_photo(path).bits for path in Path("out").iterdir()} == {
        "deep_0001.png": 16,
        "deep_0002.tif": 32,
    }


@pytest.mark.slow
def test_error_no_face_in_any_picture(run) -> None:
    status, said = run("edit", "empty.webp", *EDIT, "--frames", "-o", "out")
    assert (status, list(Path("out").iterdir())) == (2, [])
    assert "no picture in empty.webp (2 in all) can be edited: picture 1: no face was found" in said
    assert (
        "--sheet came with --frames" in run("edit", "empty.webp", *EDIT, "--frames", "-o", "o", "--sheet", "s.png")[1]
    )


def test_shape_the_first_picture_alone_tells_how_to_get_the_others(run, place: Path) -> None:
    face = Image.fromarray(portrait().pixels)
    face.save(place / "alone.webp", save_all=True, append_images=[face.rotate(180)], lossless=True)
    said = run("edit", "alone.webp", *EDIT, "-o", "out.png")[1]
    assert "alone.webp holds 2 pictures; the first was taken" in said
    assert "--frames edits every picture of the file" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"), [("read", ()), ("invert", (*EDIT[2:], "-o", "a.safetensors")), ("edit", (*EDIT, "-o", "a.png"))]
)
def test_shape_several_faces_are_told_unless_one_was_chosen(run, name: str, words: tuple[str, ...]) -> None:
    status, said = run(name, "two.png", *words)
    assert status == 0
    assert "note: 2 faces were found and the largest was taken; --face 1 takes the other, --face 0 this one" in said
    more = ("--force",) if name != "read" else ()
    assert "faces were found" not in run(name, "two.png", *words, *more, "--face", "0")[1]


@pytest.mark.slow
def test_shape_faces_are_shown_with_their_numbers(run, place: Path, tmp_path: Path) -> None:
    status, said = run("read", "two.png", "--faces", "numbered.png")
    assert status == 0
    assert "wrote numbered.png" in said
    shown, photo = (np.asarray(Image.open(path)) for path in (tmp_path / "numbered.png", place / "two.png"))
    assert shown.shape == photo.shape
    assert 0.01 < (shown != photo).any(-1).mean() < 0.4
    for words in (
        ("numbered.png",),
        (str(place / "two.png"), "--force"),
    ):  # neither over another file nor over the photo
        assert run("read", "two.png", "--faces", *words)[0] != 0
    assert np.array_equal(np.asarray(Image.open(place / "two.png")), photo)
