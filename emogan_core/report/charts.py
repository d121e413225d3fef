"""The charts of a report: ROC, calibration, bars for what else changes, and the step's length by row of W+."""

from __future__ import annotations

from collections.abc import Sequence

from ..glm import Validation
from .canvas import FAINT, GRID, INK, OTHER, OWN, PALE, Box, Dot, Drawing, Stroke, Words
from .measure import LITTLE_SD, Bar

WIDTH, HEIGHT = 238, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 40, 42
_NAMES, _PITCH, _FIGURE = 92, 14, 22
_LEAST_REACH = 1.5


def roc_chart(told: Validation, *, auc: str) -> Drawing:
    """The share of faces found against the share called by mistake."""
    title, along, up = "How well it is told apart", "share of other faces taken for it", "share of its faces found"
    drawing = _framed(title, auc, along, up)
    line = _Square(0.0, 1.0)
    drawing.add(Stroke((line.at(0, 0), line.at(1, 1)), FAINT, 0.7))
    drawing.add(Words(*line.at(0.62, 0.5), "guessing", 10))
    points = tuple(line.at(x, y) for x, y in zip(told.false_rate, told.true_rate, strict=True))
    drawing.add(Stroke(points, OWN, 2.2))
    _ticks(drawing, line)
    return drawing


def calibration_chart(told: Validation) -> Drawing:
    """What groups of faces were told to show against what their labels say."""
    is_probability = told.unit == "probability"
    unit = "probability" if is_probability else "label"
    drawing = _framed(
        "Can its numbers be trusted?", "good: dots near the line", f"{unit} it tells", "what the labels say"
    )
    values = [*told.told, *told.found]
    low, high = (0.0, 1.0) if is_probability else (min(values), max(values))
    line = _Square(low, high if high > low else low + 1.0)
    drawing.add(Stroke((line.at(line.low, line.low), line.at(line.high, line.high)), FAINT, 0.7))
    drawing.add(Stroke(tuple(line.at(x, y) for x, y in zip(told.told, told.found, strict=True)), OWN, 1.2))
    drawing.add(*(Dot(*line.at(x, y), 3.2) for x, y in zip(told.told, told.found, strict=True)))
    _ticks(drawing, line)
    return drawing


def bar_chart(bars: Sequence[Bar], *, title: str, unit: str) -> Drawing:
    """A bar to the left or right of 0 for each thing that changes; what is meant to is green, a pale band is little."""
    drawing = Drawing(WIDTH, max(HEIGHT, _TOP + len(bars) * _PITCH + _BOTTOM), title)
    drawing.add(Words(8, 16, title, 13, INK), Words(8, 31, unit, 10))
    reach = max(_LEAST_REACH, *(abs(bar.value) for bar in bars))
    middle, half = (_NAMES + WIDTH - _RIGHT) / 2, (WIDTH - _RIGHT - _NAMES) / 2 - _FIGURE
    bottom = _TOP + len(bars) * _PITCH
    little = half * LITTLE_SD / reach
    drawing.add(Box(middle - little, _TOP, middle + little, bottom, PALE))
    for row, bar in enumerate(bars):
        y, end = _TOP + row * _PITCH, middle + half * bar.value / reach
        drawing.add(Words(_NAMES - 6, y + 10, _cut(bar.name, 16), 10, INK if bar.is_own else FAINT, "end"))
        drawing.add(Box(min(middle, end), y + 2, max(middle, end), y + _PITCH - 3, OWN if bar.is_own else OTHER))
        beyond, anchor = (end + 3, "start") if bar.value >= 0 else (end - 3, "end")
        drawing.add(Words(beyond, y + 10, f"{round(bar.value, 1) + 0.0:+.1f}", 9, FAINT, anchor))
    drawing.add(Stroke(((middle, _TOP - 2), (middle, bottom + 2)), INK, 0.8))
    return drawing


def layer_chart(lengths: Sequence[float]) -> Drawing:
    """The length of the step in each row of W+, coarse rows on the left."""
    title = "Where in the generator it acts"
    drawing = Drawing(WIDTH, HEIGHT, title)
    alike = max(lengths) - min(lengths) < 1e-3 * max(lengths)
    told = "alike in all rows: fitted on their mean" if alike else "length of the step by row of W+"
    drawing.add(Words(8, 16, title, 13, INK), Words(8, 31, told, 10))
    bottom, most = HEIGHT - _BOTTOM, max(*lengths, 1e-12)
    pitch = (WIDTH - _LEFT - _RIGHT) / len(lengths)
    for row, length in enumerate(lengths):
        x = _LEFT + row * pitch
        drawing.add(Box(x + 1, bottom - (bottom - _TOP - 8) * length / most, x + pitch - 1, bottom, OWN))
        if len(lengths) <= 8 or row % 2 == 0:
            drawing.add(Words(x + pitch / 2, bottom + 12, str(row), 9, FAINT, "middle"))
    drawing.add(Stroke(((_LEFT, bottom), (WIDTH - _RIGHT, bottom)), INK, 0.8))
    drawing.add(
        Words(_LEFT - 4, _TOP + 12, f"{most:.2g}", 10, FAINT, "end"), Words(_LEFT - 4, bottom, "0", 10, FAINT, "end")
    )
    drawing.add(Words(_LEFT, HEIGHT - 12, "coarse: shape", 10))
    drawing.add(Words(WIDTH - _RIGHT, HEIGHT - 12, "fine: colour", 10, FAINT, "end"))
    return drawing


class _Square:
    """The plane of a chart whose axes both go from `low` to `high`."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies on the sheet."""
        across, up = ((value - self.low) / (self.high - self.low) for value in (x, y))
        return (_LEFT + across * (WIDTH - _LEFT - _RIGHT), HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM))


def _framed(title: str, subtitle: str, along: str, up: str) -> Drawing:
    drawing = Drawing(WIDTH, HEIGHT, title)
    line = _Square(0.0, 1.0)
    for share in (0.0, 0.5, 1.0):
        drawing.add(Stroke((line.at(share, 0), line.at(share, 1)), GRID, 0.8))
        drawing.add(Stroke((line.at(0, share), line.at(1, share)), GRID, 0.8))
    drawing.add(Words(8, 16, title, 13, INK), Words(8, 31, subtitle, 10))
    middle = line.at(0.5, 0.5)
    drawing.add(Words(middle[0], HEIGHT - 10, along, 10, FAINT, "middle"))
    drawing.add(Words(14, middle[1], up, 10, FAINT, "middle", turned=True))
    return drawing


def _ticks(drawing: Drawing, line: _Square) -> None:
    for value in (line.low, (line.low + line.high) / 2, line.high):
        x, y = line.at(value, value)
        text = f"{value:.2g}"
        drawing.add(
            Words(x, HEIGHT - _BOTTOM + 13, text, 9, FAINT, "middle"), Words(_LEFT - 4, y + 3, text, 9, FAINT, "end")
        )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 2] + ".."
