"""The public interface: every name that people, commands and nodes need, importable from `emogan_core` itself."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import emogan_core
from emogan_core import errors

ROOT = Path(__file__).parents[1]
CORE = ROOT / "emogan_core"
NODES = sorted((ROOT / "nodes").glob("*.py"))
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FOR_COMMANDS_ALONE = {  # what only `emogan info`, the other commands' checks of outputs and the terminal need
    "DEFAULT_SEED",
    "DenseLandmarkNet",
    "EXPRESSION_READOUT",
    "READ",
    "FACE_MODEL",
    "FACE_SIZE",
    "INPUT_SIZE",
    "LEAST_SEEN",
    "LandmarkNet",
    "MOSTLY_CLEAR",
    "MOUTH_LOOK",
    "MOUTH_SIDE",
    "MULTINOMIAL",
    "RIMS",
    "RIM_HEIGHT",
    "RIM_WIDTH",
    "Metadata",
    "Skipped",
    "bits_kept",
    "choose_among",
    "clear_share",
    "code_file",
    "expect_enough",
    "expect_pairable",
    "expect_scores",
    "score_labels",
    "facts_of",
    "photo_facts",
    "path_of",
    "readable",
    "seen_again",
    "shape_replaced_by",
    "shortened",
    "is_foreign",
    "is_of_another_program",
    "kind_of_names",
    "kind_of_start",
    "likeness_facts",
    "read_face_model",
    "read_header",
    "refuse_overwrite",
    "start_of",
    "write_whole",
}


def imported_from_core(text: str, prefix: str) -> Iterator[tuple[str, str]]:
    """(module inside emogan_core, name) of each import; `prefix` is how the text spells the package."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[2], "") for alias in node.names if alias.name.startswith(prefix))
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == prefix or module.startswith(f"{prefix}."):
                yield from ((module.removeprefix(prefix).lstrip("."), alias.name) for alias in node.names)


def for_type_checkers() -> dict[str, str]:
    """Module by name, as the package tells type checkers."""
    (block,) = [node for node in ast.parse((CORE / "__init__.py").read_text()).body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def test_shape_what_is_listed_is_what_can_be_imported() -> None:
    assert sorted(emogan_core.__all__) == sorted(for_type_checkers())
    for name, module in for_type_checkers().items():
        there = getattr(importlib.import_module(f"emogan_core.{module}"), name)
        assert getattr(emogan_core, name) is there
        assert name in dir(emogan_core)
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        emogan_core.no_such_name  # noqa: B018


def test_invariance_no_name_hides_a_module() -> None:
    assert not {module.name for module in pkgutil.iter_modules([str(CORE)])} & set(emogan_core.__all__)


def test_shape_every_error_is_public() -> None:
    ours = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert ours <= set(emogan_core.__all__)


def test_invariance_importing_the_package_loads_nothing_heavy() -> None:
    told = "import sys, emogan_core; print({'torch', 'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def not_exported(text: str, prefix: str) -> list[str]:
    """What a text imports from the package otherwise than by a public name from the package itself."""
    imports = imported_from_core(text, prefix)
    return [f"{module}.{name}" for module, name in imports if module or name not in emogan_core.__all__]


def test_invariance_pages_import_from_the_package_alone() -> None:
    snippets = [
        (page.name, re.sub(r"^(>>>|\.\.\.) ?", "", snippet, flags=re.MULTILINE))
        for page in PAGES
        for snippet in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    ]
    assert len(snippets) > 100
    assert [(page, found) for page, snippet in snippets if (found := not_exported(snippet, "emogan_core"))] == []


def test_invariance_nodes_import_what_is_public() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in NODES}
    assert any(list(imported_from_core(text, "..emogan_core")) for text in texts.values())
    assert {name: found for name, text in texts.items() if (found := not_exported(text, "..emogan_core"))} == {}


def test_invariance_what_commands_do_a_program_can_do() -> None:
    used = {
        (path.name, alias.asname or alias.name)
        for path in (CORE / "commands").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level == 2
        for alias in node.names
    }
    assert {name for _, name in used} & set(emogan_core.__all__)
    assert [(file, name) for file, name in used if name not in {*emogan_core.__all__, *FOR_COMMANDS_ALONE}] == []


def test_shape_installed_packages_say_that_they_are_typed() -> None:
    """PEP 561: type checkers look for this file, which only package data ships."""
    (shipped,) = re.findall(r"^emogan_core = (\[.*\])$", (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert "py.typed" in ast.literal_eval(shipped)
    assert (CORE / "py.typed").is_file()
