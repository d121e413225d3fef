"""Parts of the judged comparison of edits that need neither pictures nor judges."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from emogan_core.images import Photo

Script = Callable[[str], ModuleType]


@pytest.fixture
def tables(script: Script) -> ModuleType:
    return script("judged_edits_table")


def reading(
    tables: ModuleType,
    person: str = "anna",
    expression: str = "happiness",
    intensity: float = 1.0,
    mode: str = "motion",
    *,
    logits: tuple[float, ...] = (0.0,) * 7,
    **more: object,
) -> object:
    probabilities = tuple(torch.tensor(logits).softmax(0).double().tolist())
    return tables.Reading(person, expression, intensity, mode, probabilities, **{"distance": 0.2, **more})


def test_golden_log_odds_do_not_saturate(tables: ModuleType) -> None:
    """Logits 0 and 30, the others far below: ln(P / (1 - P)) is 30 though P rounds to 1."""
    one = reading(tables, logits=(0.0, 30.0, -60.0, -60.0, -60.0, -60.0, -60.0))
    assert one.probabilities[1] == 1
    assert one.log_odds("happy") == pytest.approx(30, abs=1e-5)
    assert one.log_odds("neutral") == pytest.approx(-30, abs=1e-5)
    assert one.log_odds(None) == pytest.approx(30, abs=1e-5)


def test_golden_even_odds_of_seven(tables: ModuleType) -> None:
    assert reading(tables).log_odds("sad") == pytest.approx(np.log(1 / 6))


def test_contempt_is_seen_when_the_face_is_not_neutral(tables: ModuleType) -> None:
    angry = reading(tables, logits=(0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0))
    assert angry.is_seen("contempt")
    assert angry.is_seen("anger")
    assert not angry.is_seen("fear")
    assert not reading(tables, logits=(5.0, *(0.0,) * 6)).is_seen("contempt")


def test_roundtrip_of_notes(script: Script, tables: ModuleType, tmp_path: Path) -> None:
    """What was read is written once, a line that was broken off is tried again, another version is refused."""
    notes = script("judged_edits").Notes
    path = tmp_path / "now.jsonl"
    one = reading(tables, left=0.25, version="v")
    notes(path, "v").add(one)
    notes(path, "v").add(one)
    with path.open("a") as lines:
        lines.write('{"person": "be')
    assert tables.read_readings(path) == [one]
    with pytest.raises(SystemExit, match="of version v, this is w"):
        notes(path, "w")


def test_what_follows_a_broken_line_is_kept(script: Script, tables: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "now.jsonl"
    path.write_text('{"person": "be')
    one = reading(tables)
    script("judged_edits").Notes(path).add(one)
    assert tables.read_readings(path) == [one]


def test_golden_intervals_hold_ninety_percent(tables: ModuleType, script: Script) -> None:
    """Mean of 200 normal values of spread 0.1: 1.645 * 0.1 / sqrt(200) = 0.0116 either way."""
    x = np.random.default_rng(0).normal(0.5, 0.1, 200)
    low, high = tables.interval(script("scores").mean_of(x).draws)
    assert (high - low) / 2 == pytest.approx(1.645 * x.std() / np.sqrt(200), rel=0.1)
    assert tables.average([1, 1], "%") == "100 % [100, 100]"
    assert tables.average([0.5, 0.5], ".1f") == "0.5 [0.5, 0.5]"


def test_cells_compare_the_same_people(tables: ModuleType) -> None:
    """A nearer edit is bold and a farther one is worse, on people whom both versions edited; an absent version is empty."""
    names = [f"p{index:02d}" for index in range(12)]
    column = lambda distance, of: {name: reading(tables, name, distance=distance) for name in of}
    neutral = column(0.0, names)
    distance = tables.quantities_of("happiness")[2]
    far, near = column(0.4, names), column(0.2, names[:10])
    assert tables.cells(distance, [far, near], neutral) == ["0.40 [0.40, 0.40]", "**0.20 [0.20, 0.20]**"]
    assert tables.cells(distance, [near, far], neutral) == ["0.20 [0.20, 0.20]", "0.40 [0.40, 0.40] worse"]
    assert tables.cells(distance, [far, {}], neutral) == ["0.40 [0.40, 0.40]", ""]
    assert tables.cells(distance, [{}, {}], neutral) == ["", ""]
    assert tables.cells(distance, [near, near], neutral)[1] == "0.20 [0.20, 0.20]"


def test_sweep_rises_only_when_every_step_does(tables: ModuleType) -> None:
    assert tables.is_rising([-9.0, -3.0, 0.0, 2.0])
    assert not tables.is_rising([-9.0, -3.0, -3.0, 2.0])


def test_sides_are_the_persons(script: Script, tables: ModuleType) -> None:
    """What changes in the picture's right half is on the person's left."""
    change = np.zeros((8, 8))
    change[:, 6] = 3
    change[:, 1] = 1
    left = script("judged_edits_people").share_on_right(change)
    assert left == pytest.approx(0.75)
    assert script("judged_edits_people").share_on_right(np.zeros((8, 8))) is None
    edit = reading(tables, left=left)
    assert tables.sided(edit, "mouthSmileLeft") == pytest.approx(0.75)
    assert tables.sided(edit, "mouthSmileRight") == pytest.approx(0.25)
    assert tables.sided(edit, "contempt") == pytest.approx(0.75)


def test_every_table_is_square(tables: ModuleType) -> None:
    names = [f"p{index}" for index in range(4)]
    photos = tables.column_of(
        [reading(tables, name, shows, 0.0, "") for name in names for shows in ("neutral", "smile")]
    )
    tried = [
        reading(tables, name, expression, intensity, left=0.5, logits=(0.0, intensity, *(0.0,) * 5))
        for name in names
        for expression in ("happiness", "contempt")
        for intensity in (0.5, 1.0, 1.5)
    ]
    tried += [reading(tables, name, "neutral") for name in names]
    columns = {"before": tables.column_of(tried), "after": tables.column_of(tried[:5])}
    neutral = photos["neutral", 0.0, ""]
    for lines in (
        tables.reference_table(photos),
        tables.main_table(columns, neutral),
        tables.called_table(columns),
        tables.sweep_table(columns, neutral),
        tables.other_table(columns, photos),
        tables.group_table(columns, {"all": names, "none": []}),
    ):
        assert len(lines) > 2
        assert len({line.count("|") for line in lines}) == 1


def test_everything_is_wished_once(script: Script, tables: ModuleType) -> None:
    """Seven expressions at three intensities in two modes, the typical ones in motion first; then the rest."""
    wishes = script("judged_edits").wishes_of(list(tables.EXPRESSIONS), (0.5, 1.0, 1.5), tables.MODES)
    assert len(set(wishes)) == len(wishes) == 7 * 3 * 2 + 2 + len(tables.SIDED)
    assert {(wish.mode, wish.intensity) for wish in wishes[:7]} == {("motion", 1.0)}


def test_error_a_latent_cannot_copy_nor_find_what_no_axis_has(script: Script) -> None:
    methods = script("judged_edits_methods")
    photo = Photo(np.zeros((8, 8, 3), np.uint8))
    method = methods.by_latent(SimpleNamespace(names=("happiness",)), None, None)
    for name in (methods.COPY, "contempt"):
        with pytest.raises(methods.UnableError, match=f"no axis '{name}'"):
            method(photo, methods.Wish(name), photo)


def test_window_stays_in_the_photo(script: Script) -> None:
    points = np.array([[40.0, 50.0], [80.0, 50.0], [60.0, 70.0], [45.0, 90.0], [75.0, 90.0]])
    assert script("judged_edits_people").window(points, (100, 110, 3)) == (slice(10, 100), slice(0, 110))


def test_run_is_skipped_where_the_judges_are_not(
    script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script("judged_edits").run(argparse.Namespace(data=tmp_path, judges=tmp_path, cache=tmp_path / "cache"))
    assert "skipped" in capsys.readouterr().out
    assert not (tmp_path / "cache").exists()
