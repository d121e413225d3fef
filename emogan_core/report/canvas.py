"""Small drawings made of lines, boxes, dots and words: written as SVG for pages, or drawn as pixels for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from PIL import Image, ImageDraw

from ..images import Photo
from ..sheets import font

Point = tuple[float, float]

INK, FAINT, GRID = "#26262a", "#76746f", "#d9d6cf"
OWN, OTHER, PALE, PAPER, WARNING = "#2f8f66", "#b08a3e", "#ece9e2", "#f7f6f3", "#a3401f"
_FINER = 3  # pictures are drawn so many times as large and made smaller, for smooth edges


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[Point, ...]
    colour: str = INK
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; left <= right and top <= bottom."""

    left: float
    top: float
    right: float
    bottom: float
    colour: str = OTHER


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str = OWN


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `anchor` says which end lies at x, `turned` writes it upwards."""

    x: float
    y: float
    text: str
    size: int = 11
    colour: str = FAINT
    anchor: str = "start"
    turned: bool = False


Mark = Stroke | Box | Dot | Words


@dataclass(slots=True)
class Drawing:
    """Marks on a sheet of `width` x `height` px; y points down and is the base line of words."""

    width: int
    height: int
    about: str
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        """Put marks on top."""
        self.marks.extend(marks)


def one_line(text: str, *, most: int = 80) -> str:
    """A text from a file as one short line: what cannot be printed, line ends included, becomes a space."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:most])


def as_svg(drawing: Drawing) -> str:
    """The drawing as an SVG element for an HTML page; every text in it is escaped."""
    inside = "".join(_svg(mark) for mark in drawing.marks)
    size = f'width="{drawing.width}" height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}"'
    return f'<svg {size} role="img" aria-label="{escape(drawing.about)}">{inside}</svg>'


def as_picture(drawing: Drawing) -> Photo:
    """The drawing as pixels."""
    sheet = Image.new("RGB", (drawing.width * _FINER, drawing.height * _FINER), PAPER)
    pen = ImageDraw.Draw(sheet)
    for mark in drawing.marks:
        _draw(sheet, pen, mark)
    small = sheet.resize((drawing.width, drawing.height), Image.Resampling.LANCZOS)
    return Photo(np.array(small))


def _svg(mark: Mark) -> str:
    if isinstance(mark, Stroke):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
        return f'<polyline points="{path}" fill="none" stroke="{mark.colour}" stroke-width="{mark.width:g}"/>'
    if isinstance(mark, Box):
        size = f'width="{mark.right - mark.left:.1f}" height="{mark.bottom - mark.top:.1f}"'
        return f'<rect x="{mark.left:.1f}" y="{mark.top:.1f}" {size} fill="{mark.colour}"/>'
    if isinstance(mark, Dot):
        return f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{mark.radius:.1f}" fill="{mark.colour}"/>'
    turn = f' transform="rotate(-90 {mark.x:.1f} {mark.y:.1f})"' if mark.turned else ""
    style = f'font-size="{mark.size}" fill="{mark.colour}" text-anchor="{mark.anchor}"'
    return f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" {style}{turn}>{escape(one_line(mark.text))}</text>'


def _draw(sheet: Image.Image, pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    if isinstance(mark, Stroke):
        pen.line(_larger(mark.points), fill=mark.colour, width=max(1, round(mark.width * _FINER)), joint="curve")
    elif isinstance(mark, Box):
        pen.rectangle(_larger([(mark.left, mark.top), (mark.right, mark.bottom)]), fill=mark.colour)
    elif isinstance(mark, Dot):
        corners = [(mark.x - mark.radius, mark.y - mark.radius), (mark.x + mark.radius, mark.y + mark.radius)]
        pen.ellipse(_larger(corners), fill=mark.colour)
    elif mark.turned:
        _draw_upwards(sheet, mark)
    else:
        letters, text = font(mark.size * _FINER), one_line(mark.text)
        ((x, y),) = _larger([(mark.x, mark.y)])
        pen.text((x - _before(mark, letters.getlength(text)), y), text, fill=mark.colour, font=letters, anchor="ls")


def _draw_upwards(sheet: Image.Image, mark: Words) -> None:
    letters, text = font(mark.size * _FINER), one_line(mark.text)
    long, high = int(letters.getlength(text)) + 2, 2 * mark.size * _FINER
    line = Image.new("L", (long, high), 0)
    ImageDraw.Draw(line).text((0, mark.size * _FINER), text, fill=255, font=letters, anchor="ls")
    line = line.transpose(Image.Transpose.ROTATE_90)
    ((x, y),) = _larger([(mark.x, mark.y)])
    place = (round(x - mark.size * _FINER), round(y + _before(mark, long) - long))
    sheet.paste(Image.new("RGB", line.size, mark.colour), place, line)


def _before(mark: Words, length: float) -> float:
    """How much of a text of this length lies before its place."""
    return {"start": 0.0, "middle": length / 2, "end": length}[mark.anchor]


def _larger(points: Sequence[Point]) -> list[Point]:
    return [(x * _FINER, y * _FINER) for x, y in points]
