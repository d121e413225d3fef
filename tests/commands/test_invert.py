"""`emogan invert` with networks of the user's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from likeness_files import write_networks
from tiny_models import portrait, write_models

from emogan_core import cli
from emogan_core.images import save_photo


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    write_models(made)
    write_networks(made)
    save_photo(made / "portrait.png", portrait())
    return made


@pytest.fixture
def invert(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command in the folder; gives back its status and what it printed, errors last."""
    monkeypatch.chdir(folder)

    def command(*words: str) -> tuple[int, str]:
        fixed = ("--generator", "generator.safetensors", "--device", "cpu", "--method", "encode", "--force")
        status = cli.main(["invert", "portrait.png", *words, *fixed])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return command


def test_golden_distances_are_told(invert) -> None:
    status, printed = invert("--perceptual", "vgg16.pth", "--identity", "arcface.pth", "-o", "a.safetensors", "--json")
    assert status == 0
    told = json.loads(printed)["inversion"]
    assert set(told) == {"psnr_db", "w_distance", "layer_spread", "perceptual_distance", "identity_distance"}
    assert told["perceptual_distance"] > 0
    assert 0 < told["identity_distance"] < 2


def test_golden_an_edit_tells_them_in_words(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folder)
    words = ("edit", "portrait.png", "--expression", "happiness", "--generator", "generator.safetensors")
    own = ("--axes", "axes.safetensors", "--method", "encode", "--perceptual", "vgg16.pth", "-o", "out.png", "--force")
    assert cli.main([*words, *own]) == 0
    told = capsys.readouterr().out
    (Path("out.png")).unlink()
    assert re.search(r"redrawn by the generator: perceptual distance 0\.\d+ from the photo", told)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--perceptual", "arcface.pth"), "seems to be a face recogniser .ArcFace.*needed torchvision's VGG16"),
        (("--identity", "vgg16.pth"), "seems to be an image classifier, .*needed ArcFace's IR-SE50"),
        (("--perceptual", "vgg16.pth") * 3, "--perceptual came 3 times"),
        (("--perceptual", "vgg16.pth", "-o", "vgg16.pth"), "vgg16"),
    ],
)
def test_error_before_anything_is_written(invert, words: tuple[str, ...], sentence: str, folder: Path) -> None:
    before = sorted(path.read_bytes() for path in folder.iterdir())
    out = () if "-o" in words else ("-o", "b.safetensors")
    status, printed = invert(*words, *out)
    assert status != 0
    assert len(printed.strip().splitlines()) == 1
    assert re.search(sentence, printed)
    assert sorted(path.read_bytes() for path in folder.iterdir()) == before
