"""Cutting: exact where it can be, antialiased where it shrinks, mirrored where the photo ends."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from emogan_core.faces import Crop, Face, crop_of, cut, frame_quad, window_around

UPRIGHT = np.array([[40.0, 50.0], [80.0, 50.0], [60.0, 70.0], [45.0, 95.0], [75.0, 95.0]])


def photo_of(pixels):
    return SimpleNamespace(pixels=pixels, alpha=None)


def noise_photo(height=90, width=120):
    return photo_of(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def square_crop(x, y, side):
    quad = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], dtype=np.float64)
    return Crop(quad=quad, landmarks=UPRIGHT, frame="tight")


def as_bytes(image):
    return ((image[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)


def test_invariance_integer_square_is_copied_exactly():
    photo = noise_photo()
    np.testing.assert_array_equal(as_bytes(cut(photo, square_crop(13, 7, 64), 64)), photo.pixels[7:71, 13:77])


def test_invariance_mirrored_outside_the_photo():
    photo = noise_photo()
    padded = np.pad(photo.pixels, ((40, 40), (40, 40), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(as_bytes(cut(photo, square_crop(-30, -20, 64), 64)), padded[20:84, 10:74])


@pytest.mark.parametrize("times", [2, 5, 11])
def test_invariance_shrinking_is_the_mean_over_each_pixel(times):
    photo = noise_photo(200, 200)
    side = 16 * times
    expected = photo.pixels[3 : 3 + side, 5 : 5 + side].reshape(16, times, 16, times, 3).mean((1, 3))
    result = (cut(photo, square_crop(5, 3, side), 16)[0].permute(1, 2, 0).numpy() + 1) * 127.5
    np.testing.assert_allclose(result, expected, atol=2e-2)


def test_invariance_quarter_turn():
    photo = noise_photo()
    upright = square_crop(20, 10, 48)
    sideways = Crop(quad=np.roll(upright.quad, -1, axis=0), landmarks=UPRIGHT, frame="tight")
    np.testing.assert_array_equal(as_bytes(cut(photo, sideways, 48)), np.rot90(as_bytes(cut(photo, upright, 48))))


def test_golden_turned_crop_of_a_ramp_reads_positions():
    ys, xs = np.mgrid[0:200, 0:200] + 0.5
    photo = photo_of(np.stack([xs, ys, 0 * xs], axis=-1).astype(np.uint8))  # floor: half a level below the position
    face = Face(
        box=(0, 0, 1, 1), landmarks=UPRIGHT @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + [110, 30], score=1, yaw_deg=0
    )
    crop = crop_of(face, "tight")
    levels = (cut(photo, crop, 32)[0].numpy() + 1) * 127.5 + 0.5
    centres = np.stack(np.meshgrid(np.arange(32) + 0.5, np.arange(32) + 0.5), axis=-1)
    expected = centres @ crop.to_photo(32)[:, :2].T + crop.to_photo(32)[:, 2]
    np.testing.assert_allclose(levels[:2].transpose(1, 2, 0), expected, atol=0.02)


def test_golden_maps_between_crop_and_photo():
    crop = crop_of(Face(box=(0, 0, 1, 1), landmarks=UPRIGHT, score=1, yaw_deg=0), "ffhq")
    assert crop.side_px == pytest.approx(162)
    corners = np.array([[0, 0, 1], [64, 0, 1], [64, 64, 1], [0, 64, 1]])
    np.testing.assert_allclose(corners @ crop.to_photo(64).T, frame_quad(UPRIGHT, "ffhq"))
    homogeneous = np.concatenate([crop.quad, np.ones((4, 1))], axis=1)
    np.testing.assert_allclose(homogeneous @ crop.from_photo(64).T, corners[:, :2], atol=1e-9)


def test_shape_enlarged_and_strips_agree(monkeypatch):
    photo = noise_photo()
    crop = square_crop(10.3, 20.7, 40.5)
    enlarged = cut(photo, crop, 100)
    assert enlarged.shape == (1, 3, 100, 100)
    assert enlarged.dtype == torch.float32
    assert -1 <= float(enlarged.min()) <= float(enlarged.max()) <= 1
    whole = cut(photo, crop, 24)
    monkeypatch.setattr("emogan_core.faces.crop.STRIP_POINTS", 1)
    torch.testing.assert_close(cut(photo, crop, 24), whole, atol=1e-4, rtol=0)


def test_invariance_host_inference_mode_leaves_ordinary_tensors():
    with torch.inference_mode():
        image = cut(noise_photo(), square_crop(0, 0, 32), 16)
    assert not image.is_inference()


@pytest.mark.parametrize(("x", "y", "side"), [(10, 20, 30), (-20, -20, 40), (90, 60, 40), (0, 0, 500), (50, 40, 0.1)])
def test_invariance_windows_are_squares_inside_the_photo(x: float, y: float, side: float) -> None:
    left, top, size = window_around(square_crop(x, y, side), height=90, width=120)
    assert 0 <= left <= left + size <= 120
    assert 0 <= top <= top + size <= 90
    assert size == max(1, min(round(1.6 * side), 90))


def test_shape_windows_lie_around_the_face() -> None:
    assert window_around(square_crop(40, 30, 20), height=90, width=120) == (34, 24, 32)
