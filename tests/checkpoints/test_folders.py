"""Who knows whom among the folders of checkpoints: pickles nobody, shared steps only pickles, programs not each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from emogan_core import checkpoints
from emogan_core.checkpoints.readers import READERS

ROOT = Path(checkpoints.__file__).parent
PROGRAMS = {"nvidia", "tensorflow", "genforce", "rosinality"}
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}


def known_to(path: Path) -> set[str]:
    """The folders and modules directly under checkpoints that a file imports."""
    depth = len(path.relative_to(ROOT).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_invariance_folders_know_only_what_is_below(folder: str) -> None:
    allowed = {"pickles": set(), "reading": {"pickles"}}.get(folder, {"pickles", "reading"})
    for path in (ROOT / folder).glob("*.py"):
        assert known_to(path) <= allowed, path


def test_invariance_only_the_list_knows_the_programs() -> None:
    assert PROGRAMS | {"pickles", "reading"} == FOLDERS
    knowing = {path.name for path in ROOT.glob("*.py") if known_to(path) & PROGRAMS}
    assert knowing == {"readers.py"}


def test_invariance_every_reader_is_listed_once() -> None:
    names = [reader.name for reader in READERS]
    assert len(set(names)) == len(names)
    with_readers = {path for path in ROOT.glob("*/*.py") if "\ndef detect(" in path.read_text(encoding="utf-8")}
    listed = {reader.read.__module__ for reader in READERS}
    assert {f"emogan_core.checkpoints.{path.parent.name}.{path.stem}" for path in with_readers} <= listed
