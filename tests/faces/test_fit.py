"""What an edit did is read again: a shipped face edited by one shape, its landmarks found anew, the face model fitted."""

from __future__ import annotations

import numpy as np
import pytest

from emogan_core.compose.move import move_face
from emogan_core.face_model import FaceFit, load_face_model, sides_of
from emogan_core.faces import choose_face, fit_to_photo
from emogan_core.images import Photo, open_photo
from emogan_core.weights import builtin_path

MODEL = load_face_model()


@pytest.fixture(scope="module")
def seen() -> tuple[Photo, FaceFit]:
    photo = open_photo(builtin_path("examples/composite_f_multi.jpg"))
    return photo, fit_to_photo(photo, choose_face(photo))


def test_golden_a_calm_face_reads_as_neutral(seen: tuple[Photo, FaceFit]) -> None:
    shapes = [not name.startswith("eyeLook") for name in MODEL.names]
    assert seen[1].coefficients[shapes].max() < 0.2


@pytest.mark.parametrize(("name", "least"), [("jawOpen", 0.45), ("browInnerUp", 0.2), ("mouthSmile", 0.5)])
def test_golden_what_an_edit_did_is_read_again(seen: tuple[Photo, FaceFit], name: str, least: float) -> None:
    photo, before = seen
    own = [MODEL.index(side) for side in sides_of(name, MODEL.names)]
    after = before.coefficients.copy()
    after[own] = 1.0
    edited = Photo(move_face(photo, MODEL, before, after)[0])
    change = fit_to_photo(edited, choose_face(edited)).coefficients - before.coefficients
    assert change[own].min() > least
    assert np.delete(change, own).max() < 0.25
