"""A generator's own samples: the same whoever draws them, kept, and drawn once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_generator

from emogan_core.checkpoints import load_generator
from emogan_core.errors import ExpressionError
from emogan_core.expressions import (
    SampleConfig,
    SampleShare,
    SampleTable,
    read_samples,
    sample_file,
    sample_folder,
    samples,
)
from emogan_core.expressions.sample_file import PARTS
from emogan_core.networks import Generator
from emogan_core.progress import StepReport

ROOT = Path(__file__).parents[2]
FEW = SampleConfig(count=10, seed=3, psi=0.7)
PROCESS = """
import sys
from pathlib import Path
from emogan_core import SampleConfig, SampleShare, load_generator, read_samples, sample_folder
from emogan_core.expressions import sample_file, samples
import torch
torch.set_num_threads(1)
samples.CHUNK = sample_file.CHUNK = 4
generator, config = load_generator("builtin"), SampleConfig(count=10, seed=3, psi=0.7)
share = SampleShare(int(sys.argv[2]), 2)
read_samples(generator, config, sample_folder(Path(sys.argv[1]), generator, config), share=share)
"""


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (samples, sample_file):
        monkeypatch.setattr(module, "CHUNK", 4)


@pytest.fixture(scope="module")
def builtin() -> Generator:
    return load_generator("builtin")


@pytest.fixture(scope="module")
def alone(builtin: Generator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleTable]:
    """What one process reads of a few samples."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patched:
        for module in (samples, sample_file):
            patched.setattr(module, "CHUNK", 4)
        table = read_samples(builtin, FEW, sample_folder(folder, builtin, FEW))
    assert table is not None
    return folder, table


def same(one: SampleTable, other: SampleTable) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in PARTS)


def test_shape_samples_show_faces(alone: tuple[Path, SampleTable]) -> None:
    table = alone[1]
    assert len(table) == 10
    assert table.seen.all()
    assert table.w.shape == (10, 256)
    assert table.coefficients.min() >= 0
    assert np.abs(table.pose_deg).max() < 45
    assert table.skin.std(0).min() > 0


@pytest.mark.slow
def test_invariance_two_processes_read_what_one_reads(alone: tuple[Path, SampleTable], tmp_path: Path) -> None:
    """To the bit, files included."""
    started = [subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path), str(rank)], cwd=ROOT) for rank in (0, 1)]
    assert [process.wait(timeout=300) for process in started] == [0, 0]
    names = sorted(path.name for path in alone[0].iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (alone[0] / name).read_bytes()


def test_invariance_what_is_kept_is_not_drawn_again(
    small_chunks: None, alone: tuple[Path, SampleTable], builtin: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More samples begin with the same ones; a damaged file is drawn again, and nothing else."""
    folder = sample_folder(alone[0], builtin, FEW)
    drawn: list[int] = []
    draw = samples._drawn

    def watched(generator: Generator, config: SampleConfig, chunk: int) -> SampleTable:
        drawn.append(chunk)
        return draw(generator, config, chunk)

    monkeypatch.setattr(samples, "_drawn", watched)
    torn = folder.file(1)
    whole = torn.read_bytes()
    torn.write_bytes(whole[:1000])
    again = read_samples(builtin, SampleConfig(count=12, seed=3, psi=0.7), folder)
    assert again is not None
    assert drawn == [1]
    assert torn.read_bytes() == whole
    assert same(again.rows(slice(10)), alone[1])
    other = sample_folder(alone[0], builtin, SampleConfig(count=12, seed=4, psi=0.7))
    assert not other.has(0)


def test_invariance_the_first_process_draws_what_never_comes(
    small_chunks: None, alone: tuple[Path, SampleTable], builtin: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second process is dead: its chunk is made up for once nothing new has come for a while."""
    folder = sample_folder(alone[0], builtin, FEW)
    folder.file(1).unlink()
    monkeypatch.setattr(samples, "PATIENCE_S", 0.0)
    said: list[StepReport] = []
    table = read_samples(builtin, FEW, folder, share=SampleShare(0, 2), progress=said.append)
    assert table is not None
    assert same(table, alone[1])


def test_shape_pictures_of_any_size_are_read(builtin: Generator) -> None:
    """At 64 px nearly as at 128; at 512 the same."""
    image = builtin.synthesis(builtin.w_avg.expand(1, builtin.spec.num_ws, -1))
    small = torch.nn.functional.interpolate(image, size=64, mode="area")
    large = torch.nn.functional.interpolate(image, size=512, mode="bicubic").clamp(-1, 1)
    seen = [samples.read_picture(one[0]) for one in (image, small, large)]
    assert all(one is not None for one in seen)
    levels = np.stack([one.fit.coefficients for one in seen if one is not None])
    assert np.abs(levels[1:] - levels[0]).max() < 0.25
    assert samples.read_picture(torch.zeros(3, 64, 64)) is None


def test_error_samples_that_cannot_be(builtin: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for psi in (0.0, float("nan"), 3.0):
        with pytest.raises(ExpressionError, match="psi"):
            SampleConfig(psi=psi)
    with pytest.raises(ExpressionError, match="0 samples"):
        SampleConfig(count=0)
    monkeypatch.setattr(samples, "TRIED", 4)
    for module in (samples, sample_file):
        monkeypatch.setattr(module, "CHUNK", 4)
    tiny = make_generator()
    with pytest.raises(
        ExpressionError, match=r"none of the first 4 samples of 'tiny' shows a face; .* give a generator"
    ):
        read_samples(tiny, SampleConfig(), sample_folder(tmp_path, tiny, SampleConfig()))
