"""What `comfy node publish` would pack: everything the nodes need, and nothing that makes the registry's scanner stop."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN_MODULES = {
    "urllib",
    "requests",
    "http",
    "socket",
    "subprocess",
    "pickle",
    "marshal",
    "ctypes",
    "huggingface_hub",
}
FORBIDDEN_NAMES = {"os.environ", "os.getenv", "os.system", "eval", "exec", "compile", "__import__"}


@pytest.fixture(scope="module")
def archive() -> list[Path]:
    """Tracked files that .comfyignore leaves in; its lines are folders, ending in a slash, or files."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so nobody publishes from it")
    ignored = [line for line in (ROOT / ".comfyignore").read_text(encoding="utf-8").split() if line]
    return [
        Path(name) for name in listed.splitlines() if not any(name == one or name.startswith(one) for one in ignored)
    ]


def test_shape_what_nodes_need_is_inside(archive: list[Path]) -> None:
    names = {path.as_posix() for path in archive}
    needed = {
        "__init__.py",
        "pyproject.toml",
        "requirements.txt",
        "LICENSE",
        "emogan_core/py.typed",
        "emogan_core/builtin/landmarks.safetensors",
        "emogan_core/builtin/face_model.safetensors",
        "emogan_core/builtin/examples/composite_f_multi.jpg",
        "emogan_core/builtin/examples/ATTRIBUTION.txt",
        "emogan_core/builtin/examples/wink/faces.csv",
        "emogan_core/builtin/expressions.json",
        "subgraphs/Change a Facial Expression.json",
    }
    assert needed <= names
    assert {path.parts[0] for path in archive} >= {"emogan_core", "nodes", "web", "locales", "workflows"}
    assert not any(name.startswith(("tests/", "emogan_core/training/", "benchmarks/")) for name in names)


def test_shape_it_is_as_large_as_the_readme_says(archive: list[Path]) -> None:
    size = sum((ROOT / path).stat().st_size for path in archive) / 2**20
    (told,) = re.findall(r"The pack itself takes (\d+) MB", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert abs(size - int(told)) < 2, f"{size:.1f} MB"


def test_invariance_nothing_for_the_scanner_to_stop_at(archive: list[Path]) -> None:
    for path in archive:
        if path.suffix != ".py":
            assert path.suffix not in (".sh", ".exe", ".so", ".pyc", ".pkl", ".pt", ".pth")
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES, path
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES, path
            elif isinstance(node, ast.Attribute | ast.Name):
                assert ast.unparse(node) not in FORBIDDEN_NAMES, path
