from __future__ import annotations

import numpy as np
import pytest
from tiny_faces import SCALE, coefficients_of, tiny_face

from emogan_core.compose.jaws import (
    GUMS,
    LOWER_CM,
    LOWER_SHOWS_CM,
    LOWERED_CM,
    NONE,
    ROW_CM,
    TEETH,
    TONGUE,
    UPPER_SHOWS_CM,
    _biting_edges,
    hanging,
    hanging_in,
    jaws_of,
    placed_jaws,
)
from emogan_core.face_model import load_face_model
from emogan_core.face_model.model import PARTS


def widths(which: int) -> list[float]:
    """cm across of the teeth of one jaw, from the middle on, measured along the arch."""
    model = load_face_model()
    jaws, count = jaws_of(model), len(model.neutral)
    found = []
    for number in range(1, 5):
        tooth = (jaws.order[:count] == number) & (jaws.height[:count] < 0.5) & (jaws.lower[:count] == which)
        x, _, z = jaws.vertices[:count][tooth & (jaws.vertices[:count, 0] > 0)].T
        angle = np.arctan2(x, z - 5)
        found.append(float(np.ptp(angle) * np.hypot(x, z - 5).max()))
    return found


def test_golden_lower_front_teeth_are_narrower_than_upper_ones() -> None:
    upper, lower = widths(0), widths(1)
    assert 0.75 < upper[0] < 1.0
    assert lower[0] < 0.8 * upper[0]
    assert lower[0] < lower[2]


def test_golden_a_tongue_lies_behind_the_lower_teeth_and_the_models_own_is_gone() -> None:
    model = load_face_model()
    jaws = jaws_of(model)
    tongue = np.unique(jaws.triangles[jaws.part == TONGUE])
    front = (jaws.order == 1) & (jaws.lower == 1)
    assert tongue.min() >= len(model.neutral)
    assert jaws.vertices[tongue, 2].max() < jaws.vertices[front, 2].max() - 0.5
    left = np.unique(jaws.triangles[jaws.part != TONGUE])
    x, _, z = jaws.vertices[left][jaws.lower[left] == 1].T
    assert not ((np.abs(x) < 0.5) & (z > 5) & (z < 8.5)).any()
    assert np.isin(PARTS.index("teeth"), jaws.part)


def test_invariance_jaws_are_the_same_on_both_sides() -> None:
    jaws = jaws_of(load_face_model())
    shown = np.unique(jaws.triangles[jaws.part == TEETH])
    x, y, z = jaws.vertices[shown].T
    for which in (0, 1):
        side = jaws.lower[shown] == which
        for values in (y, z, np.abs(x)):
            assert values[side & (x > 0)].mean() == pytest.approx(values[side & (x < 0)].mean(), abs=0.01)


def test_golden_biting_edges_hang_from_the_line_between_the_lips() -> None:
    model, fit = tiny_face()
    before = fit.vertices(model)
    line = before[model.landmark_vertex[13], :2] + (0.0, 0.3 * SCALE)  # a mouth lower than the model's
    placed = placed_jaws(model, before, hanging(model, before, line, SCALE), SCALE)
    for edge, shows in zip(_biting_edges(model), (UPPER_SHOWS_CM, LOWER_SHOWS_CM), strict=True):
        assert (placed[edge, 1].mean() - line[1]) / SCALE == pytest.approx(shows, abs=0.02)


def test_golden_the_lower_jaw_and_its_tongue_go_with_jaw_open_and_upper_teeth_stay() -> None:
    model, fit = tiny_face()
    jaws = jaws_of(model)
    shut, wide = (
        placed_jaws(model, fit.vertices(model, coefficients_of(model, {"jawOpen": level})), (0.0, 0.0), SCALE)
        for level in (0.0, 1.0)
    )
    drop = (wide - shut)[:, 1] / SCALE
    upper, lower = (drop[(jaws.lower == which) & (jaws.order == 1)] for which in (0, 1))
    assert np.abs(upper).max() < 0.05
    assert lower.min() > 2.5
    tongue = wide[len(model.neutral) :, 1]
    teeth = [wide[edge, 1].mean() for edge in _biting_edges(model)]
    assert teeth[0] + 0.25 * (teeth[1] - teeth[0]) < tongue.min() < teeth[1]  # below the throat, above the lower teeth


@pytest.mark.parametrize("shown", [0.1, 0.25, 0.6])
def test_golden_tips_of_upper_teeth_hang_lower_until_they_are_a_row_and_lower_teeth_with_them(shown: float) -> None:
    model, fit = tiny_face()
    after = fit.vertices(model, coefficients_of(model, {"jawOpen": 0.2}))
    upper, lower = (placed_jaws(model, after, (0.0, 0.0), SCALE)[edge, :2].mean(0) for edge in _biting_edges(model))
    lips = upper[1] - shown * SCALE, lower[1] + 0.5 * SCALE
    hole = np.column_stack([np.full(500, upper[0]), np.linspace(*lips, 500)])
    hang = hanging_in(model, after, (0.0, 0.0), hole, SCALE)
    by = min(max(ROW_CM - shown, 0), LOWERED_CM)
    assert hang[0] / SCALE == pytest.approx(by, abs=0.01)
    assert hang[1] / SCALE == pytest.approx(min(0.5 - LOWER_CM, by), abs=0.01)
    assert hanging_in(model, after, (1.0, 2.0), hole[:0], SCALE) == (1.0, 2.0)


def test_golden_gums_rise_from_the_biting_edge_of_their_tooth_and_the_tongue_from_none() -> None:
    jaws = jaws_of(load_face_model())
    teeth = jaws.height < NONE
    assert np.array_equal(jaws.rise[teeth], jaws.height[teeth])
    shown = np.unique(jaws.triangles[jaws.part == GUMS])
    assert 0.3 < jaws.rise[shown][jaws.order[shown] <= 4].min() < 0.6  # they reach down between the teeth
    assert (jaws.rise[np.unique(jaws.triangles[jaws.part == TONGUE])] == NONE).all()
