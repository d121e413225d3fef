"""Pages in docs/results are what their programs print: the command first, and no sentence that a rerun would erase."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
PAGES = sorted(page.name for page in RESULTS.glob("*.md") if page.name != "README.md")
BEGIN = re.compile(r"# [^\n]+\n\n```\npython benchmarks/(\w+)\.py ")


def program_of(page: str) -> Path:
    found = BEGIN.match((RESULTS / page).read_text(encoding="utf-8"))
    assert found, f"docs/results/{page} does not begin with a title and the command that made it"
    return ROOT / "benchmarks" / f"{found[1]}.py"


def sources_of(program: Path) -> list[ast.Module]:
    """The program and the modules beside it that it imports, and so on."""
    trees: dict[Path, ast.Module] = {}
    waiting = [program]
    while waiting:
        path = waiting.pop()
        if path in trees or not path.is_file():
            continue
        trees[path] = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(trees[path]):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            waiting += [path.with_name(f"{name}.py") for name in names]
    return list(trees.values())


def printable(tree: ast.Module) -> Iterator[re.Pattern[str]]:
    """A pattern for every line of every text in a program, with what is filled in left open."""
    for node in ast.walk(tree):
        text = None
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        for line in (text or "").splitlines():
            parts = re.split(r"\{[^{}]*\}", line.strip())
            if any(part.strip(" |.,;:") for part in parts):
                yield re.compile(".*?".join(re.escape(part) for part in parts), re.DOTALL)


def unexplained(line: str, patterns: list[re.Pattern[str]]) -> str:
    """What is left of a line when all that the program can print is taken out, the longest first."""
    whole = [pattern for pattern in patterns if pattern.fullmatch(line)]
    if whole:
        return ""
    for pattern in sorted(patterns, key=lambda one: -len(one.pattern)):
        if len(pattern.pattern) > 5:
            line = pattern.sub("", line)
    return re.sub(r"[\W\d_]+", " ", line).strip()


@pytest.mark.parametrize("page", PAGES)
def test_shape_a_page_begins_with_its_command(page: str) -> None:
    assert program_of(page).is_file()


@pytest.mark.parametrize("page", PAGES)
def test_shape_a_rerun_can_print_every_sentence(page: str) -> None:
    patterns = [pattern for tree in sources_of(program_of(page)) for pattern in printable(tree)]
    lines = (RESULTS / page).read_text(encoding="utf-8").splitlines()
    sentences = [line for line in lines if line and not line.startswith(("|", "```", "python "))]
    left = {line: unexplained(line, patterns) for line in sentences}
    strange = {line[:80]: rest for line, rest in left.items() if len(rest.split()) > 3}
    assert not strange, f"benchmarks do not print these of {page}; put prose into docs/results/README.md: {strange}"


def test_shape_every_page_is_told_of() -> None:
    told = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if f"docs/results/{page}" not in told] == []
