"""What a report says: everything there is, the same twice, and a sentence where something cannot be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from played_readings import CURVES, SLY
from tiny import make_generator

from emogan_core.errors import ExpressionError, SpaceMismatch
from emogan_core.expressions import ExpressionAxes
from emogan_core.report import report_axes, report_facts
from emogan_core.report.measure import Bar
from emogan_core.report.words import remarks_on


def test_shape_each_axis_shows_the_parts_that_it_has(report, tiny) -> None:
    happiness, sly, brow = report.axes
    assert [len(one.drawn) for one in report.axes] == [2, 2, 0]
    assert [len(one.moved) for one in report.axes] == [1, 0, 1]
    for strip in (*happiness.drawn, *happiness.moved, *brow.moved):
        middle = strip.pictures[2].pixels
        assert len(strip.pictures) == 5
        assert all(not np.array_equal(picture.pixels, middle) for picture in strip.pictures[3:])
    assert len(happiness.layers) == tiny.spec.num_ws
    assert brow.layers == ()
    assert happiness.meaning.startswith("a smile")
    assert happiness.counts == "40 faces with it, 60 without"
    assert sly.meaning == ""
    assert report.left_out == ("<i>fear</i>: 3 examples are too few",)


def test_golden_what_is_read_of_drawn_faces_is_what_changes(report, tiny, axes) -> None:
    changes = {bar.name: bar for bar in report.axes[0].changes}
    assert [name for name, bar in changes.items() if bar.is_own] == ["happiness"]
    assert changes["yaw"].value == changes["identity"].value == 0.0  # the played reader sees none
    assert changes["skin lightness"].value != 0.0
    backwards = replace(axes.axes[0], direction=-axes.axes[0].direction)
    other = report_axes(ExpressionAxes((backwards,), axes.fingerprint), tiny).axes[0]
    turned = {bar.name: bar.value for bar in other.changes}
    assert np.sign(turned["skin lightness"]) == -np.sign(changes["skin lightness"].value)


def test_golden_readouts_of_covariates_and_of_other_axes(report, axes) -> None:
    bars = {bar.name: bar.value for bar in report.axes[0].readouts}
    rise = axes.axes[0].direction.double().mean(0) @ axes.axes[1].readout.double()
    assert bars == {"yaw_deg": 0.25, SLY: pytest.approx(float(rise) / axes.axes[1].eta_per_unit, abs=0.006)}


def test_shape_warnings_say_what_to_do(report) -> None:
    text = " ".join(report.axes[0].warnings)
    assert "poorly: AUC 0.50 (0.40 to 0.50)" in text
    assert "Check the labels, or add examples" in text
    assert "Note of the fit: a <b>note</b>." in text


def test_shape_facts_are_json_and_have_the_curves(report) -> None:
    facts = json.loads(json.dumps(report_facts(report)))
    own = facts["expressions"]["happiness"]
    assert own["roc"] == {"false_rate": list(CURVES.false_rate), "true_rate": list(CURVES.true_rate)}
    assert own["calibration"]["rows"] == [30, 30]
    assert own["changes_sd"] == {bar.name: bar.value for bar in report.axes[0].changes}
    assert list(facts["expressions"]) == ["happiness", SLY, "brow"]


@pytest.mark.slow
def test_invariance_the_same_twice(report, tiny, axes, played) -> None:
    again = report_axes(axes, tiny)
    assert report_facts(again) == report_facts(report)
    strips = zip(again.axes[0].drawn + again.axes[0].moved, report.axes[0].drawn + report.axes[0].moved, strict=True)
    assert all(
        np.array_equal(a.pixels, b.pixels)
        for one, two in strips
        for a, b in zip(one.pictures, two.pictures, strict=True)
    )
    other = report_axes(axes, tiny, expressions=("happiness",), seed=7)
    assert (
        report_facts(other)["expressions"]["happiness"]["changes_sd"]
        != report_facts(report)["expressions"]["happiness"]["changes_sd"]
    )


def test_shape_without_a_generator_nothing_is_drawn_and_that_is_said(axes, played) -> None:
    told = report_axes(axes, expressions=("Happiness",))
    assert [one.axis.name for one in told.axes] == ["happiness"]
    assert told.axes[0].drawn == told.axes[0].changes == ()
    assert told.notes == ("No generator was given, so nothing is drawn and what else changes was not measured.",)


def test_shape_a_generator_of_no_faces_still_has_strips(tiny, axes, played, monkeypatch) -> None:
    monkeypatch.setattr("emogan_core.report.measure.read_picture", lambda image: None)
    told = report_axes(axes, tiny, expressions=("happiness",))
    assert len(told.axes[0].drawn) == 2
    assert told.axes[0].changes == ()
    assert "only 0 of 64 random samples show a face" in told.notes[0]


def test_error_another_generator_or_name(axes, tiny) -> None:
    with pytest.raises(SpaceMismatch, match="give the generator that they belong to"):
        report_axes(axes, make_generator(seed=3))
    with pytest.raises(ExpressionError, match="is none of these axes; there are happiness"):
        report_axes(axes, tiny, expressions=("jawOpen",))
    with pytest.raises(ExpressionError, match="'nonsense' is none"):
        report_axes(axes, tiny, expressions=("nonsense",))


def test_golden_what_is_warned_of(axes) -> None:
    """Pose and identity either way; other expressions when they rise clearly, and not along a part of them."""
    bars = [Bar("happiness", 3.0, True), Bar("yaw", -0.6), Bar("pitch", 0.4), Bar("fear", -2.0), Bar("surprise", 1.5)]
    (told,) = [one for one in remarks_on(axes.axes[0], bars)[0] if "also changes" in one]
    assert told.endswith(": surprise +1.5, yaw -0.6.")
    (told,) = [one for one in remarks_on(replace(axes.axes[0], name="jawOpen"), bars)[0] if "also changes" in one]
    assert told.endswith(": yaw -0.6.")
