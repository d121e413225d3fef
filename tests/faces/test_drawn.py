"""Faces in pictures that are a generator's frame from edge to edge."""

from __future__ import annotations

import numpy as np
import pytest

from emogan_core.errors import FaceError
from emogan_core.faces import choose_face, crop_of, cut, drawn, drawn_face, place_drawn
from emogan_core.images import Photo, open_photo, photo_from_tensor
from emogan_core.weights import builtin_path


@pytest.fixture(scope="module")
def picture() -> Photo:
    """A face cut as a generator draws it."""
    photo = open_photo(builtin_path("examples/composite_f_multi.jpg"))
    return photo_from_tensor(cut(photo, crop_of(choose_face(photo), "tight"), 256))


def test_shape_the_crop_is_the_whole_picture(picture: Photo) -> None:
    crop, fit = place_drawn(picture, "tight")
    assert crop.quad.tolist() == [[0, 0], [256, 0], [256, 256], [0, 256]]
    assert np.array_equal(crop.landmarks, drawn_face(picture).landmarks)
    assert fit is not None
    assert np.abs(fit.landmarks.mean(0) - 128).max() < 30
    assert drawn_face(picture).score > 0.9


def test_error_what_is_no_face_has_no_fit(picture: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise FaceError("no face")

    monkeypatch.setattr(drawn, "fit_to_photo", refuse)
    crop, fit = place_drawn(picture, "tight")
    assert fit is None
    assert crop.side_px == 256
