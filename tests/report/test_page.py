"""The page: well formed, self-contained, escaped, and with the figures of the JSON."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from played_readings import SLY

from emogan_core.report import report_facts, report_page


class Read(HTMLParser):
    """Tags, their attributes and texts; void elements aside, what opens must close."""

    VOID = ("meta", "img", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(report) -> str:
    return report_page(report)


@pytest.fixture(scope="module")
def read(page) -> Read:
    return Read(page)


def test_shape_what_opens_closes_and_nothing_is_fetched(read, page) -> None:
    assert read.open == []
    assert {"section", "svg", "polyline", "table", "img"} <= set(read.tags)
    assert all(value.startswith("data:image/jpeg;base64,") for name, value in read.attributes if name == "src")
    assert not {name for name, _ in read.attributes} & {"href", "onload", "onerror"}
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "default-src 'none'" in page


def test_error_names_from_files_are_text(read, page) -> None:
    assert not {"script", "i", "b"} & set(read.tags)
    assert "<script" not in page
    assert SLY in read.texts
    assert any(value.startswith("average face, <script>") for name, value in read.attributes if name == "alt")


def test_invariance_the_page_has_the_figures_of_the_json(read, report) -> None:
    text = " ".join(read.texts)
    for name, facts in report_facts(report)["expressions"].items():
        assert name in text
        for sentence in (*facts["warnings"], *facts["remarks"], facts["counts"], facts["meaning"]):
            assert sentence in text
        for bar, value in {**facts["changes_sd"], **facts["readouts"]}.items():
            assert f"{round(value, 1) + 0.0:+.1f}" in read.texts, bar
    assert "AUC 0.50 (0.40 to 0.50)" in text


def test_golden_the_curve_runs_through_its_points(page) -> None:
    lines = re.findall(r'<polyline points="([^"]+)"[^>]*stroke-width="2.2"', page)
    assert len(lines) == 1  # the other axes have no curve
    points = [tuple(map(float, point.split(","))) for point in lines[0].split()]
    (left, bottom), (x, y), (right, top) = points
    assert (x - left) / (right - left) == pytest.approx(0.2, abs=0.01)
    assert (bottom - y) / (bottom - top) == pytest.approx(0.9, abs=0.01)


def test_invariance_the_same_twice(page, report) -> None:
    assert report_page(report) == page
