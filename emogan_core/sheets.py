"""Contact sheets, what a face reads as, and which number it has: pictures with labels, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .errors import ShapeError
from .expressions.reading import SEEN, Reading
from .face_model import FaceFit
from .face_model.contours import BROWS, EYES, INNER_LIPS, JAW, NOSE, OUTER_LIPS
from .faces import Face, obstacle_of
from .images import Photo
from .wording import counted

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont
Colour = tuple[int, int, int]

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
_CONTOURS = (
    *((*ring, ring[0]) for ring in (OUTER_LIPS, INNER_LIPS, *EYES)),
    *(upper for upper, _ in BROWS),
    NOSE,
    JAW,
)
_IRISES = ((468, 473), (473, 478))
_SMALLEST_NUMBER, _LARGEST_NUMBER, _OF_FACE = 1 / 32, 1 / 14, 0.22
"""The height of a face's number: this much of the face, and between these of the photo's long side, so that it can be read
on a small preview."""


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
            f"{len(row_labels)} row and {counted(len(column_labels), 'column label')} came for {len(rows)} x {columns} pictures; "
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


def numbered_faces(photo: Photo, faces: Sequence[Face]) -> Photo:
    """A photo with a frame and a number on each face, from 0 on: the numbers by which a face is chosen.

    Convention: faces as `find_faces` gives them; those that cannot be edited are grey.
    """
    image = Image.fromarray(photo.eight_bit.pixels)
    pen = ImageDraw.Draw(image)
    long = max(image.size)
    for number, face in reversed(list(enumerate(faces))):  # the largest last, on top
        ink = _MARK if obstacle_of(face) is None else _BAR
        height = max(8, round(min(max(_OF_FACE * face.size_px, long * _SMALLEST_NUMBER), long * _LARGEST_NUMBER)))
        box = tuple(round(side) for side in face.box)
        _draw_frame(pen, box, ink, width=max(2, min(height // 8, (box[2] - box[0]) // 16)))
        _draw_number(pen, f"{number}", box, ink, height)
    return Photo(np.array(image))


def _draw_frame(pen: ImageDraw.ImageDraw, box: Sequence[int], ink: Colour, *, width: int) -> None:
    """A rounded square, dark around the ink so that it shows on every photo."""
    left, top, right, bottom = box
    radius, rim = (right - left) // 12, max(1, width // 3)
    outer = (left - rim, top - rim, right + rim, bottom + rim)
    pen.rounded_rectangle(outer, radius=radius + rim, outline=_TEXT, width=width + 2 * rim)
    pen.rounded_rectangle((left, top, right, bottom), radius=radius, outline=ink, width=width)


def _draw_number(pen: ImageDraw.ImageDraw, text: str, box: Sequence[int], ink: Colour, height: int) -> None:
    """A plate with a number on the upper left corner of a box, above it where the box is small; always on the picture."""
    letters, pad = font(height), height // 4
    left, top, right, bottom = (round(side) for side in pen.textbbox((0, 0), text, font=letters))
    wide, tall = right - left + 2 * pad, bottom - top + 2 * pad
    above = tall if 3 * tall > box[3] - box[1] else tall // 2
    x, y = max(0, box[0] - pad), max(0, box[1] - above)
    pen.rounded_rectangle((x, y, x + wide, y + tall), radius=pad, fill=ink, outline=_TEXT, width=max(1, height // 16))
    pen.text((x + pad - left, y + pad - top), text, fill=_TEXT, font=letters)


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
