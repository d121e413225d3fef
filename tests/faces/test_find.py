"""Finding: on a public-domain portrait that comes with scikit-image, on made scenes, and on the photos beside the checkout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from emogan_core.errors import FaceError
from emogan_core.faces import Face, choose_face, crop_of, cut, face_under, find, find_faces, frame_quad
from emogan_core.images import Photo, open_photo
from emogan_core.weights import builtin_path

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "photos"
PORTRAIT = skimage.data.astronaut()  # NASA, public domain
POINTS = np.array([[203.7, 101.2], [247.0, 103.7], [225.8, 126.7], [204.2, 140.5], [243.0, 141.7]])  # read off by eye
EYE_DISTANCE = 43.4


def portrait(width=512, turn_deg=0):
    image = Image.fromarray(PORTRAIT)
    if turn_deg:
        image = image.rotate(turn_deg, expand=True, resample=Image.Resampling.BICUBIC)
    return Photo(pixels=np.array(image.resize((width, width * image.height // image.width), Image.Resampling.LANCZOS)))


def made_face(yaw_deg=0.0, grown=3.0):
    upright = np.array([[40.0, 50.0], [80.0, 50.0], [60.0, 70.0], [45.0, 95.0], [75.0, 95.0]])
    return Face(box=(0, 0, 100, 100), landmarks=upright * grown, score=1.0, yaw_deg=yaw_deg)


def test_golden_points_of_a_portrait():
    (face,) = find_faces(portrait())
    miss = np.linalg.norm(face.landmarks - POINTS, axis=1) / EYE_DISTANCE
    assert miss[:2].max() < 0.05
    assert miss.max() < 0.13
    assert face.score > 0.95
    assert abs(face.yaw_deg) < 8
    assert face.roll_deg == pytest.approx(3.2, abs=2.5)
    x0, y0, x1, y1 = face.box
    assert x0 < face.landmarks[:, 0].min() < face.landmarks[:, 0].max() < x1
    assert y0 < face.landmarks[:, 1].min() < face.landmarks[:, 1].max() < y1


@pytest.mark.parametrize("width", [200, 1100])
def test_invariance_size_of_the_photo(width):
    (face,) = find_faces(portrait(width))
    np.testing.assert_allclose(face.landmarks * 512 / width, POINTS, atol=0.13 * EYE_DISTANCE)


@pytest.mark.slow
@pytest.mark.parametrize(("quarter_turns", "roll"), [(1, -87), (2, -177)])
def test_invariance_photo_held_sideways(quarter_turns, roll):
    (face,) = find_faces(Photo(pixels=np.ascontiguousarray(np.rot90(PORTRAIT, quarter_turns))))
    assert face.roll_deg == pytest.approx(roll, abs=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "clockwise"), [("f_multi", 120), ("m_african", 135), ("f_multi", 180), ("f_multi", 210)]
)
def test_invariance_points_follow_a_photo_turned_by_any_angle(name, clockwise):
    """Between quarter turns a face was not found; upside down it was taken for a smaller one."""
    image = Image.open(builtin_path(f"examples/composite_{name}.jpg")).convert("RGB")
    image = image.resize((360, 360 * image.height // image.width), Image.Resampling.LANCZOS)
    turned = image.rotate(-clockwise, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=image.getpixel((2, 2)))
    (upright,), (found,) = (find_faces(Photo(pixels=np.asarray(one))) for one in (image, turned))
    angle = np.radians(clockwise)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = (upright.landmarks - np.array(image.size) / 2) @ turn.T + np.array(turned.size) / 2
    eye_distance = np.linalg.norm(upright.landmarks[1] - upright.landmarks[0])
    np.testing.assert_allclose(found.landmarks, expected, atol=0.03 * eye_distance)


def test_invariance_frame_follows_a_tilted_photo():
    upright = find_faces(portrait())[0]
    tilted = find_faces(portrait(width=600, turn_deg=15))[0]  # 600 px show what was 627 px wide
    assert tilted.roll_deg - upright.roll_deg == pytest.approx(-15, abs=3)
    assert tilted.size_px * 627 / 600 == pytest.approx(upright.size_px, rel=0.06)


def test_invariance_mirrored_photo_mirrors_the_face():
    plain = find_faces(portrait())[0]
    mirrored = find_faces(Photo(pixels=np.ascontiguousarray(PORTRAIT[:, ::-1])))[0]
    back = mirrored.landmarks[[1, 0, 2, 4, 3]] * [-1, 1] + [512, 0]
    np.testing.assert_allclose(back, plain.landmarks, atol=0.06 * EYE_DISTANCE)


def test_invariance_repeats_exactly_and_ignores_the_host_mode():
    first = find_faces(portrait())[0]
    with torch.inference_mode():
        again = find_faces(portrait())[0]
    np.testing.assert_array_equal(first.landmarks, again.landmarks)
    assert (first.score, first.yaw_deg) == (again.score, again.yaw_deg)


def test_shape_several_faces_come_largest_first():
    scene = np.full((700, 1500, 3), 120, dtype=np.uint8)
    for left, width in ((10, 400), (420, 600), (1025, 470)):
        scene[40 : 40 + width, left : left + width] = portrait(width).pixels
    faces = find_faces(Photo(pixels=scene))
    assert [400 < face.box[0] < 1000 for face in faces] == [True, False, False]
    assert [round(face.size_px / faces[0].size_px * 6) for face in faces] == [6, 5, 4]
    assert choose_face(Photo(pixels=scene), 1).box == faces[1].box
    with pytest.raises(FaceError, match=r"face 3 was asked for, but 3 faces were found; use 0 \(the largest\) to 2"):
        choose_face(Photo(pixels=scene), 3)


def test_shape_small_face_beside_a_large_one_in_a_large_photo():
    scene = np.full((1400, 2400, 3), 120, dtype=np.uint8)
    scene[:1200, :1200] = portrait(1200).pixels
    scene[100:500, 1900:2300] = portrait(400).pixels  # this face is 83 px of 2400
    assert [round(face.size_px / 83) for face in find_faces(Photo(pixels=scene))] == [3, 1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flat", "noise", "two pixels", pytest.param("coffee", marks=pytest.mark.slow)])
def test_error_no_face(kind):
    rng = np.random.default_rng(0)
    pixels = {
        "flat": np.full((300, 400, 3), 127, dtype=np.uint8),
        "noise": rng.integers(0, 256, (300, 400, 3), dtype=np.uint8),
        "two pixels": np.zeros((1, 2, 3), dtype=np.uint8),
        "coffee": skimage.data.coffee(),
    }[kind]
    photo = Photo(pixels=pixels)
    assert find_faces(photo) == ()
    with pytest.raises(FaceError, match=f"no face was found in this photo of {pixels.shape[1]} x {pixels.shape[0]} px"):
        choose_face(photo)


def test_shape_one_colour_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emogan_core.faces.find._windows", lambda *_, **__: pytest.fail("it was searched"))
    assert find_faces(Photo(np.full((256, 256, 3), (90, 120, 60), dtype=np.uint8))) == ()


def test_error_small_face_says_its_size():
    with pytest.raises(FaceError, match=r"face 0 is 4\d px wide, too small; give a larger photo"):
        choose_face(portrait(200))


@pytest.mark.parametrize("yaw", [-50.0, 41.0])
def test_error_profile(monkeypatch, yaw):
    monkeypatch.setattr(find, "find_faces", lambda photo: (made_face(yaw),))
    with pytest.raises(FaceError, match=f"face 0 is turned {abs(yaw):.0f} degrees to the side"):
        choose_face(portrait())


@pytest.mark.parametrize("index", [1, -1])
def test_error_index_of_a_lone_face(monkeypatch, index):
    monkeypatch.setattr(find, "find_faces", lambda photo: (made_face(),))
    with pytest.raises(FaceError, match=f"face {index} was asked for, but 1 face was found; use 0$"):
        choose_face(portrait(), index)


def test_invariance_crop_is_where_the_face_stands_upright():
    photo = portrait(turn_deg=20)
    crop = crop_of(choose_face(photo), "tight")
    (face,) = find.refine(
        Photo(pixels=as_bytes(cut(photo, crop, 256))), [np.array([[0, 0], [256, 0], [256, 256], [0, 256]])]
    )
    np.testing.assert_allclose(frame_quad(face.landmarks, "tight"), [[0, 0], [256, 0], [256, 256], [0, 256]], atol=16)


def as_bytes(image):
    return ((image[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photos are not beside this checkout")
def test_golden_every_neutral_photo_has_one_face():
    paths = sorted(PHOTOS.glob("*_neutral.jpg"))
    assert len(paths) == 10
    for path in paths:
        photo = open_photo(path)
        (face,) = find_faces(photo)
        assert 440 < face.size_px < 640, path.name
        assert 0.3 < face.landmarks[:, 1].mean() / photo.pixels.shape[0] < 0.6, path.name
        assert max(abs(face.yaw_deg), abs(face.roll_deg)) < 10, path.name
        assert choose_face(photo).score == face.score


def test_shape_result_is_frozen():
    with pytest.raises(AttributeError):
        made_face().score = 0.0
    assert replace(made_face(), score=0.5).score == 0.5


def test_shape_a_mask_means_the_face_it_covers() -> None:
    photo = portrait()
    (face,) = find_faces(photo)
    mask = np.zeros(photo.pixels.shape[:2])
    with pytest.raises(FaceError, match="the mask lies on no face, 1 face was found"):
        face_under(photo, mask)
    left, top, right, bottom = (round(side) for side in face.box)
    mask[top : (top + bottom) // 2, left:right] = 1.0
    assert np.array_equal(face_under(photo, mask).landmarks, face.landmarks)


def test_shape_how_far_a_face_is_transparent():
    """Between eyes and mouth; what is cut out around a face does not count."""
    face = made_face(grown=1.0)
    pixels, alpha = np.zeros((120, 120, 3), np.uint8), np.zeros((120, 120), np.uint8)
    assert find.clear_share(Photo(pixels), face.landmarks) == 0
    assert find.clear_share(Photo(pixels, alpha), face.landmarks) == 1
    alpha[50:96, 40:81] = 255
    assert find.clear_share(Photo(pixels, alpha), face.landmarks) == 0
    alpha[:, :60] = 0
    assert find.clear_share(Photo(pixels, alpha), face.landmarks) == pytest.approx(0.5, abs=0.02)


def test_error_no_face_in_a_transparent_photo():
    clear = Photo(np.zeros((100, 100, 3), np.uint8), np.full((100, 100), 51, np.uint8))
    with pytest.raises(FaceError, match="100 x 100 px, 80% of which is transparent"):
        choose_face(clear)
