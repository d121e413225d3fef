"""Faces in a generator's frame: cut from photos, whole pictures, and found again where they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emogan_core.errors import FaceError
from emogan_core.faces import choose_face, crop_of, cut, cut_faces, seen_again, whole_crop
from emogan_core.images import Photo, open_photo
from emogan_core.weights import builtin_path

PHOTOS = [open_photo(builtin_path(f"examples/composite_{name}.jpg")) for name in ("f_multi", "m_african")]
EMPTY = Photo(np.zeros((200, 200, 3), np.uint8))


def test_golden_faces_are_those_that_are_found_one_by_one() -> None:
    steps = []
    found = cut_faces(PHOTOS, frame="ffhq", resolution=32, progress=lambda report: steps.append(report.step))
    for row, photo in enumerate(PHOTOS):
        crop = crop_of(choose_face(photo), "ffhq")
        np.testing.assert_array_equal(found.crops[row].quad, crop.quad)
        torch.testing.assert_close(found.images[row : row + 1], cut(photo, crop, 32))
        assert found.fits[row].landmarks.shape == (478, 2)
    assert steps == [1, 2]


@pytest.mark.slow
def test_error_says_which_photo() -> None:
    with pytest.raises(FaceError, match=r"^image 2 of 2: no face"):
        cut_faces([PHOTOS[0], EMPTY], frame="tight", resolution=32)
    with pytest.raises(FaceError, match=r"^no face"):
        cut_faces([EMPTY], frame="tight", resolution=32)


def test_golden_a_face_is_seen_again_without_a_search() -> None:
    face = choose_face(PHOTOS[0])
    again = seen_again(PHOTOS[0], crop_of(face, "tight"))
    assert np.abs(again.landmarks - face.landmarks).max() < 0.02 * face.size_px
    gone = Photo(np.full_like(PHOTOS[0].pixels, 90))
    with pytest.raises(FaceError, match="no face any more"):
        seen_again(gone, crop_of(face, "tight"))


def test_golden_a_whole_picture_is_cut_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    image = cut(Photo(pixels), whole_crop(Photo(pixels), "tight"), 32)
    np.testing.assert_allclose((image[0].permute(1, 2, 0).numpy() + 1) * 127.5, pixels, atol=1e-3)
