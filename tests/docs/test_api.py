"""docs/api.md is what docs/api.py makes of the sources, and every public name says what it is."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import emogan_core

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def api() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_api", ROOT / "docs" / "api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_golden_the_page_is_up_to_date(api: ModuleType) -> None:
    written = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert written == api.page(), "docs/api.md is older than the sources; run: python docs/api.py"


def test_shape_every_public_name_has_an_entry(api: ModuleType) -> None:
    headings = [line.removeprefix("### ") for line in api.page().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(emogan_core.__all__)
    assert len({heading.lower() for heading in headings}) == len(headings), "links tell no capitals"


def test_shape_every_public_name_has_a_docstring_that_is_a_sentence(api: ModuleType) -> None:
    modules = api.public_names()
    docs = {name: api.definition_of(modules[name], name)[1] for name in emogan_core.__all__}
    assert {name: doc for name, doc in docs.items() if not doc.split("\n\n")[0].endswith(".")} == {}


def test_error_a_name_that_is_not_there(api: ModuleType) -> None:
    with pytest.raises(LookupError, match="no_such_name"):
        api.definition_of("errors", "no_such_name")


def test_golden_signatures_are_python(api: ModuleType) -> None:
    signatures = [entry.split("```python\n")[1].split("```")[0] for entry in api.page().split("\n### ")[1:]]
    assert "class Latent:\n    ws: torch.Tensor\n    fingerprint: str\n    delta: Delta | None = None\n" in signatures
    assert "def cut(photo: Photo, crop: Crop, size: int) -> torch.Tensor: ...\n" in signatures
    for signature in signatures:
        ast.parse(signature)
