"""The program that reads damaged files sees each of the ways in which that must not end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture
def outcome(script: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What a reading in a process of its own comes to, with 50 MiB and 0.25 s."""
    program = script("hostile_files")
    monkeypatch.setattr(program, "CPU_S", 0.25)

    def ended(reading: Callable[[], int]) -> str:
        return str(program.read_in_child(reading, tmp_path / "scratch", memory=50 << 20).kind)

    return ended


def said(status: int, *lines: str) -> int:
    sys.stderr.write("\n".join(lines) + "\n")
    return status


def test_golden_every_outcome_is_told_apart(outcome, tmp_path: Path) -> None:
    left = tmp_path / "scratch" / ".emogan-1-x.png"

    def busy() -> int:
        end = time.process_time() + 0.5
        while time.process_time() < end:
            pass
        return 0

    for expected, reading in {
        "read": lambda: said(0, "emogan: note: a note"),
        "refused": lambda: said(2, "emogan: a sentence"),
        "traceback": lambda: 1 // 0,
        "over memory": lambda: int(np.ones(100 << 20, np.uint8)[0]) - 1,
        "over time": busy,
        "died": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "left behind": lambda: said(2, "emogan: a sentence") if left.write_bytes(b"x") else 0,
    }.items():
        assert outcome(reading) == expected
    assert outcome(lambda: said(2, "emogan: a sentence", "and another line")) == "traceback"


def test_invariance_damage_of_one_seed(script: Callable[[str], ModuleType]) -> None:
    damage = script("hostile_mutations")
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    whole = len(header).to_bytes(8, "little") + header + bytes(4)
    first, second = (
        [damage.damaged(whole, "safetensors", np.random.default_rng([0, k])) for k in range(30)] for _ in "ab"
    )
    assert first == second
    assert len(set(first)) > 20
    inside = [damage.in_safetensors(whole, damage.bits, np.random.default_rng(k)) for k in range(9)]
    assert all(int.from_bytes(one[:8], "little") == len(one) - 12 for one in inside)
