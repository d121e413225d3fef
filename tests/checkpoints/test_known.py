"""Known files: named wherever they are opened, and only files of a known one's size are hashed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from nvidia_pickles import write_networks

from emogan_core.checkpoints import known, load_generator
from emogan_core.errors import CheckpointError
from emogan_core.networks import Generator


@pytest.fixture
def file(tiny: Generator, tmp_path: Path) -> Path:
    return write_networks(tmp_path / "mine.pkl", tiny)


def test_shape_the_table_names_sizes() -> None:
    for sha256, one in known.KNOWN.items():
        assert len(bytes.fromhex(sha256)) == 32
        assert 100e6 < one.smallest <= one.largest < 2e9


def test_shape_a_known_file_is_named_when_opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size, sha256 = file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()
    assert load_generator(file).spec.name == "mine"
    one = known.KnownFile("Faces of 2020", "non-commercial", size, size)
    monkeypatch.setattr(known, "KNOWN", {sha256: one})
    spec = load_generator(file).spec
    assert (spec.name, spec.licence) == ("Faces of 2020", "non-commercial")


def test_invariance_files_of_other_sizes_are_not_hashed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(path: Path) -> str:
        raise AssertionError(f"{path} was hashed")

    monkeypatch.setattr(known, "sha256_of", never)
    assert known.recognised(file) is None


def test_invariance_the_same_size_is_not_enough(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = file.stat().st_size
    monkeypatch.setattr(known, "KNOWN", {"00" * 32: known.KnownFile("Other", "none", size, size)})
    assert known.recognised(file) is None


def test_invariance_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = known.sha256_of(path)
    assert first == known.sha256_of(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"three")
    assert known.sha256_of(path) == hashlib.sha256(b"three").hexdigest()


def test_error_no_file(tmp_path: Path) -> None:
    for reader in (known.recognised, known.sha256_of):
        with pytest.raises(CheckpointError, match="check the path"):
            reader(tmp_path / "none.pkl")
