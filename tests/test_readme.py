"""What the README shows is what the program does, and pages lead to each other."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emogan_core import EXPRESSIONS, load_axes
from emogan_core.cli import main
from emogan_core.parser import build_parser

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page for folder in (".", "docs", "docs/results", "benchmarks", "web/docs") for page in (ROOT / folder).glob("*.md")
)
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
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


def links(page: Path) -> list[str]:
    """What a page links to inside the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]


def test_shape_every_link_leads_somewhere() -> None:
    assert sum(map(len, map(links, PAGES))) > 100
    dead = [(page.name, target) for page in PAGES for target in links(page) if not (page.parent / target).exists()]
    assert dead == []


def test_shape_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index and page.name != "README.md"
    ] == []


def test_shape_every_benchmark_is_told_of() -> None:
    told = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8").replace("parity_*.py", "parity_")
    names = [path.name for path in (ROOT / "benchmarks").glob("*.py")]
    assert [name for name in names if name not in told and not name.startswith("parity_")] == []


def test_shape_the_test_command_is_there_for_ci() -> None:
    block = README.split("<!-- test command -->")[1].split("```")[1]
    assert 'pytest -m "slow or not slow"' in block  # nothing is left out
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_shape_every_expression_it_names_is_known() -> None:
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


def test_shape_every_command_that_pages_show_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Fenced lines that start with `emogan`, wherever it is installed; the parser refuses what it does not know."""
    shown = [
        (page.name, command)
        for page in PAGES
        for block in re.findall(r"```\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for line in block.split("\n")
        if re.match(r"(\S*/)?emogan ", command := line.rpartition("&& ")[2])
    ]
    assert shown
    parser = build_parser()
    for page, command in shown:
        try:
            parser.parse_args(shlex.split(command)[1:])
        except SystemExit:
            pytest.fail(f"{page}: {command}: {capsys.readouterr().err}")
