"""`emogan train-encoder`: a file that other commands take, with the source's fingerprint and terms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import rosinality_names
from tiny import TINY, make_generator
from tiny_models import portrait

from emogan_core import cli
from emogan_core.checkpoints import load_generator, write_generator
from emogan_core.encoder_training import train
from emogan_core.images import save_photo
from emogan_core.weights import read_header


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "PROJECTED", 160)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = cli.main([*words, "--device", "cpu"] if words[0] != "info" else list(words))
    printed = capsys.readouterr()
    return status, printed.out + printed.err


@pytest.mark.slow
def test_golden_a_foreign_file_gets_an_encoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = make_generator(replace(TINY, name="unnamed"), companions=False)
    torch.save({"g_ema": rosinality_names(net), "latent_avg": net.w_avg}, "faces.pt")
    save_photo(tmp_path / "photo.png", portrait())
    assert (
        said(capsys, "invert", "photo.png", "--method", "encode", "--generator", "faces.pt", "-o", "a.safetensors")[0]
        == 2
    )
    status, told = said(capsys, "train-encoder", "faces.pt", "-o", "out.safetensors", "--steps", "2", "--json")
    assert status == 0, told
    report = json.loads(told.splitlines()[-1])
    assert Path(report["preview"]).is_file()
    source, out = load_generator("faces.pt"), load_generator("out.safetensors")
    assert out.fingerprint == source.fingerprint == report["fingerprint"]
    metadata = read_header(tmp_path / "out.safetensors")[1]
    assert metadata["encoder"].startswith("trained by emogan train-encoder for 2 steps")
    assert "conversion" not in metadata
    words = ("invert", "photo.png", "--method", "encode", "--generator", "out.safetensors", "-o", "b.safetensors")
    assert said(capsys, *words)[0] == 0

    status, told = said(capsys, "train-encoder", "faces.pt", "-o", "out.safetensors", "--steps", "3")
    assert (status, "--force" in told) == (2, True)
    status, told = said(capsys, "train-encoder", "faces.pt", "-o", "out.safetensors", "--steps", "3", "--force")
    assert status == 0
    assert "after 3 steps" in told


def test_error_what_cannot_be_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_generator(tmp_path / "has.safetensors", make_generator(), half=False)
    asked = ("train-encoder", "has.safetensors", "-o", "out.safetensors")
    for words, expected in (
        (("--steps", "1"), "has an encoder already"),
        (("--steps", "1", "--again", "--photos", "none"), "there is no folder none"),
        (("--steps", "1", "--minutes", "1", "--again"), "not both"),
        (("--minutes", "-1", "--again"), "needed a finite number above 0"),
    ):
        status, told = said(capsys, *asked, *words)
        assert status == 2
        assert expected in told
        assert len(told.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"has.safetensors"}
