"""Parts of the pack, loaded under a name of its own as ComfyUI does."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
NAME = "emotiongan_pack"


@pytest.fixture(scope="session")
def part() -> Callable[[str], ModuleType]:
    """part("nodes.pictures") is that module of the pack, whose core is not the one that tests import as emogan_core."""
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None
    assert spec.loader is not None
    pack = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = pack
    spec.loader.exec_module(pack)
    return lambda name: importlib.import_module(f"{NAME}.{name}")
