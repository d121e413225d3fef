"""Benchmarks are scripts beside each other: their folder is where they look for one another."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A benchmark's module by name."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module
