"""`emogan edit` from photo to file, nothing of it played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_models import portrait, write_models

from emogan_core import cli
from emogan_core.images import save_photo

pytestmark = pytest.mark.slow


def said(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, object]:
    assert cli.main([*map(str, words), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_invariance_an_edit_and_its_file_read_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_models(tmp_path)
    photo, out = tmp_path / "portrait.png", tmp_path / "out.png"
    save_photo(photo, portrait())
    tiny = ("--generator", tmp_path / "generator.safetensors", "--method", "encode", "--device", "cpu")
    reached = said(capsys, "edit", photo, "--expression", "surprise", *tiny, "-o", out)["reached"]
    assert isinstance(reached, dict)
    assert reached["reading"] == said(capsys, "read", out)
