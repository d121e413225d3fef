"""A contact sheet shows every picture, in its place, and nothing runs out of the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny_faces import tiny_face, tiny_photo

from emogan_core.errors import ShapeError
from emogan_core.expressions import reading_of
from emogan_core.faces import Face
from emogan_core.images import Photo
from emogan_core.sheets import contact_sheet, numbered_faces, reading_sheet


def plain(colour: tuple[int, int, int], height: int = 20, width: int = 20) -> Photo:
    return Photo(np.full((height, width, 3), colour, np.uint8))


RED, GREEN, BLUE = (200, 10, 10), (10, 200, 10), (10, 10, 200)


def covered(sheet: Photo, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((sheet.pixels == np.array(colour)).all(axis=2))


def test_shape_every_picture_in_its_place() -> None:
    sheet = contact_sheet(
        [[plain(RED), plain(GREEN)], [None, plain(BLUE)]],
        title="Expressions",
        subtitle="a subtitle",
        column_labels=["0.0", "+1.0"],
        row_labels=["happiness", "anger"],
        tile_px=100,
    )
    red, green, blue = (covered(sheet, colour) for colour in (RED, GREEN, BLUE))
    for found in (red, green, blue):
        assert 9_700 < len(found) <= 10_000  # all of a tile except its rounded corners
    assert red[:, 1].max() < green[:, 1].min()
    assert green[:, 0].max() < blue[:, 0].min()
    assert (green[:, 1].min(), green[:, 1].max()) == (blue[:, 1].min(), blue[:, 1].max())


def test_shape_a_wide_picture_is_shown_whole() -> None:
    sheet = contact_sheet([[plain(RED, 10, 40)]], title="t", tile_px=80)
    red = covered(sheet, RED)
    assert np.ptp(red[:, 1]) + 1 == 80
    assert np.ptp(red[:, 0]) + 1 == 20


def test_shape_transparent_parts_are_not_shown() -> None:
    photo = Photo(plain(RED).pixels, np.zeros((20, 20), np.uint8))
    assert len(covered(contact_sheet([[photo]], title="t"), RED)) == 0


def test_shape_long_words_stay_on_the_page() -> None:
    long = "a very long name of an expression that nobody would ever give to anything at all"
    sheet = contact_sheet([[plain(RED)]], title=long, column_labels=[long], row_labels=[long], tile_px=60)
    paper = sheet.pixels[2, 2]
    assert (sheet.pixels[:, -4:] == paper).all()
    assert (sheet.pixels[-4:] == paper).all()


def test_error_nothing_to_show_or_labels_missing() -> None:
    with pytest.raises(ShapeError, match="without pictures"):
        contact_sheet([], title="t")
    with pytest.raises(ShapeError, match="give one label for each"):
        contact_sheet([[plain(RED)]], title="t", row_labels=["a", "b"])


def test_shape_a_reading_is_one_picture_of_face_and_bars() -> None:
    _, fit = tiny_face({"mouthSmile": 0.8})
    sheet = reading_sheet(tiny_photo(), fit, reading_of(fit))
    assert sheet.pixels.shape == (512, 852, 3)
    plain = reading_sheet(tiny_photo(), replace(fit, coefficients=0 * fit.coefficients), reading_of(fit))
    assert np.array_equal(sheet.pixels, plain.pixels)  # what is drawn is the reading, and where the landmarks lie
    still = reading_sheet(tiny_photo(), fit, reading_of(replace(fit, coefficients=0 * fit.coefficients)))
    assert np.array_equal(sheet.pixels[:, :512], still.pixels[:, :512])
    assert not np.array_equal(sheet.pixels, still.pixels)


def face_at(left: float, top: float, side: float, *, yaw_deg: float = 0.0) -> Face:
    points = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]])
    box = (left, top, left + side, top + side)
    return Face(box=box, landmarks=points * side + [left, top], score=1.0, yaw_deg=yaw_deg)


def test_shape_each_face_has_a_frame_and_a_number_of_its_own() -> None:
    photo = plain((120, 120, 120), 300, 500)
    one, two = face_at(40, 90, 140), face_at(300, 90, 140)
    shown = numbered_faces(photo, [one, two]).pixels
    assert shown.shape == photo.pixels.shape
    assert np.array_equal(shown[110:225, 60:175], photo.pixels[110:225, 60:175])  # nothing lies on the face itself
    left, right = shown[40:250, 20:200], shown[40:250, 280:460]
    assert not np.array_equal(left, right)  # 0 and 1
    assert np.array_equal(left[80:], right[80:])  # in frames alike
    again = numbered_faces(photo, [two, one]).pixels
    assert np.array_equal(again[40:250, 280:460], left)
    assert np.array_equal(numbered_faces(photo, []).pixels, photo.pixels)


def test_shape_faces_that_cannot_be_edited_are_grey() -> None:
    def colours(face: Face) -> set[tuple[int, ...]]:
        shown = Image.fromarray(numbered_faces(plain((120, 120, 120), 300, 500), [face]).pixels)
        return {colour for count, colour in shown.getcolors(2**16) if count > 300}

    assert any(max(colour) - min(colour) > 60 for colour in colours(face_at(40, 90, 140)))
    for face in (face_at(40, 90, 140, yaw_deg=50), face_at(40, 90, 40)):
        assert all(max(colour) - min(colour) < 20 for colour in colours(face))


def test_shape_a_number_stays_on_the_photo() -> None:
    shown = numbered_faces(plain((120, 120, 120), 300, 500), [face_at(-30, -40, 200)]).pixels
    assert (shown[:20, :20] != 120).any()
