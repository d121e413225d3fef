"""What the README shows is what the program does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emogan_core.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_golden_python_snippet_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snippet, word for word, on scikit-image's portrait of an astronaut."""
    from skimage.data import astronaut

    (snippet,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(astronaut()).save("photo.jpg", quality=95)
    names: dict[str, object] = {}
    exec(snippet, names)  # noqa: S102 - our own README
    result, photo = names["result"], names["photo"]
    changed = result.mask > 0  # type: ignore[attr-defined]
    before, after = photo.pixels, result.photo.pixels  # type: ignore[attr-defined]
    assert 0.005 < changed.mean() < 0.3
    assert np.array_equal(before[~changed], after[~changed])
    assert not np.array_equal(before[changed], after[changed])


def test_shape_every_command_it_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    known = capsys.readouterr().out
    for name in ("edit", "expressions", "read", "demo", "sample", "invert", "apply", "fit", "info"):
        assert f"emogan {name}" in README or f"`{name}`" in README
        assert name in known


def test_shape_every_link_leads_somewhere() -> None:
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in t]
    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_shape_the_test_command_is_there_for_ci() -> None:
    block = README.split("<!-- test command -->")[1].split("```")[1]
    assert "pytest" in block
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_shape_every_expression_it_names_is_known() -> None:
    from emogan_core.expressions import load_axes
    from emogan_core.expressions.meanings import EXPRESSIONS

    table = README.split("## Expressions")[1].split("\n\n")[1]
    axes = load_axes("builtin")
    for line in table.splitlines()[2:]:
        names = [name.strip(" `") for name in line.split("|")[1].split(",")]
        assert all(name in axes or name in EXPRESSIONS for name in names if name != "...")
    assert all(name in table for name in EXPRESSIONS)


def test_shape_ci_runs_what_the_readme_promises() -> None:
    """Python 3.10 to 3.13, by the README's own command."""
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    (oldest,) = re.findall(r'^requires-python = ">=(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    versions = re.findall(r"python-version: \[(.+)\]", workflow)[0].replace('"', "").split(", ")
    assert versions[0] == oldest
    assert f"Python {oldest} or newer" in README
    assert "run: .ci/run" in workflow
    assert os.access(ROOT / ".ci" / "types", os.X_OK)
