"""IMAGE tensors to photos and back, as the nodes do it."""

from __future__ import annotations

import numpy as np
import pytest
import torch


@pytest.fixture
def pictures(part):
    return part("nodes.pictures")


def composite(part, photo, mask: torch.Tensor):
    """An edit that turns everything white, with a given mask."""
    made = part("emogan_core.compose").Composite
    white = part("emogan_core.images").Photo(np.full_like(photo.pixels, 255))
    return made(white, mask.numpy(), torch.zeros(1, 3, 4, 4), {})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("channels", [3, 4])
def test_invariance_numbers_outside_the_mask_are_the_same_bits(
    part, pictures, rng: torch.Generator, dtype: torch.dtype, channels: int
) -> None:
    image = torch.rand(1, 6, 8, channels, generator=rng).to(dtype)
    before = image.clone()
    mask = torch.zeros(6, 8)
    mask[:3] = 1e-6
    edited = pictures.with_edit(image[0], composite(part, pictures.photos_of(image)[0], mask))
    assert edited.dtype == dtype
    assert torch.equal(edited[3:], before[0, 3:])
    assert torch.equal(edited[..., 3:], before[0, ..., 3:])
    assert (edited[:3, :, :3] == 1).all()
    assert torch.equal(image, before)


def test_invariance_eight_bit_pictures_pass_unchanged(part, pictures) -> None:
    values = torch.arange(256).repeat(3).view(1, 16, 16, 3)
    photo = pictures.photos_of(values.float() / 255)[0]
    assert np.array_equal(photo.pixels, values[0].numpy())
    assert torch.equal(pictures.image_of_photo(photo), values.float() / 255)


def test_invariance_inference_tensors_are_welcome(pictures) -> None:
    with torch.inference_mode():
        image = torch.rand(2, 5, 7, 4)
    assert [photo.pixels.shape for photo in pictures.photos_of(image)] == [(5, 7, 3)] * 2


def test_shape_images_and_previews(pictures, rng: torch.Generator) -> None:
    drawn = 4 * torch.rand(6, 3, 16, 16, generator=rng) - 2
    image = pictures.image_of(drawn)
    assert image.shape == (6, 16, 16, 3)
    assert (image.min(), image.max()) == (0, 1)
    assert pictures.enlarged(drawn, 40).shape == (6, 3, 40, 40)
    assert pictures.side_by_side(drawn, drawn, side=32).size == (64, 4 * 32)


@pytest.mark.parametrize("shape", [(4, 4, 3), (0, 4, 4, 3), (1, 4, 4, 1), (1, 4, 4, 5)])
def test_error_another_shape(part, pictures, shape: tuple[int, ...]) -> None:
    with pytest.raises(part("emogan_core.errors").ShapeError, match="connect an IMAGE"):
        pictures.photos_of(torch.zeros(shape))


def test_error_nan(part, pictures) -> None:
    with pytest.raises(part("emogan_core.errors").ShapeError, match="NaN"):
        list(pictures.photos_of(torch.full((1, 4, 4, 3), torch.nan)))


def test_error_more_pixels_than_a_photo_may_have(part, pictures) -> None:
    huge = torch.zeros(1, 1, 1, 1).expand(1, 11_000, 10_000, 3)
    with pytest.raises(part("emogan_core.errors").PhotoError, match="10000 x 11000 px came, 110 megapixels"):
        pictures.photos_of(huge)


def test_shape_previews_show_the_faces_at_one_size(part, pictures, rng: torch.Generator) -> None:
    crop = part("emogan_core.faces").Crop
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    crops = [
        crop(quad=side * square + at, landmarks=np.zeros((5, 2)), frame="tight") for side, at in ((20, 5), (10, 60))
    ]
    image = torch.rand(2, 80, 120, 3, generator=rng)
    shown = pictures.around_faces(list(image), crops)
    assert shown.shape == (2, 32, 32, 3)
    assert torch.allclose(shown[0], image[0, :32, :32], atol=1e-5)
    assert (shown.min() >= 0, shown.max() <= 1) == (True, True)


def test_invariance_a_mark_knows_the_face_and_nothing_else(part, pictures) -> None:
    crop = part("emogan_core.faces").Crop
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    at = crop(quad=20 * square + 5.5, landmarks=np.zeros((5, 2)), frame="tight")
    photo = pictures.photos_of(torch.zeros(1, 40, 40, 3))[0]
    mark = pictures.mark_of(photo, at)
    assert mark == pictures.mark_of(pictures.photos_of(torch.zeros(1, 40, 40, 4))[0], at)
    for row, same in ((2, True), (4, True), (5, False), (25, False), (26, True)):
        image = torch.zeros(1, 40, 40, 3)
        image[0, row, 10] = 1
        assert (pictures.mark_of(pictures.photos_of(image)[0], at) == mark) is same
