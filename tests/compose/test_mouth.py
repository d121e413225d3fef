from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from skimage.draw import polygon
from tiny_faces import SCALE, SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.frames import COLUMNS, Edges, frame_between
from emogan_core.compose.motion import Patch, opening_patch
from emogan_core.compose.mouth import _without_gaps, corners_eased, inside
from emogan_core.compose.move import move_face
from emogan_core.compose.open_mouth import seen_inside, shows_nothing
from emogan_core.compose.openings import MOUTH, Fitted, Moved, aligned, fitted, sides
from emogan_core.compose.scene import scene_of
from emogan_core.compose.tones import Toning, tones_of
from emogan_core.face_model import FaceFit, FaceModel
from emogan_core.face_model.mesh import Grid
from emogan_core.images import Photo

LARGE = 30.0  # px per cm, as in the photos of people
VIVID = Toning(np.full((1, 4), 128.0), 1.0)
TONES = tones_of(np.array([200.0, 170, 160]), np.array([200.0, 170, 160]), np.array([185.0, 180, 178]), VIVID)


@cache
def mesh_and_patch(shapes: str) -> tuple[FaceModel, np.ndarray, Patch]:
    """A mouth opened by shapes on a large photo: the model, its projected mesh after, and the patch."""
    model, fit = tiny_face()
    pose = replace(fit.pose, scale=LARGE, translation=fit.pose.translation * LARGE / SCALE)
    after = replace(fit, pose=pose).vertices(model, coefficients_of(model, dict.fromkeys(shapes.split(), 1.0)))
    middle = fit.landmarks[13] * LARGE / SCALE
    grid = Grid(*np.floor(middle - 4 * LARGE), int(8 * LARGE), int(8 * LARGE))
    skin, below = model.triangles[model.triangle_part <= 1], sides(model, MOUTH)[0]
    return model, after, opening_patch(after, after[:, :2], below, skin, grid, scale=LARGE)


@cache
def opened(shapes: str) -> tuple[Patch, np.ndarray, np.ndarray]:
    """The same: its patch, what is drawn inside, and the rows and columns of its hole."""
    model, after, patch = mesh_and_patch(shapes)
    return patch, inside(model, after, patch, TONES, LARGE, 2), np.argwhere(patch.skin < 0.02)


def test_golden_teeth_show_between_parted_lips() -> None:
    patch, drawn, hole = opened("mouthUpperUp mouthLowerDown")
    assert len(hole) > 20
    assert drawn[patch.skin < 0.2].max() > 0.7 * TONES.teeth.max()
    assert (drawn.max((0, 1)) <= TONES.teeth).all()


def test_golden_teeth_are_darker_towards_the_corners_and_below_the_upper_lip() -> None:
    _, drawn, hole = opened("mouthUpperUp mouthLowerDown")
    light = drawn.mean(-1)
    columns = hole[:, 1]
    left, right = columns.min(), columns.max()
    share = (columns - left) / (right - left)
    front, side, corner = (
        float(np.quantile(light[hole[near, 0], hole[near, 1]], 0.8))
        for near in (np.abs(share - 0.5) < 0.1, np.abs(np.abs(share - 0.5) - 0.3) < 0.05, np.abs(share - 0.5) > 0.44)
    )
    assert side < 0.93 * front
    assert corner < 0.8 * side
    tooth = hole[:, 1] == left + round(0.42 * (right - left))
    column = light[hole[tooth, 0], hole[tooth, 1]]
    assert column[: round(0.1 * LARGE)].mean() < 0.85 * column.max()


def test_golden_single_teeth_are_told_apart_by_soft_lines() -> None:
    _, drawn, hole = opened("mouthUpperUp mouthLowerDown")
    row = round(float(hole[:, 0].mean()) - 0.1 * LARGE)
    columns = hole[hole[:, 0] == row][:, 1]
    front = drawn[row, columns[len(columns) // 4] : columns[-len(columns) // 4]].mean(-1)
    level = front / ndimage.maximum_filter1d(front, round(0.9 * LARGE))
    lines = level < 0.9
    count = int((np.diff(lines.astype(int)) > 0).sum())
    assert 2 <= count <= 6
    assert lines.mean() < 0.35
    assert level.min() > 0.35  # no black slits


@pytest.mark.parametrize(
    ("shapes", "hang_cm", "seen"),
    [("mouthUpperUp", 0.3, False), ("mouthUpperUp", 0.6, False), ("mouthUpperUp noseSneer", 0.6, True)],
)
def test_golden_gums_show_only_where_more_than_a_crown_is_uncovered(shapes: str, hang_cm: float, seen: bool) -> None:
    model, after, patch = mesh_and_patch(shapes)
    drawn, green = (
        inside(model, after, patch, tones, LARGE, 2, hang=(hang_cm * LARGE, 0.0))
        for tones in (TONES, replace(TONES, gums=np.array([0.0, 220.0, 0.0])))
    )
    reddest = float(np.abs(green - drawn)[patch.skin < 0.02].max())
    assert (reddest > 60) is seen
    assert seen or reddest < 20  # of the dark's lining


def test_golden_the_tongue_comes_softly_out_of_the_dark() -> None:
    _, drawn, hole = opened("jawOpen")
    middle = round(float(hole[:, 1].mean()))
    rows = hole[hole[:, 1] == middle][:, 0]
    line = drawn[rows, middle].mean(-1)
    back = line[len(line) // 4 : -len(line) // 4]
    assert np.abs(np.diff(back)).max() < 0.045 * line[-len(line) // 3 :].max()


def test_golden_a_tongue_is_a_broad_mound_and_the_throat_behind_it_is_dark() -> None:
    _, drawn, hole = opened("jawOpen")
    middle = round(float(hole[:, 1].mean()))
    rows = hole[hole[:, 1] == middle][:, 0]
    line = drawn[rows, middle].mean(-1)
    flesh = line > 0.35 * line[len(line) // 2 :].max()
    tall = int(flesh[len(line) // 3 :].sum())
    assert 0.3 < tall / len(rows) < 0.75
    assert line[len(line) // 8 : len(line) // 4].mean() < 0.3 * line[-len(line) // 5 :].mean()
    half = int(rows[-1]) - tall // 2
    across = hole[hole[:, 0] == half][:, 1]
    wide = drawn[half, across].mean(-1) > 0.5 * drawn[half, middle].mean()
    assert wide.mean() > 0.7  # at half its height it fills most of the cavity
    assert (drawn[..., 0] >= drawn[..., 2] - 1).all()


def test_invariance_a_mirrored_mouth_is_drawn_mirrored() -> None:
    _, drawn, hole = opened("jawOpen")
    columns = hole[:, 1]
    mirrored = drawn[hole[:, 0], columns.min() + columns.max() - columns]
    assert np.abs(drawn[hole[:, 0], columns] - mirrored).mean() < 3.0


def test_invariance_the_photos_own_inside_stays_where_the_mouth_was_open() -> None:
    model, fit = tiny_face({"jawOpen": 0.5})
    photo = tiny_photo()
    raw = fit.vertices(model)
    opening = fitted(model, fit, raw, tiny_face()[1].vertices(model), MOUTH, photo.pixels)
    moved = aligned(model, fit, raw, raw, (opening,))[2][0]
    grid = Grid(0.0, 0.0, SIDE, SIDE)
    kept = seen_inside(photo.pixels, grid, opening, moved, TONES, SCALE)
    column, row = fit.landmarks[[13, 14]].mean(0).astype(int)
    assert np.allclose(kept[row, column], photo.pixels[row, column], atol=1.5)


def open_mouth_in(colour: tuple[int, int, int]) -> tuple[FaceModel, FaceFit, Photo]:
    """A face with its mouth wide open, one colour inside."""
    model, fit = tiny_face({"jawOpen": 0.8})
    pixels = tiny_photo().pixels.copy()
    outline = fit.landmarks[list(MOUTH.upper + MOUTH.lower[::-1])]
    rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, pixels.shape[:2])
    pixels[rows, columns] = colour
    return model, fit, Photo(pixels)


def test_golden_nothing_new_is_drawn_in_a_mouth_that_was_wide_open() -> None:
    model, fit, photo = open_mouth_in((40, 15, 15))
    after = fit.coefficients.copy()
    after[
        [model.index(name) for name in ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight")]
    ] = 0.7
    pixels, _ = move_face(photo, model, fit, after)
    column, row = fit.landmarks[[13, 14]].mean(0).astype(int)
    line = pixels[:, column].astype(int).sum(-1)
    inside_mouth = line[row - 8 : row + 9]
    assert inside_mouth.max() < 150  # no bright line floats in the dark


def test_golden_a_narrow_dark_gap_hides_teeth_and_a_wide_one_does_not() -> None:
    for jaw, colour, nothing in ((0.0, (40, 15, 15), True), (0.8, (40, 15, 15), False), (0.8, (200, 200, 190), False)):
        model, fit, photo = open_mouth_in(colour) if jaw else (*tiny_face(), tiny_photo())
        raw = fit.vertices(model)
        opening = fitted(model, fit, raw, tiny_face()[1].vertices(model), MOUTH, photo.pixels)
        assert shows_nothing(photo.pixels, opening, TONES, SCALE) is nothing


def test_golden_closing_an_open_mouth_hides_its_inside() -> None:
    model, fit = tiny_face({"jawOpen": 0.5})
    pixels = tiny_photo().pixels.copy()
    column, row = fit.landmarks[[13, 14]].mean(0).astype(int)
    pixels[row - 2 : row + 3, column - 6 : column + 7] = (0, 255, 0)
    closed, _ = move_face(Photo(pixels), model, fit, np.zeros(len(model.names)))
    green = (closed[..., 1].astype(int) - closed[..., 0] > 100).sum()
    assert green < 0.1 * (pixels[..., 1].astype(int) - pixels[..., 0] > 100).sum()


def test_golden_a_scene_knows_closed_lips() -> None:
    model, fit = tiny_face()
    mouth = next(o for o in scene_of(tiny_photo(), model, fit).openings if o.place is MOUTH)
    assert not mouth.photo.gap.any()


def test_golden_teeth_stay_as_tall_as_they_are_when_a_smile_opens_wide() -> None:
    model, fit = tiny_face({"mouthUpperUp": 0.6, "mouthLowerDown": 0.6})
    pixels = tiny_photo().pixels.copy()
    outline = fit.landmarks[list(MOUTH.upper + MOUTH.lower[::-1])]
    rows, columns = polygon(outline[:, 1] - 0.5, outline[:, 0] - 0.5, pixels.shape[:2])
    pixels[rows, columns] = (235, 235, 225)
    after = fit.coefficients.copy()
    after[model.index("jawOpen")] = 0.9
    opened, _ = move_face(Photo(pixels), model, fit, after)
    column = int(fit.landmarks[13][0])
    tall = [(image[:, column].min(-1) > 205).sum() for image in (pixels, opened)]
    assert tall[0] > 3
    assert tall[1] <= 1.3 * tall[0] + 1


def test_golden_a_dark_line_past_corners_that_are_drawn_down_is_eased_and_nothing_else() -> None:
    zeros = np.zeros(COLUMNS)
    frames = [frame_between(np.array([60.0, y]), np.array([180.0, y])) for y in (40.0, 40.0 + 0.3 * LARGE)]
    opening = Fitted(MOUTH, frames[0], Edges(zeros, zeros), Edges(zeros, zeros), zeros)
    grid = Grid(0.0, 0.0, 240, 100)
    skin = np.full((100, 240, 3), 180.0, dtype=np.float32)
    row = round(40 + 0.3 * LARGE)
    skin[row - 1 : row + 1] = 90.0  # along the mouth and on past its corners
    still, down = (corners_eased(skin, grid, opening, Moved(one, opening.photo), LARGE) for one in frames)
    assert (still == 1).all()
    assert down.min() == 1.0
    down = down.mean(-1)
    past = [round(end + sign * 0.12 * LARGE) for end, sign in ((60, -1), (180, 1))]
    assert (down[row, past] > 1.3).all()
    assert (down[row, past] * 90 <= 180).all()
    assert np.allclose(down[row, 66:175], 1)
    assert np.allclose(down[: row - 6], 1)
    assert np.allclose(down[:, [0, -1]], 1)  # where the patch ends


def test_golden_the_dark_left_in_corners_that_close_takes_the_colour_of_the_skin_and_a_mole_beside_stays() -> None:
    zeros, gap = np.zeros(COLUMNS), np.full(COLUMNS, 20.0)
    frame = frame_between(np.array([60.0, 40.0]), np.array([180.0, 40.0]))
    opening = Fitted(MOUTH, frame, Edges(-gap / 2, gap / 2), Edges(zeros, zeros), zeros)
    grid = Grid(0.0, 0.0, 240, 80)
    skin = np.full((80, 240, 3), (180.0, 130.0, 120.0), dtype=np.float32)
    skin[39:42, 62:72] = (50.0, 10.0, 10.0)  # what is left of the dark in a corner
    skin[50:54, 62:66] = 60.0  # a mole
    stays, closes = (
        skin * corners_eased(skin, grid, opening, Moved(frame, edges), LARGE)
        for edges in (opening.photo, Edges(zeros, zeros))
    )
    assert np.array_equal(stays, skin)
    assert closes[40, 66].min() > 4 * skin[40, 66].min()
    assert closes[40, 66, 0] / closes[40, 66, 1] < 0.6 * (50 / 10)  # nor as red
    assert np.allclose(closes[48:56], skin[48:56])
    assert np.allclose(closes[:, 100:140], skin[:, 100:140])


def test_golden_narrow_gaps_between_teeth_are_lit_and_wide_ones_dark() -> None:
    teeth = np.zeros((4, 40), dtype=bool)
    teeth[:, 4:14] = teeth[:, 16:26] = teeth[:, 36:] = True  # two apart, then ten
    colours = np.where(teeth[..., None], 200.0, 20.0).astype(np.float32).repeat(3, -1)
    filled = _without_gaps(colours, teeth, 6.0)
    assert 60 < filled[2, 15, 0] < 150
    assert (filled[2, 30] == 20).all()
    assert (filled[teeth] == 200).all()


def test_golden_what_is_left_of_gaps_between_teeth_has_their_colour_and_is_darker() -> None:
    teeth = np.ones((3, 20), dtype=bool)
    teeth[:, 9:11] = False
    colours = np.where(teeth[..., None], np.array([190.0, 180.0, 170.0]), np.array([120.0, 30.0, 30.0])).astype(
        np.float32
    )
    gap = _without_gaps(colours, teeth, 6.0)[1, 9]
    assert np.allclose(gap / gap.mean(), colours[1, 0] / colours[1, 0].mean(), atol=0.01)
    assert gap.mean() < 0.85 * 180
