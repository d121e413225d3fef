"""Training an encoder: it learns, goes on to the bit where it was stopped, and refuses what is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import make_generator
from tiny_models import portrait

from emogan_core.encoder_training import TrainingLength, read_photos, train, train_encoder
from emogan_core.encoder_training.memory import BATCHES, batch_for, training_bytes
from emogan_core.encoder_training.run import EncoderConfig, EncoderRun, encoder_for
from emogan_core.errors import Cancelled, CheckpointError, EmoganError, OutputError, PhotoError, SpaceMismatch
from emogan_core.images import save_photo
from emogan_core.networks import Generator
from emogan_core.progress import StepReport


@pytest.fixture(scope="module")
def net() -> Generator:
    return make_generator(companions=False)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "PROJECTED", 160)


@pytest.mark.slow
def test_golden_the_loss_falls(net: Generator, tmp_path: Path) -> None:
    losses: list[float] = []

    def note(report: StepReport) -> None:
        losses.extend([] if report.loss is None else [report.loss])

    trained = train_encoder(net, tmp_path / "t", TrainingLength(steps=20), progress=note)
    assert len(losses) == trained.steps == 20
    assert sum(losses[10:]) < sum(losses[:10])
    assert set(trained.psnr_db) == {"held-out samples", "in other colours"}
    assert trained.preview == tmp_path / "t" / "000020.png"
    assert trained.preview.is_file()


def test_golden_codes_are_found_better_than_the_average(net: Generator, tmp_path: Path) -> None:
    trained = train_encoder(net, tmp_path / "t", TrainingLength(steps=1))
    ws = net.mapping(torch.randn(16, 16, generator=torch.Generator().manual_seed(9)))
    found = trained.encoder(net.synthesis(ws))
    assert (found - ws).square().mean() < 0.5 * (net.w_avg - ws).square().mean()


@pytest.mark.slow
def test_invariance_a_stopped_training_goes_on_to_the_bit(net: Generator, tmp_path: Path) -> None:
    whole = train_encoder(net, tmp_path / "whole", TrainingLength(steps=4))

    def stop(report: StepReport) -> None:
        if report.loss is not None and report.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        train_encoder(net, tmp_path / "parts", TrainingLength(steps=4), progress=stop)
    train_encoder(net, tmp_path / "parts", TrainingLength(steps=3))
    parts = train_encoder(net, tmp_path / "parts", TrainingLength(steps=4))
    for name, tensor in whole.encoder.state_dict().items():
        assert tensor.equal(parts.encoder.state_dict()[name]), name


def test_invariance_the_generator_stays(net: Generator, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    train_encoder(net, tmp_path / "t", TrainingLength(steps=1))
    assert all(tensor.equal(before[name]) for name, tensor in net.state_dict().items())
    assert net.encoder is None


def test_invariance_codes_come_in_the_generators_units(net: Generator) -> None:
    run = EncoderRun(net, EncoderConfig())
    run.begin(torch.zeros(16, 3 * 32 * 32), torch.zeros(16))
    assert torch.allclose(run.result()(torch.zeros(1, 3, 32, 32)), net.w_avg.expand(1, net.spec.num_ws, -1), atol=1e-6)
    run.begin(torch.zeros(16, 3 * 32 * 32), torch.ones(16))
    found = run.result()(torch.zeros(1, 3, 32, 32))
    assert torch.allclose(found, (net.w_avg + net.w_std).expand(1, net.spec.num_ws, -1), atol=1e-6)


@pytest.mark.slow
def test_shape_time_is_told_in_whole_seconds_of_this_part(net: Generator, tmp_path: Path) -> None:
    told: list[StepReport] = []
    train_encoder(net, tmp_path / "t", TrainingLength(steps=2), progress=told.append)
    begun = EncoderRun(net, EncoderConfig())
    begun.restore(tmp_path / "t" / train.STATE)
    minutes = (round(begun.seconds) + 3) / 60
    told.clear()
    trained = train_encoder(net, tmp_path / "t", TrainingLength(minutes=minutes), progress=told.append)
    steps = [report.step for report in told]
    assert trained.seconds >= 60 * minutes
    assert steps == sorted(set(steps))
    assert all(0 < report.step <= report.steps == 3 for report in told)


@pytest.mark.slow
def test_error_the_state_of_another_training(net: Generator, tmp_path: Path) -> None:
    train_encoder(net, tmp_path / "t", TrainingLength(steps=1))
    other = make_generator(companions=False, seed=1)
    with pytest.raises(SpaceMismatch, match=r"another training \(generator .*--force"):
        train_encoder(other, tmp_path / "t", TrainingLength(steps=1))
    with pytest.raises(SpaceMismatch, match="seed 0 instead of 5"):
        train_encoder(net, tmp_path / "t", TrainingLength(steps=1), seed=5)
    assert train_encoder(other, tmp_path / "t", TrainingLength(steps=1), anew=True).steps == 1


def test_error_a_damaged_state(net: Generator, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / train.STATE).write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(CheckpointError, match="no whole state"):
        train_encoder(net, tmp_path / "t", TrainingLength(steps=1))


def test_error_lengths_and_folders_that_are_none(net: Generator, tmp_path: Path) -> None:
    for wrong in ({}, {"steps": 3, "minutes": 1.0}, {"steps": 0}, {"minutes": 0.0}, {"minutes": float("nan")}):
        with pytest.raises(EmoganError, match=r"steps|minutes"):
            TrainingLength(**wrong)
    with pytest.raises(OutputError, match="cannot make the folder"):
        train_encoder(net, tmp_path / "none" / "t", TrainingLength(steps=1))


def test_shape_photos_are_cut_and_learned_from(net: Generator, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    save_photo(folder / "a.png", portrait())
    (folder / "b.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    photos = read_photos(folder, net)
    assert photos.learned.shape == (1, 3, 32, 32)
    assert len(photos.held_out) == 0
    assert [name for name, _ in photos.skipped] == ["b.png"]
    trained = train_encoder(net, tmp_path / "t", TrainingLength(steps=1), photos=photos)
    assert "photos learned from" in trained.psnr_db


def test_error_folders_without_photos(net: Generator, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="there is no folder"):
        read_photos(tmp_path / "none", net)
    with pytest.raises(PhotoError, match="no face was found in 0 pictures"):
        read_photos(tmp_path, net)
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(PhotoError, match=r"1 picture .*b\.png"):
        read_photos(tmp_path, net)


def test_shape_the_batch_fits_the_memory(net: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = encoder_for(net)
    needs = [training_bytes(net, encoder, batch) for batch in BATCHES]
    assert needs == sorted(needs, reverse=True)
    monkeypatch.setattr("emogan_core.encoder_training.memory.free_memory", lambda: 2 * needs[1])
    assert batch_for(net, encoder) == BATCHES[1]
    monkeypatch.setattr("emogan_core.encoder_training.memory.free_memory", lambda: 1000)
    monkeypatch.setattr("emogan_core.free_memory.free_memory", lambda: 1000)
    with pytest.raises(EmoganError, match="of memory and"):
        batch_for(net, encoder)
