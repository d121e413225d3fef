"""A report as one HTML page that needs nothing else: no script, no network, every text escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from PIL import Image

from ..images import Photo
from .canvas import FAINT, GRID, INK, PAPER, WARNING, as_svg
from .figures import figures_of
from .gather import AxesReport, AxisReport
from .strips import CREDIT, INTENSITIES, Strip
from .words import LEGEND

_QUALITY, _TILE_PX = 90, 256
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = f"""
body {{ background: {PAPER}; color: {INK}; font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1224px; padding: 0 1rem }}
h1 {{ font-size: 1.6rem; margin: 0 0 .3rem }} h2 {{ font-size: 1.25rem; margin: 0 }}
section {{ border-top: 1px solid {GRID}; margin-top: 2rem; padding-top: 1.2rem }}
.faint, figcaption, th {{ color: {FAINT}; font-weight: normal }}
.top {{ display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start }} .top > div {{ flex: 1 1 320px }}
table {{ border-collapse: separate; border-spacing: 4px }} th {{ font-size: .85rem; padding-right: .4rem; text-align: right }}
thead th {{ padding: 0; text-align: center }} td {{ padding: 0 }}
td img {{ border-radius: 6px; display: block; height: 128px; width: 128px }}
.warning {{ color: {WARNING} }}
.charts {{ display: flex; flex-wrap: wrap; gap: 4px; margin-top: .6rem }}
svg {{ font-family: system-ui, sans-serif }} li {{ margin: .25rem 0 }}
"""


def report_page(report: AxesReport) -> str:
    """The report as HTML, with pictures inside it and charts as SVG."""
    drawn = f" &middot; drawn by {escape(report.generator)}" if report.generator else ""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width"><title>Expression axes</title>'
        f"<style>{_STYLE}</style></head><body>"
    )
    told = f"generator {escape(report.fingerprint[:12])} &middot; axes {escape(report.content_fingerprint[:12])}{drawn}"
    parts = [
        head,
        f'<h1>Expression axes</h1><p class="faint">{told}</p>',
        _listed([*report.notes, *(f"Left out: {sentence}" for sentence in report.left_out)]),
        "<details><summary>How to read this</summary>" + _listed(LEGEND) + "</details>",
        *(_section(one) for one in report.axes),
        f'<section class="faint">{escape(CREDIT)}. Intensities beyond 1 go further than the examples did.</section>',
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _section(one: AxisReport) -> str:
    meaning = f'<p class="faint">{escape(one.meaning)}</p>' if one.meaning else ""
    strips = (*one.drawn, *one.moved)
    words = f"<p>{escape(one.counts)}</p>" + _listed(one.warnings, kind="warning") + _listed(one.remarks)
    charts = "".join(f"<div>{as_svg(chart)}</div>" for chart in figures_of(one))
    return (
        f"<section><h2>{escape(one.axis.name)}</h2>{meaning}"
        f'<div class="top">{_table(strips, one.axis.name)}<div>{words}</div></div>'
        f'<div class="charts">{charts}</div></section>'
    )


def _table(strips: tuple[Strip, ...], name: str) -> str:
    if not strips:
        return ""
    heads = "".join(f"<th>{intensity:+.0f}</th>" if intensity else "<th>0</th>" for intensity in INTENSITIES)
    rows = "".join(
        f"<tr><th>{escape(strip.name)}</th>"
        + "".join(
            f'<td><img alt="{escape(strip.name)}, {escape(name)} at {intensity:+.0f}" src="{_data(picture)}"></td>'
            for intensity, picture in zip(INTENSITIES, strip.pictures, strict=True)
        )
        + "</tr>"
        for strip in strips
    )
    return f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _listed(sentences: Sequence[str], *, kind: str = "plain") -> str:
    items = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f'<ul class="{kind}">{items}</ul>' if sentences else ""


def _data(picture: Photo) -> str:
    """A picture as a data URI, in a size at which faces are seen."""
    image = Image.fromarray(picture.pixels)
    if max(image.size) > _TILE_PX:
        image.thumbnail((_TILE_PX, _TILE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
