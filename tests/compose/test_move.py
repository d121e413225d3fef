from __future__ import annotations

import numpy as np
import pytest
from tiny_faces import SIDE, coefficients_of, tiny_face, tiny_photo

from emogan_core.compose.move import move_face
from emogan_core.compose.scene import scene_of
from emogan_core.face_model import FaceFit, FaceModel, Pose
from emogan_core.face_model.names import mirror_order
from emogan_core.images import Photo

EDITS = (
    {"mouthSmile": 0.8, "mouthUpperUp": 0.3},
    {"browInnerUp": 1.0, "eyeWide": 0.8, "jawOpen": 0.4},
    {"eyeBlink": 1.0},
    {"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6},
)


def test_invariance_no_change_leaves_every_pixel() -> None:
    model, fit = tiny_face({"mouthSmile": 0.3})
    pixels, mask = move_face(tiny_photo(), model, fit, fit.coefficients.copy())
    assert np.array_equal(pixels, tiny_photo().pixels)
    assert not mask.any()


@pytest.mark.parametrize("named", EDITS)
@pytest.mark.parametrize("draft", [False, True])
def test_invariance_pixels_off_the_mask_are_the_photos(named: dict[str, float], draft: bool) -> None:
    model, fit = tiny_face()
    photo = tiny_photo()
    pixels, mask = move_face(photo, model, fit, coefficients_of(model, named), draft=draft)
    assert pixels.dtype == np.uint8
    assert mask.dtype == np.float32
    assert mask.shape == (SIDE, SIDE)
    assert 0 <= mask.min() <= mask.max() <= 1
    assert np.array_equal(pixels[mask == 0], photo.pixels[mask == 0])
    assert (pixels != photo.pixels).any(-1).sum() > 100
    assert (mask == 0).mean() > 0.1


def test_invariance_what_comes_in_stays_unchanged() -> None:
    model, fit = tiny_face()
    photo = tiny_photo()
    before, landmarks = photo.pixels.copy(), fit.landmarks.copy()
    move_face(photo, model, fit, coefficients_of(model, EDITS[0]))
    assert np.array_equal(photo.pixels, before)
    assert np.array_equal(fit.landmarks, landmarks)


def test_invariance_a_scene_at_hand_changes_nothing() -> None:
    model, fit = tiny_face()
    photo, after = tiny_photo(), coefficients_of(model, EDITS[0])
    alone, _ = move_face(photo, model, fit, after)
    helped, _ = move_face(photo, model, fit, after, scene=scene_of(photo, model, fit))
    assert np.array_equal(alone, helped)


@pytest.mark.parametrize("named", EDITS)
def test_invariance_gray_stays_gray(named: dict[str, float]) -> None:
    model, fit = tiny_face()
    pixels, _ = move_face(tiny_photo(gray=True), model, fit, coefficients_of(model, named))
    assert np.ptp(pixels.astype(int), axis=-1).max() <= 1


@pytest.mark.parametrize(
    "named", [{"mouthSmileLeft": 0.7, "browDownRight": 0.5}, {"eyeBlinkLeft": 1.0, "eyeWideRight": 1.0}]
)
def test_invariance_mirrored_photo_gives_the_mirrored_edit(named: dict[str, float]) -> None:
    model, fit = tiny_face()
    photo = tiny_photo()
    after = coefficients_of(model, named)
    pixels, mask = move_face(photo, model, fit, after)
    other = Photo(np.ascontiguousarray(photo.pixels[:, ::-1]))
    swapped, swapped_mask = move_face(other, model, mirrored(model, fit), after[mirror_order(model.names)])
    difference = np.abs(swapped[:, ::-1].astype(int) - pixels)
    assert difference.mean() < 0.2
    assert np.abs(swapped_mask[:, ::-1] - mask).mean() < 0.03


def mirrored(model: FaceModel, fit: FaceFit) -> FaceFit:
    """The fit of the mean face in the photo mirrored left to right (the model is symmetric)."""
    shift = np.array([SIDE - fit.pose.translation[0], fit.pose.translation[1]])
    pose = Pose(scale=fit.pose.scale, rotation=fit.pose.rotation, translation=shift)
    swap = tiny_face()[1].landmarks - fit.pose.translation + shift  # the same symmetric landmarks, moved
    return FaceFit(
        pose=pose,
        identity=fit.identity,
        coefficients=fit.coefficients[mirror_order(model.names)],
        landmarks=swap,
        residual=fit.residual,
        error_cm=0.0,
    )


def test_golden_extra_shading_brightens_where_it_says() -> None:
    model, fit = tiny_face()
    photo = tiny_photo()
    shading = np.zeros(len(model.neutral))
    cheek = model.neutral[model.landmark_vertex[50]]
    shading[np.linalg.norm(model.neutral - cheek, axis=1) < 1.5] = 0.2
    pixels, mask = move_face(photo, model, fit, fit.coefficients, shading=shading)
    column, row = fit.landmarks[50].astype(int)
    ratio = np.exp(np.log(pixels[row, column] / photo.pixels[row, column]).mean())  # brightness; its hue may follow
    assert np.allclose(ratio, np.exp(0.2), atol=0.05)
    assert mask[row, column] == 1
    column, row = fit.landmarks[280].astype(int)
    assert np.array_equal(pixels[row, column], photo.pixels[row, column])


def test_error_free_where_the_face_leaves_the_photo() -> None:
    model, fit = tiny_face()
    away = Pose(scale=fit.pose.scale, rotation=fit.pose.rotation, translation=fit.pose.translation - (110.0, 90.0))
    outside = FaceFit(
        pose=away,
        identity=fit.identity,
        coefficients=fit.coefficients,
        landmarks=fit.landmarks - (110.0, 90.0),
        residual=fit.residual,
        error_cm=0.0,
    )
    pixels, mask = move_face(tiny_photo(), model, outside, coefficients_of(model, EDITS[1]))
    assert pixels.shape == (SIDE, SIDE, 3)
    assert mask.shape == (SIDE, SIDE)
