"""Lips: apart when teeth or the dark show between them, and closed when lips do, whatever landmarks say."""

from __future__ import annotations

import numpy as np
import pytest

from emogan_core.compose.frames import COLUMNS, Edges, Frame, frame_between
from emogan_core.compose.lip_line import lip_line, lips_apart

SCALE = 30.0
LIP = (170, 100, 105)


def picture(between: tuple[int, int, int], *, half_px: float = 5.0) -> tuple[np.ndarray, Frame, Edges]:
    """Lips across a picture of 200 x 100 px, something between them at row 50, and edges that landmarks saw there."""
    pixels = np.full((100, 200, 3), LIP, dtype=np.uint8)
    rows = np.abs(np.arange(100) + 0.5 - 50) < half_px
    pixels[rows] = between
    frame = frame_between(np.array([20.0, 50.0]), np.array([180.0, 50.0]))
    return pixels, frame, Edges(np.full(COLUMNS, -5.0), np.full(COLUMNS, 5.0))


@pytest.mark.parametrize("between", [(225, 215, 200), (40, 20, 20), (230, 230, 230)])
def test_golden_teeth_and_the_dark_part_lips(between: tuple[int, int, int]) -> None:
    assert lips_apart(*picture(between), SCALE)


def test_golden_a_thin_dark_line_parts_no_lips() -> None:
    assert not lips_apart(*picture(LIP), SCALE)
    assert not lips_apart(*picture((60, 30, 30), half_px=1.0), SCALE)


def test_golden_far_apart_edges_are_believed() -> None:
    pixels, frame, _ = picture(LIP)
    wide = Edges(np.full(COLUMNS, -8.0), np.full(COLUMNS, 8.0))
    assert lips_apart(pixels, frame, wide, SCALE)


def test_golden_the_dark_line_is_found() -> None:
    pixels, frame, _ = picture((60, 30, 30), half_px=1.0)
    off = Edges(np.full(COLUMNS, 4.0), np.full(COLUMNS, 4.0))
    found = lip_line(pixels, frame, off, SCALE)
    assert np.abs(found.middle).max() < 1.5
    assert not found.gap.any()
