"""Contact sheets: pictures in rows and columns with labels, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .errors import ShapeError
from .images import Photo

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

_BACKGROUND = (247, 246, 243)
_TEXT = (38, 38, 42)
_FAINT_TEXT = (118, 116, 112)
_EMPTY = (234, 232, 227)
_MARGIN = 28
_GAP = 8
_CORNER = 6


def contact_sheet(
    rows: Sequence[Sequence[Photo | None]],
    *,
    title: str,
    subtitle: str = "",
    column_labels: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    tile_px: int = 160,
) -> Photo:
    """One picture that shows many: a title, labels above the columns and left of the rows, square tiles.

    Convention: rows may differ in length; None leaves a place empty. A picture that is not square is fitted in whole.
    Raises: ShapeError when there is nothing to show, or labels and rows differ in number.
    """
    columns = max((len(row) for row in rows), default=0)
    if columns == 0:
        raise ShapeError("a contact sheet came without pictures; give at least one row with one picture")
    if (row_labels and len(row_labels) != len(rows)) or (column_labels and len(column_labels) != columns):
        raise ShapeError(
            f"{len(row_labels)} row and {len(column_labels)} column labels came for {len(rows)} x {columns} pictures; "
            "give one label for each, or none"
        )
    small = max(11, tile_px // 11)
    large = max(15, tile_px // 7)
    label_width = max((_width(label, small) for label in row_labels), default=0)
    left = _MARGIN + (min(label_width, 2 * tile_px) + 2 * _GAP if row_labels else 0)
    heading = _MARGIN + _line(large) + (_line(small) if subtitle else 0) + _GAP
    top = heading + (_line(small) + _GAP if column_labels else _GAP)
    pitch = tile_px + _GAP
    width = max(left + columns * pitch - _GAP, _MARGIN + _width(title, large), _MARGIN + _width(subtitle, small))
    sheet = Image.new("RGB", (width + _MARGIN, top + len(rows) * pitch - _GAP + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - _GAP), title, fill=_TEXT, font=_font(large))
    draw.text((_MARGIN, _MARGIN - _GAP + _line(large)), subtitle, fill=_FAINT_TEXT, font=_font(small))
    for column, label in enumerate(column_labels):
        text = _shortened(label, small, tile_px)
        middle = left + column * pitch + tile_px // 2
        draw.text((middle - _width(text, small) // 2, heading), text, fill=_FAINT_TEXT, font=_font(small))
    for index, row in enumerate(rows):
        y = top + index * pitch
        if row_labels:
            text = _shortened(row_labels[index], small, 2 * tile_px)
            draw.text((_MARGIN, y + tile_px // 2 - _line(small) // 2), text, fill=_TEXT, font=_font(small))
        for column, photo in enumerate(row):
            tile = _tile(photo, tile_px)
            sheet.paste(tile, (left + column * pitch, y), _rounded(tile_px))
    return Photo(np.array(sheet))


def _tile(photo: Photo | None, side: int) -> Image.Image:
    """The picture fitted into a square; small ones are enlarged smoothly, transparency shows the background."""
    tile = Image.new("RGB", (side, side), _EMPTY)
    if photo is None:
        return tile
    photo = photo.eight_bit
    image = Image.fromarray(photo.pixels)
    if photo.alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, _EMPTY), Image.fromarray(photo.alpha))
    ratio = side / max(image.size)
    size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    image = image.resize(size, Image.Resampling.BICUBIC if ratio > 1 else Image.Resampling.LANCZOS)
    tile.paste(image, ((side - size[0]) // 2, (side - size[1]) // 2))
    return tile


@lru_cache(maxsize=4)
def _rounded(side: int) -> Image.Image:
    """A mask with slightly rounded corners, drawn large and made small for smooth edges."""
    mask = Image.new("L", (4 * side, 4 * side), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * side - 1, 4 * side - 1), radius=4 * _CORNER, fill=255)
    return mask.resize((side, side), Image.Resampling.LANCZOS)


@lru_cache(maxsize=8)
def _font(size: int) -> Font:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size only
        return ImageFont.load_default()


def _line(size: int) -> int:
    return round(1.5 * size)


def _width(text: str, size: int) -> int:
    return int(_font(size).getlength(text)) + 1


def _shortened(text: str, size: int, width: int) -> str:
    """The text, or as much of its start as fits with three dots."""
    if _width(text, size) <= width:
        return text
    while text and _width(text + "...", size) > width:
        text = text[:-1]
    return text + "..."
