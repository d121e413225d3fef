"""Previews show what putting back would do, small and without the generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from placed_faces import FIVE, fit_at, upright_pose

from emogan_core.compose import FacePreview, put_back, visible
from emogan_core.errors import EmoganError, ShapeError
from emogan_core.face_model import load_face_model
from emogan_core.faces import Crop, cut, frame_quad, window_around
from emogan_core.images import Photo
from emogan_core.inversion import Edit, Inversion
from emogan_core.latents import Latent
from emogan_core.networks import Generator

MODEL = load_face_model()
POSE = upright_pose()
SMILE = {"jawOpen": 0.4, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}


@pytest.fixture
def photo() -> Photo:
    """A smooth, colourful picture."""
    ys, xs = np.mgrid[0:170, 0:230] / 40.0
    waves = np.stack([np.sin(xs + phase) * np.cos(ys - phase) for phase in (0.0, 0.7, 1.9)], axis=-1)
    return Photo((128 + 70 * waves).round().astype(np.uint8))


@pytest.fixture
def inversion(tiny: Generator, photo: Photo) -> Inversion:
    fit = fit_at(MODEL, POSE)
    landmarks = fit.landmarks[list(FIVE)]
    crop = Crop(quad=frame_quad(landmarks, "tight"), landmarks=landmarks, frame="tight")
    ws = tiny.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(5)), psi=0.8)
    target = cut(photo, crop, tiny.spec.resolution)
    return Inversion(Latent(ws, tiny.fingerprint), target, target, (crop,), {}, (fit,))


def edit_of(inversion: Inversion, **levels: float) -> Edit:
    return Edit(inversion.latent, coefficients=fit_at(MODEL, POSE, **levels).coefficients[None])


def test_invariance_at_the_photos_own_size_it_is_what_a_draft_puts_back(
    tiny: Generator, photo: Photo, inversion: Inversion
) -> None:
    edit = replace(edit_of(inversion, **SMILE), shading=(MODEL.neutral[: MODEL.face_vertices, 0] / 50)[None])
    shown = FacePreview.of(photo, inversion).with_edit(edit)
    made = put_back(tiny, photo, inversion, edit, draft=True).photo.pixels
    left, top, side = window_around(inversion.crops[0], height=170, width=230)
    assert np.abs(shown.astype(int) - made[top : top + side, left : left + side]).mean() < 0.5
    assert np.abs(shown.astype(int) - photo.pixels[top : top + side, left : left + side]).mean() > 1


def test_invariance_made_smaller_the_face_moves_alike(photo: Photo, inversion: Inversion) -> None:
    large, small = FacePreview.of(photo, inversion), FacePreview.of(photo, inversion, most_px=64)
    assert small.photo.pixels.shape == (64, 64, 3)
    share = 64 / len(large.photo.pixels)
    assert np.allclose(small.fit.vertices(MODEL), large.fit.vertices(MODEL) * share)
    assert np.allclose(small.fit.landmarks, large.fit.landmarks * share)


def test_invariance_no_change_is_no_change(photo: Photo, inversion: Inversion) -> None:
    before = photo.pixels.copy()
    preview = FacePreview.of(photo, inversion, most_px=64)
    assert np.array_equal(preview.with_edit(edit_of(inversion)), preview.photo.pixels)
    preview.with_edit(edit_of(inversion, **SMILE))
    assert np.array_equal(photo.pixels, before)


def test_invariance_a_hidden_mouth_stays_in_preview_and_run(
    tiny: Generator, photo: Photo, inversion: Inversion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is hidden is told once, from the whole photo."""
    edit = edit_of(inversion, **SMILE, browDownLeft=0.6)
    open_mouth = FacePreview.of(photo, inversion).with_edit(edit)
    seen = []
    monkeypatch.setattr(visible, "_of_one_hue", lambda pixels, fit: True)
    monkeypatch.setattr(visible, "looks_hidden", lambda whole, fit: float(seen.append(whole.pixels.shape) or 1.0))
    monkeypatch.setattr(visible, "_eye_hidden", lambda pixels, fit, place: False)
    shown = FacePreview.of(photo, inversion).with_edit(edit)
    made = put_back(tiny, photo, inversion, edit, draft=True)
    assert made.report["notices"][0].startswith("something seems to be before the mouth")
    left, top, side = window_around(inversion.crops[0], height=170, width=230)
    assert np.abs(shown.astype(int) - made.photo.pixels[top : top + side, left : left + side]).mean() < 0.1
    assert np.abs(open_mouth.astype(int) - shown).mean() > 0.5
    assert set(seen) == {photo.pixels.shape}


def test_error_what_cannot_be_previewed(photo: Photo, inversion: Inversion) -> None:
    with pytest.raises(EmoganError, match="invert the photo itself"):
        FacePreview.of(photo, replace(inversion, crops=None))
    preview = FacePreview.of(photo, inversion, most_px=64)
    with pytest.raises(EmoganError, match="only put_back can show it"):
        preview.with_edit(Edit(inversion.latent))
    two = Latent(inversion.latent.ws.repeat(2, 1, 1), inversion.latent.fingerprint)
    with pytest.raises(ShapeError, match="edit of 2 faces"):
        preview.with_edit(Edit(two))
    with pytest.raises(ShapeError, match="inversion of 2 faces"):
        FacePreview.of(photo, replace(inversion, latent=two))
