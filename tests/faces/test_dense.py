"""478 points: on a public-domain portrait under motions of the photo, and against MediaPipe's on the shared faces."""

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from emogan_core.errors import FaceError
from emogan_core.faces import Face, choose_face, dense_landmarks
from emogan_core.faces.dense import _net
from emogan_core.images import Photo
from emogan_core.networks.dense_landmarks import FIVE, IRISES, LID_POINTS, LIPS_POINTS

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
PORTRAIT = skimage.data.astronaut()  # NASA, public domain
FIVE_POINTS = np.array([[203.7, 101.2], [247.0, 103.7], [225.8, 126.7], [204.2, 140.5], [243.0, 141.7]])
EYE_DISTANCE = 43.4


def face_at(points):
    return Face(box=(0, 0, 1, 1), landmarks=np.asarray(points, dtype=float), score=1.0, yaw_deg=0.0)


@pytest.fixture(scope="module")
def points():
    return dense_landmarks(Photo(pixels=PORTRAIT), face_at(FIVE_POINTS))


def test_golden_points_of_a_portrait(points):
    assert points.shape == (478, 2)
    assert points.dtype == np.float64
    miss = np.linalg.norm(points[list(FIVE)] - FIVE_POINTS, axis=1) / EYE_DISTANCE
    assert miss[:2].max() < 0.05
    assert miss.max() < 0.13


def test_golden_parts_lie_where_they_belong(points):
    x, y = points.T
    assert x[234] < x[33] < x[468] < x[133] < x[362] < x[473] < x[263] < x[454]  # across the eyes
    assert y[10] < y[159] < y[468] < y[145] < y[1] < y[13] <= y[14] < y[152]  # forehead down to chin


def test_invariance_mirrored_photo(points):
    width = PORTRAIT.shape[1]
    five = FIVE_POINTS[[1, 0, 2, 4, 3]] * [-1, 1] + [width, 0]
    mirrored = dense_landmarks(Photo(pixels=np.ascontiguousarray(PORTRAIT[:, ::-1])), face_at(five))
    back = mirrored[_net()[1].mirror_order] * [-1, 1] + [width, 0]
    np.testing.assert_allclose(back, points, atol=2e-4 * EYE_DISTANCE)


def test_invariance_shifted_photo(points):
    wider = np.pad(PORTRAIT, ((7, 0), (13, 0), (0, 0)), mode="edge")
    shifted = dense_landmarks(Photo(pixels=wider), face_at(FIVE_POINTS + np.array([13, 7])))
    np.testing.assert_allclose(shifted - [13, 7], points, atol=1e-3 * EYE_DISTANCE)


@pytest.mark.parametrize("width", [300, 1400])
def test_invariance_size_of_the_photo(points, width):
    image = Image.fromarray(PORTRAIT).resize((width, width), Image.Resampling.LANCZOS)
    said = dense_landmarks(Photo(pixels=np.array(image)), face_at(FIVE_POINTS * width / 512)) * 512 / width
    assert np.linalg.norm(said - points, axis=1).mean() < 0.02 * EYE_DISTANCE


@pytest.mark.parametrize("degrees", [-20, 20])
def test_invariance_turned_photo(points, degrees):
    centre, angle = (225.0, 120.0), np.radians(degrees)
    image = Image.fromarray(PORTRAIT).rotate(degrees, resample=Image.Resampling.BICUBIC, center=centre)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    said = dense_landmarks(Photo(pixels=np.array(image)), face_at((FIVE_POINTS - centre) @ turn.T + centre))
    assert np.linalg.norm(said - ((points - centre) @ turn.T + centre), axis=1).mean() < 0.03 * EYE_DISTANCE


def test_invariance_rough_five_points(points):
    rough = FIVE_POINTS + 0.04 * EYE_DISTANCE * np.random.default_rng(0).standard_normal((5, 2))
    said = dense_landmarks(Photo(pixels=PORTRAIT), face_at(rough))
    assert np.linalg.norm(said - points, axis=1).mean() < 0.015 * EYE_DISTANCE


@pytest.mark.parametrize("spoilt", ["dark", "gray", "jpeg", "blurred"])
def test_invariance_spoilt_photo(points, spoilt):
    image = Image.fromarray(PORTRAIT)
    if spoilt == "dark":
        image = image.point(lambda value: value // 5)
    elif spoilt == "gray":
        image = image.convert("L").convert("RGB")
    elif spoilt == "blurred":
        image = image.resize((256, 256), Image.Resampling.BOX).resize((512, 512), Image.Resampling.BICUBIC)
    else:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=30)
        image = Image.open(stream)
    said = dense_landmarks(Photo(pixels=np.array(image)), face_at(FIVE_POINTS))
    assert np.linalg.norm(said - points, axis=1).mean() < 0.025 * EYE_DISTANCE


def test_invariance_under_inference_mode(points):
    with torch.inference_mode():
        np.testing.assert_array_equal(dense_landmarks(Photo(pixels=PORTRAIT), face_at(FIVE_POINTS)), points)


def test_invariance_photo_and_face_stay_unchanged():
    pixels, five = PORTRAIT.copy(), FIVE_POINTS.copy()
    dense_landmarks(Photo(pixels=pixels), face_at(five))
    np.testing.assert_array_equal(pixels, PORTRAIT)
    np.testing.assert_array_equal(five, FIVE_POINTS)


def test_shape_face_at_the_edge_of_the_photo(points):
    cropped = np.ascontiguousarray(PORTRAIT[:160, 190:])
    said = dense_landmarks(Photo(pixels=cropped), face_at(FIVE_POINTS - np.array([190, 0]))) + np.array([190, 0])
    assert np.isfinite(said).all()
    assert np.linalg.norm(said - points, axis=1).mean() < 0.05 * EYE_DISTANCE


def test_error_points_in_one_place():
    with pytest.raises(FaceError, match="lie on one point"):
        dense_landmarks(Photo(pixels=PORTRAIT), face_at(np.full((5, 2), 100.0)))


def test_error_face_outside_the_photo():
    with pytest.raises(FaceError, match="outside the photo of 512 x 512 px"):
        dense_landmarks(Photo(pixels=PORTRAIT), face_at(FIVE_POINTS + 5000))


def studio_faces(limit=8):
    """Held-out studio people with MediaPipe's points; skips without the shared faces."""
    archive = SHARED / "studio_originals.zip"
    if not archive.is_file():
        pytest.skip("the shared faces are not here")
    held_out = set((ROOT / "benchmarks" / "held_out_people.txt").read_text().splitlines())
    with np.load(SHARED / "studio_originals_landmarks.npz") as labels:
        truth = dict(zip(labels["files"].tolist(), labels["landmarks"][..., :2] / 8.0, strict=True))
    with (SHARED / "studio_faces.csv").open(newline="") as lines, zipfile.ZipFile(archive) as pictures:
        names = [row["file"] for row in csv.DictReader(lines) if row["person"] in held_out][:limit]
        for name in names:
            with Image.open(io.BytesIO(pictures.read(name))) as picture:
                yield Photo(pixels=np.array(picture.convert("RGB"))), truth[name]


@pytest.mark.slow
def test_golden_points_of_held_out_studio_people():
    order = _net()[1].mirror_order
    closer = [*LIPS_POINTS, *LID_POINTS, *order[list(LID_POINTS)]]
    misses = []
    for photo, truth in studio_faces():
        miss = np.linalg.norm(dense_landmarks(photo, choose_face(photo)) - truth, axis=1)
        misses.append(miss / np.linalg.norm(truth[IRISES[1]] - truth[IRISES[0]]))
    miss = np.stack(misses)
    assert miss.mean() < 0.025
    assert miss[:, closer].mean() < 0.022


def test_invariance_face_record_is_not_read_beyond_its_points(points):
    other = replace(face_at(FIVE_POINTS), score=0.1, yaw_deg=30.0, pitch_deg=9.0)
    np.testing.assert_array_equal(dense_landmarks(Photo(pixels=PORTRAIT), other), points)
