"""The time of a fit beside scikit-learn's: both say the same."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "glm.py"


def test_shape_the_table_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "glm.md"
    monkeypatch.setattr(sys, "argv", ["glm.py", "--rows", "800", "--dims", "6", "-o", str(out)])
    spec = spec_from_file_location("time_of_glm", PROGRAM)  # by its path: the folder of the glm's tests has its name
    assert spec is not None
    assert spec.loader is not None
    program = module_from_spec(spec)
    spec.loader.exec_module(program)
    program.main()
    text = out.read_text()
    assert "--rows 800" in text
    apart = float(text.split("within ")[1].split(" ")[0])
    assert apart < 0.05
