"""Contact sheets and what a face reads as: pictures with labels, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .errors import ShapeError
from .expressions.reading import SEEN, Reading
from .face_model import FaceFit
from .images import Photo

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

_BACKGROUND = (247, 246, 243)
_TEXT = (38, 38, 42)
_FAINT_TEXT = (118, 116, 112)
_EMPTY = (234, 232, 227)
_MARGIN = 28
_GAP = 8
_CORNER = 6
_MARK = (86, 204, 152)
_BAR = (190, 186, 178)
_READ_PX, _PANEL_PX, _READ_SHAPES = 512, 340, 12
_READ_MARGIN = 0.35  # around the landmarks, in their own extent
_CONTOURS = (  # of MediaPipe's points: lips outside and inside, brows, eyes, nose, jaw
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78),
    (70, 63, 105, 66, 107),
    (336, 296, 334, 293, 300),
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 33),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249, 263),
    (168, 6, 197, 195, 5, 4, 1),
    (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356),
)
_IRISES = ((468, 473), (473, 478))


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
    label_width = max((text_width(label, small) for label in row_labels), default=0)
    left = _MARGIN + (min(label_width, 2 * tile_px) + 2 * _GAP if row_labels else 0)
    heading = _MARGIN + _line(large) + (_line(small) if subtitle else 0) + _GAP
    top = heading + (_line(small) + _GAP if column_labels else _GAP)
    pitch = tile_px + _GAP
    width = max(
        left + columns * pitch - _GAP, _MARGIN + text_width(title, large), _MARGIN + text_width(subtitle, small)
    )
    sheet = Image.new("RGB", (width + _MARGIN, top + len(rows) * pitch - _GAP + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - _GAP), title, fill=_TEXT, font=font(large))
    draw.text((_MARGIN, _MARGIN - _GAP + _line(large)), subtitle, fill=_FAINT_TEXT, font=font(small))
    for column, label in enumerate(column_labels):
        text = shortened(label, small, tile_px)
        middle = left + column * pitch + tile_px // 2
        draw.text((middle - text_width(text, small) // 2, heading), text, fill=_FAINT_TEXT, font=font(small))
    for index, row in enumerate(rows):
        y = top + index * pitch
        if row_labels:
            text = shortened(row_labels[index], small, 2 * tile_px)
            draw.text((_MARGIN, y + tile_px // 2 - _line(small) // 2), text, fill=_TEXT, font=font(small))
        for column, photo in enumerate(row):
            tile = _tile(photo, tile_px)
            sheet.paste(tile, (left + column * pitch, y), _rounded(tile_px))
    return Photo(np.array(sheet))


def reading_sheet(photo: Photo, fit: FaceFit, reading: Reading) -> Photo:
    """A face with the lines of its landmarks, and beside it bars for what it reads as; always of one size."""
    low, high = fit.landmarks.min(0), fit.landmarks.max(0)
    side = (1 + _READ_MARGIN) * float((high - low).max())
    corner = (low + high) / 2 - side / 2
    ratio = _READ_PX / side
    seen = Image.fromarray(photo.pixels).transform(
        (_READ_PX, _READ_PX),
        Image.Transform.AFFINE,
        (1 / ratio, 0, float(corner[0]), 0, 1 / ratio, float(corner[1])),
        resample=Image.Resampling.BICUBIC,
        fillcolor=_EMPTY,
    )
    pen = ImageDraw.Draw(seen)
    points = (fit.landmarks - corner) * ratio
    for contour in _CONTOURS:
        pen.line([(float(x), float(y)) for x, y in points[list(contour)]], fill=_MARK, width=2, joint="curve")
    for start, end in _IRISES:
        (x, y), radius = points[start], float(np.linalg.norm(points[start + 1 : end] - points[start], axis=1).mean())
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_MARK, width=2)
    sheet = Image.new("RGB", (_READ_PX + _PANEL_PX, _READ_PX), _BACKGROUND)
    sheet.paste(seen, (0, 0))
    _draw_bars(ImageDraw.Draw(sheet), reading)
    return Photo(np.array(sheet))


def _draw_bars(pen: ImageDraw.ImageDraw, reading: Reading) -> None:
    """How probable each named expression is, then the strongest shapes."""
    shapes = sorted(reading.coefficients.items(), key=lambda item: -item[1])[:_READ_SHAPES]
    rows = [(name, value, f"{value:.0%}") for name, value in reading.probabilities.items()]
    rows += [(name, value, f"{value:.2f}") for name, value in shapes if value >= SEEN]
    pitch, left, middle = 23, _READ_PX + _GAP * 2, _READ_PX + 150
    for row, (name, value, told) in enumerate(rows):
        y = _GAP + row * pitch + (_GAP if row >= len(reading.probabilities) else 0)
        pen.text((left, y), shortened(name, 14, middle - left - _GAP), fill=_TEXT, font=font(14))
        length = round(max(0.0, min(1.0, value)) * (_PANEL_PX - 150 - 60))
        pen.rectangle((middle, y + 3, middle + length, y + 15), fill=_MARK if name == reading.expression else _BAR)
        pen.text((middle + length + _GAP, y), told, fill=_FAINT_TEXT, font=font(14))


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
def font(size: int) -> Font:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size only
        return ImageFont.load_default()


def _line(size: int) -> int:
    return round(1.5 * size)


def text_width(text: str, size: int) -> int:
    return int(font(size).getlength(text)) + 1


def shortened(text: str, size: int, width: int) -> str:
    """The text, or as much of its start as fits with three dots."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text + "..."
