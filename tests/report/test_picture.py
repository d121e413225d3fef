"""Reports as pictures: one size for all axes, strips and charts in their places, no text that breaks them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageColor

from emogan_core.expressions import ExpressionAxes
from emogan_core.report import report_axes, report_picture, report_pictures
from emogan_core.report.canvas import OWN, Box, Dot, Drawing, Stroke, Words, as_picture, as_svg


def near(pixels: np.ndarray, colour: str) -> np.ndarray:
    return np.abs(pixels.astype(int) - ImageColor.getrgb(colour)).max(-1) < 12


def test_shape_one_picture_for_each_axis_and_all_below_each_other(report) -> None:
    pictures = report_pictures(report)
    assert len(pictures) == len(report.axes)
    assert len({picture.pixels.shape for picture in pictures}) == 1
    whole = report_picture(report)
    assert whole.pixels.shape[1] == pictures[0].pixels.shape[1]
    assert whole.pixels.shape[0] <= sum(picture.pixels.shape[0] for picture in pictures)
    assert near(pictures[0].pixels, OWN).sum() > 500  # charts
    assert not near(pictures[2].pixels, OWN).any()  # moves photos only
    assert np.array_equal(report_picture(report).pixels, whole.pixels)


@pytest.mark.parametrize(
    ("mark", "inside", "outside"),
    [
        (Box(10, 20, 30, 40, "#ff0000"), (20, 30), (5, 5)),
        (Dot(50, 50, 6, "#ff0000"), (50, 50), (58, 58)),
        (Stroke(((0, 10), (99, 10)), "#ff0000", 3), (50, 10), (50, 20)),
    ],
)
def test_golden_marks_lie_where_they_are_put(mark, inside, outside) -> None:
    drawing = Drawing(100, 80, "marks")
    drawing.add(mark)
    pixels = as_picture(drawing).pixels
    assert near(pixels, "#ff0000")[inside[1], inside[0]]
    assert not near(pixels, "#ff0000")[outside[1], outside[0]]


def test_golden_words_end_and_stand_where_they_should() -> None:
    drawing = Drawing(200, 100, "words")
    drawing.add(
        Words(150, 50, "until here", 14, "#000000", "end"), Words(20, 90, "upwards", 12, "#000000", "start", True)
    )
    rows, columns = np.nonzero(near(as_picture(drawing).pixels, "#000000"))
    upright = columns > 40
    assert 145 <= columns[upright].max() <= 151
    assert rows[upright].min() >= 38
    assert rows[upright].max() <= 54
    assert columns[~upright].max() <= 24
    assert 84 <= rows[~upright].max() <= 91
    assert np.ptp(rows[~upright]) > 3 * np.ptp(columns[~upright])


def test_error_texts_in_svg_are_escaped() -> None:
    drawing = Drawing(10, 10, '"><script>')
    drawing.add(Words(1, 1, "<b>&"))
    assert "<script>" not in as_svg(drawing)
    assert "&lt;b&gt;&amp;" in as_svg(drawing)


def test_error_names_of_several_lines_or_without_end_are_one_short_line(axes, played) -> None:
    long = replace(axes.axes[0], name="a\nb\x00" + "c" * 100_000, notes=("d" * 100_000,) * 50)
    made = report_axes(ExpressionAxes((long,), axes.fingerprint))
    assert report_picture(made).pixels.shape[0] < 4000
    drawing = Drawing(50, 20, "names")
    drawing.add(Words(1, 15, "a\nb", 9))
    assert ">a b<" in as_svg(drawing)
    as_picture(drawing)
