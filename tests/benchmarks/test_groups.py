"""Groups of held-out pictures: by measured colour, by labels, each person once."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from emogan_core.images import Photo

LANDMARKS = np.array([[40.0, 45], [88, 45], [64, 75], [45, 97], [83, 97]])


def painted(script: Callable[[str], ModuleType], *, cheek: tuple[int, int, int]) -> Photo:
    """Gray, with cheeks of one colour."""
    pixels = np.full((128, 128, 3), 119, dtype=np.uint8)
    pixels[60:82, 25:55] = pixels[60:82, 75:105] = cheek
    return Photo(pixels, None)


def test_golden_cheeks_are_found_and_measured(script: Callable[[str], ModuleType]) -> None:
    """sRGB (209, 164, 134) is L* 70.5, b* 21.3 by scikit-image's rgb2lab: atan(20.5 / 21.3) is 43.9 degrees."""
    photo = painted(script, cheek=(209, 164, 134))
    assert script("cheeks").typology_angle(photo, LANDMARKS) == pytest.approx(43.9, abs=0.6)
    assert script("cheeks").brightness(photo, LANDMARKS) > 15


def test_invariance_darker_cheeks_have_smaller_angles(script: Callable[[str], ModuleType]) -> None:
    colours = [(230, 190, 165), (190, 140, 110), (120, 80, 60), (70, 45, 35)]
    angles = [script("cheeks").typology_angle(painted(script, cheek=c), LANDMARKS) for c in colours]
    assert angles == sorted(angles, reverse=True)
    assert angles[-1] < -30


def test_shape_every_person_counts_once(script: Callable[[str], ModuleType]) -> None:
    rows = [{"person": name} for name in "aabbc"]
    kept = script("grouping").once(rows, np.array([False, True, True, True, False]))
    assert kept.tolist() == [False, True, True, False, False]


def test_shape_labels_are_of_held_out_people(script: Callable[[str], ModuleType]) -> None:
    lines = [line for line in script("grouping").LOOKS.read_text().splitlines() if not line.startswith("#")]
    labels = list(csv.DictReader(lines))
    people = [re.sub(r"_\d+\.jpg$", "", row["file"]) for row in labels]
    assert set(people) <= script("held_out").people()
    assert len(set(people)) == len(labels) > 200
    assert {row["glasses"] for row in labels} == {"yes", "no", "dark"}
    assert {row["looks"] for row in labels} == {"adult", "child", "elderly"}


def test_shape_a_group_that_is_worse_is_bold(script: Callable[[str], ModuleType]) -> None:
    groups, measure = script("groups"), script("scores").Measure("x", aim=script("scores").MORE)
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.5, 0.1, 40), rng.normal(0.8, 0.1, 40), [np.nan]])
    first = np.arange(81) < 40
    assert groups.cell(measure, values, first, ~first).startswith("**0.")
    assert groups.cell(measure, values, ~first, first).startswith("0.")
    assert groups.cell(measure, values, np.arange(81) >= 78, first) == "too few"


def test_shape_no_failure_at_all_is_no_proof(script: Callable[[str], ModuleType]) -> None:
    groups, measure = script("groups"), script("scores").Measure("x", aim=script("scores").LESS)
    missed = np.array([0.0] * 25 + [1.0] * 6 + [0.0] * 60)
    few = np.arange(91) < 25
    assert groups.cell(measure, missed, ~few, few) == script("scores").mean_of(missed[~few]).text()
