"""A face through a clip: the same one of two, frames without it told, and frames taken one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from emogan_core.errors import Cancelled, FaceError
from emogan_core.faces import fit_clip, same_face
from emogan_core.faces.align import Face
from emogan_core.images import Photo, open_photo
from emogan_core.progress import StepReport
from emogan_core.weights import builtin_path

SIDE = 280


def pixels(name: str, side: int = SIDE) -> np.ndarray:
    photo = open_photo(builtin_path(f"examples/{name}.jpg"))
    return np.asarray(Image.fromarray(photo.pixels).resize((side, side), Image.Resampling.BOX))


def pair(shift: int, *, left_smaller: bool) -> Photo:
    """Two people side by side, moved down by `shift`; which one is larger may change."""
    picture = np.full((SIDE + 60, 2 * SIDE, 3), 90, dtype=np.uint8)
    sides = (SIDE - 30, SIDE) if left_smaller else (SIDE, SIDE - 30)
    for at, (name, side) in enumerate(zip(("composite_f_multi", "composite_m_african"), sides, strict=True)):
        picture[shift : shift + side, at * SIDE : at * SIDE + side] = pixels(name, side)
    return Photo(picture)


@pytest.fixture(scope="module")
def clip() -> list[Photo]:
    """The left face is the larger one at first; then nobody is seen; then the right one is."""
    blank = Photo(np.full((SIDE + 60, 2 * SIDE, 3), 90, dtype=np.uint8))
    return [pair(0, left_smaller=False), pair(8, left_smaller=True), blank, pair(24, left_smaller=True)]


@pytest.mark.slow
def test_golden_the_same_face_is_followed(clip: Sequence[Photo]) -> None:
    told: list[StepReport] = []
    found = fit_clip(clip, progress=told.append)
    assert (found.count, found.rows) == (4, (0, 1, 3))
    assert all(face.box[2] < SIDE + 20 for face in found.faces)
    assert found.notes == ("frame 3 of 4: no face was found",)
    assert all(np.array_equal(fit.identity, found.fits[0].identity) for fit in found.fits)
    between = found.coefficients()
    assert between.shape[0] == 4
    assert np.allclose(between[2], (between[1] + between[3]) / 2)
    assert told[-1].step == told[-1].steps
    assert all(step.step <= step.steps for step in told)


def test_golden_the_second_face_is_followed(clip: Sequence[Photo]) -> None:
    found = fit_clip(clip[:2], face=1, smoothing=0)
    assert all(face.box[0] > SIDE - 20 for face in found.faces)


@pytest.mark.slow
def test_error_no_face_and_stopped(clip: Sequence[Photo]) -> None:
    with pytest.raises(FaceError, match="frame 1 of 2: no face was found in this photo"):
        fit_clip([clip[2]] * 2)
    with pytest.raises(FaceError, match="frame 2 of 2"):
        fit_clip([clip[0], clip[2]], stop=True)

    def stop(step: StepReport) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fit_clip(clip[:1], progress=stop)


def test_error_a_face_elsewhere_is_another_one() -> None:
    there = Face(box=(300.0, 0.0, 400.0, 100.0), landmarks=np.zeros((5, 2)), score=1.0, yaw_deg=0.0)
    assert same_face([there], (310.0, 5.0, 410.0, 105.0)) is there
    with pytest.raises(FaceError, match="no face where it was"):
        same_face([there], (0.0, 0.0, 100.0, 100.0))
