"""A report as pictures: one for each axis, all of one size, or one below the other."""

from __future__ import annotations

import textwrap

import numpy as np
from PIL import Image, ImageDraw

from ..images import Photo
from ..sheets import font, shortened, text_width
from .canvas import FAINT, GRID, INK, PAPER, WARNING, as_picture, one_line
from .charts import WIDTH
from .figures import figures_of
from .gather import AxesReport, AxisReport
from .strips import CREDIT, INTENSITIES, Strip
from .words import LEGEND

_MARGIN, _TILE, _GAP = 24, 120, 4
_LABELS = 92
_LINE, _SMALL, _BODY, _LARGE = 20, 12, 14, 24
_HEAD, _NAME_PX = 64, 420
_IN_A_ROW = 5
_WIDTH = 2 * _MARGIN + _IN_A_ROW * WIDTH
_WORDS_AT = _MARGIN + _LABELS + len(INTENSITIES) * (_TILE + _GAP) + 24
_COLUMNS = 60


def report_pictures(report: AxesReport) -> tuple[Photo, ...]:
    """One picture for each axis, all of one size: strips, what there is to know in words, and charts."""
    pages = [_page(one, report) for one in report.axes]
    height = max(page.height for page in pages)
    return tuple(Photo(np.array(_on_paper(page, height))) for page in pages)


def report_picture(report: AxesReport) -> Photo:
    """The pictures of all axes, one below the other."""
    pages = [_page(one, report) for one in report.axes]
    sheet = Image.new("RGB", (_WIDTH, sum(page.height for page in pages)), PAPER)
    top = 0
    for page in pages:
        sheet.paste(page, (0, top))
        top += page.height
    return Photo(np.array(sheet))


def _on_paper(page: Image.Image, height: int) -> Image.Image:
    sheet = Image.new("RGB", (page.width, height), PAPER)
    sheet.paste(page, (0, 0))
    return sheet


def _page(one: AxisReport, report: AxesReport) -> Image.Image:
    strips, lines = (*one.drawn, *one.moved), _lines(one, report)
    charts = [Image.fromarray(as_picture(chart).pixels) for chart in figures_of(one)]
    rows = [charts[start : start + _IN_A_ROW] for start in range(0, len(charts), _IN_A_ROW)]
    upper = max(_SMALL + 8 + len(strips) * (_TILE + _GAP), len(lines) * _LINE)
    tall = [max(chart.height for chart in row) for row in rows]
    page = Image.new("RGB", (_WIDTH, _HEAD + _MARGIN + upper + sum(tall) + 2 * _MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    pen.line([(_MARGIN, 8), (_WIDTH - _MARGIN, 8)], fill=GRID, width=1)
    name = shortened(one_line(one.axis.name), _LARGE, _NAME_PX)
    pen.text((_MARGIN, 18), name, fill=INK, font=font(_LARGE))
    beside = _MARGIN + text_width(name, _LARGE) + 16
    pen.text((beside, 27), shortened(one.meaning, _BODY, _WIDTH - beside - _MARGIN), fill=FAINT, font=font(_BODY))
    _put_strips(page, pen, strips)
    left = _WORDS_AT if strips else _MARGIN
    for number, (line, colour) in enumerate(lines):
        pen.text((left, _HEAD + _SMALL + number * _LINE), line, fill=colour, font=font(_BODY))
    top = _HEAD + _MARGIN + upper
    for row, height in zip(rows, tall, strict=True):
        for column, chart in enumerate(row):
            page.paste(chart, (_MARGIN + column * WIDTH, top))
        top += height
    return page


def _put_strips(page: Image.Image, pen: ImageDraw.ImageDraw, strips: tuple[Strip, ...]) -> None:
    if not strips:
        return
    for column, intensity in enumerate(INTENSITIES):
        text = f"{intensity:+.0f}" if intensity else "0"
        middle = _MARGIN + _LABELS + column * (_TILE + _GAP) + _TILE // 2
        pen.text((middle - text_width(text, _SMALL) // 2, _HEAD), text, fill=FAINT, font=font(_SMALL))
    for row, strip in enumerate(strips):
        top = _HEAD + _SMALL + 8 + row * (_TILE + _GAP)
        pen.text((_MARGIN, top + _TILE // 2 - 8), strip.name, fill=FAINT, font=font(_SMALL))
        for column, picture in enumerate(strip.pictures):
            small = Image.fromarray(picture.pixels).resize((_TILE, _TILE), Image.Resampling.LANCZOS)
            page.paste(small, (_MARGIN + _LABELS + column * (_TILE + _GAP), top))


def _lines(one: AxisReport, report: AxesReport) -> list[tuple[str, str]]:
    """What is told in words beside the strips, in lines of their width, with their colours."""
    told = [(one.counts, INK), *((f"- {warning}", WARNING) for warning in one.warnings)]
    told += [(f"- {remark}", INK) for remark in one.remarks]
    told += [(f"- {note}", INK) for note in report.notes]
    if one.drawn or one.moved:
        told.append((LEGEND[0], FAINT))
    if one.moved:
        told.append((CREDIT, FAINT))
    return [
        (line, colour)
        for text, colour in told
        for line in [*textwrap.wrap(text, _COLUMNS, subsequent_indent="  " if text.startswith("- ") else ""), ""]
    ]
