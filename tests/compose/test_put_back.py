"""Putting back: what is not edited is not touched, and the rest follows the photo."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from tiny import make_generator

from emogan_core.compose import DRAFT, MODES, Composite, FlowConfig, MotionConfig, PutBackConfig, put_back
from emogan_core.errors import EmoganError, ShapeError, SpaceMismatch
from emogan_core.faces import Crop, cut, frame_quad
from emogan_core.images import Photo
from emogan_core.inversion import Inversion
from emogan_core.latents import Latent
from emogan_core.networks import Generator

HEIGHT, WIDTH = 170, 230
LANDMARKS = np.array([[80.0, 70.0], [140.0, 72.0], [110.0, 105.0], [86.0, 130.0], [132.0, 131.0]])
QUICK = PutBackConfig(motion=MotionConfig(size=48, max_steps=2, flow=FlowConfig(warps=2, relaxations=8)))
CHANGED = {
    "feather": 0.6,
    "tone_window": 0.3,
    "size": 64,
    "change_per_step": 9.0,
    "max_steps": 1,
    "pulls": (1.0,),
    "steadiness": 0.0,
    "symmetry": 0.0,
    "amplify": 1.0,
    "shading": 0.1,
    "shading_window": 0.3,
    "mouth_shading": 1.0,
    "least_area": 0.95,
}


def crop_at(landmarks: np.ndarray) -> Crop:
    return Crop(quad=frame_quad(landmarks, "tight"), landmarks=landmarks, frame="tight")


def photo_of(height: int = HEIGHT, width: int = WIDTH, *, gray: bool = False, alpha: bool = False) -> Photo:
    """A smooth, colourful picture with some grain."""
    rng = np.random.default_rng(3)
    ys, xs = np.mgrid[0:height, 0:width] / 40.0
    waves = np.stack([np.sin(xs + phase) * np.cos(ys - phase) for phase in (0.0, 0.7, 1.9)], axis=-1)
    values = 128 + 70 * waves + rng.normal(0, 6, (height, width, 3))
    values = values.mean(-1, keepdims=True).repeat(3, -1) if gray else values
    clear = rng.integers(0, 256, (height, width), dtype=np.uint8) if alpha else None
    return Photo(values.round().clip(0, 255).astype(np.uint8), clear)


def inversion_of(generator: Generator, photo: Photo, crop: Crop, *, seed: int = 5) -> Inversion:
    """A made-up code for a crop: enough to put something back."""
    z = torch.randn(1, 16, generator=torch.Generator().manual_seed(seed))
    ws = generator.mapping(z, psi=0.8).clone()
    return Inversion(
        latent=Latent(ws, generator.fingerprint),
        target=cut(photo, crop, generator.spec.resolution),
        reconstruction=generator.synthesis(ws),
        crops=(crop,),
        metrics={},
    )


def edit_of(inversion: Inversion, *, strength: float = 0.6) -> Latent:
    rng = torch.Generator().manual_seed(8)
    step = torch.randn(1, 1, inversion.latent.ws.shape[-1], generator=rng)
    return replace(inversion.latent, ws=inversion.latent.ws + strength * 0.3 * step)


def edited(
    generator: Generator,
    photo: Photo,
    *,
    mode: str = "motion",
    landmarks: np.ndarray = LANDMARKS,
    config: PutBackConfig = QUICK,
    strength: float = 0.6,
) -> Composite:
    inversion = inversion_of(generator, photo, crop_at(landmarks))
    return put_back(generator, photo, inversion, edit_of(inversion, strength=strength), mode=mode, config=config)


@pytest.mark.parametrize("mode", MODES)
def test_shape_photo_mask_and_picture(tiny: Generator, mode: str) -> None:
    result = edited(tiny, photo_of(), mode=mode)
    assert result.photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert result.mask.shape == (HEIGHT, WIDTH)
    assert result.mask.dtype == np.float32
    assert 0.0 == result.mask.min() < result.mask.max() <= 1.0
    assert result.redrawn.shape == (1, 3, 32, 32)


@pytest.mark.parametrize("mode", MODES)
def test_invariance_pixels_outside_the_mask_and_alpha(tiny: Generator, mode: str) -> None:
    photo = photo_of(alpha=True)
    before = photo.pixels.copy()
    result = edited(tiny, photo, mode=mode)
    outside = result.mask == 0
    np.testing.assert_array_equal(result.photo.pixels[outside], before[outside])
    np.testing.assert_array_equal(result.photo.alpha, photo.alpha)
    np.testing.assert_array_equal(photo.pixels, before)
    assert (result.photo.pixels != before).mean() > 0.05


@pytest.mark.parametrize("mode", MODES)
def test_invariance_no_edit_changes_no_pixel(tiny: Generator, mode: str) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    same = replace(inversion.latent, ws=inversion.latent.ws.clone())
    result = put_back(tiny, photo, inversion, same, mode=mode)
    np.testing.assert_array_equal(result.photo.pixels, photo.pixels)
    assert not np.shares_memory(result.photo.pixels, photo.pixels)
    assert result.mask.max() == 0


def test_invariance_small_edits_change_little(tiny: Generator) -> None:
    photo = photo_of()
    changes = [
        np.abs(edited(tiny, photo, strength=strength).photo.pixels.astype(float) - photo.pixels).mean()
        for strength in (0.02, 0.1, 0.5)
    ]
    assert changes[0] < changes[1] < changes[2]
    assert changes[0] < 0.2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_invariance_quarter_turns(tiny: Generator, mode: str, turns: int) -> None:
    """Turning the photo and its landmarks turns the result."""
    photo = photo_of()
    points, height, width = LANDMARKS, HEIGHT, WIDTH
    for _ in range(turns):  # np.rot90 turns counter-clockwise: (x, y) -> (y, width - x)
        points = np.stack([points[:, 1], width - points[:, 0]], axis=1)
        height, width = width, height
    turned = Photo(np.ascontiguousarray(np.rot90(photo.pixels, turns)))
    upright, sideways = edited(tiny, photo, mode=mode), edited(tiny, turned, mode=mode, landmarks=points)
    expected = np.rot90(upright.photo.pixels, turns).astype(float)
    assert np.abs(sideways.photo.pixels - expected).max() <= 2
    np.testing.assert_allclose(sideways.mask, np.rot90(upright.mask, turns), atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shift", [(-85.0, 0.0), (110.0, 60.0), (0.0, -75.0)])
def test_invariance_face_partly_outside(tiny: Generator, mode: str, shift: tuple[float, float]) -> None:
    photo = photo_of()
    result = edited(tiny, photo, mode=mode, landmarks=LANDMARKS + np.array(shift))
    outside = result.mask == 0
    np.testing.assert_array_equal(result.photo.pixels[outside], photo.pixels[outside])
    assert (result.photo.pixels != photo.pixels).any()


@pytest.mark.parametrize("mode", MODES)
def test_invariance_gray_photos_stay_gray(tiny: Generator, mode: str) -> None:
    pixels = edited(tiny, photo_of(gray=True), mode=mode).photo.pixels.astype(int)
    assert np.abs(pixels - pixels[..., :1]).max() == 0


@pytest.mark.parametrize("mode", MODES)
def test_shape_photo_smaller_than_the_generators_picture(tiny: Generator, mode: str) -> None:
    photo = photo_of(26, 24)
    landmarks = (LANDMARKS - np.array([110.0, 100.0])) * 0.12 + np.array([12.0, 13.0])
    result = edited(tiny, photo, mode=mode, landmarks=landmarks)
    assert result.photo.pixels.shape == (26, 24, 3)


def test_invariance_strips_do_not_show(tiny: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = edited(tiny, photo_of())
    monkeypatch.setattr("emogan_core.compose.apply.STRIP_PIXELS", 3000)
    in_strips = edited(tiny, photo_of())
    np.testing.assert_array_equal(whole.mask, in_strips.mask)
    assert np.abs(whole.photo.pixels.astype(int) - in_strips.photo.pixels).max() <= 1


def test_invariance_inside_inference_mode(tiny: Generator) -> None:
    photo = photo_of()
    expected = edited(tiny, photo, config=QUICK)
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    with torch.inference_mode():
        target = edit_of(inversion)
        result = put_back(tiny, photo, inversion, target, config=QUICK)
    np.testing.assert_array_equal(result.photo.pixels, expected.photo.pixels)
    assert not result.redrawn.is_inference()


@pytest.mark.parametrize("field", [field.name for field in fields(MotionConfig) if field.name != "flow"])
def test_invariance_every_motion_setting_is_felt(tiny: Generator, field: str) -> None:
    config = PutBackConfig(motion=replace(QUICK.motion, **{field: CHANGED[field]}))
    changed, usual = edited(tiny, photo_of(), config=config, strength=2.0), edited(tiny, photo_of(), strength=2.0)
    assert (changed.photo.pixels != usual.photo.pixels).any()


def test_invariance_other_settings_are_felt(tiny: Generator) -> None:
    for field in ("feather", "tone_window"):
        config = replace(QUICK, **{field: CHANGED[field]})
        changed, usual = edited(tiny, photo_of(), mode="paste", config=config), edited(tiny, photo_of(), mode="paste")
        assert (changed.photo.pixels != usual.photo.pixels).any(), field
    stiff = replace(QUICK, motion=replace(QUICK.motion, flow=FlowConfig(smoothness=5.0)))
    assert (edited(tiny, photo_of(), config=stiff).photo.pixels != edited(tiny, photo_of()).photo.pixels).any()


def test_error_unknown_mode(tiny: Generator) -> None:
    with pytest.raises(EmoganError, match="'glue' is not known; use motion or paste"):
        edited(tiny, photo_of(), mode="glue")


def test_error_several_faces_at_once(tiny: Generator) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    two = Latent(inversion.latent.ws.repeat(2, 1, 1), tiny.fingerprint)
    with pytest.raises(ShapeError, match="2 edited codes"):
        put_back(tiny, photo, inversion, two)
    with pytest.raises(ShapeError, match="inversion of 2 faces"):
        put_back(tiny, photo, replace(inversion, latent=two), two[0])


def test_error_latent_of_another_generator(tiny: Generator) -> None:
    photo, other = photo_of(), make_generator(seed=9)
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    with pytest.raises(SpaceMismatch, match="the inversion belongs to generator"):
        put_back(other, photo, inversion, inversion.latent)
    with pytest.raises(SpaceMismatch, match="the edited latent belongs to generator"):
        put_back(tiny, photo, inversion, replace(inversion.latent, fingerprint=other.fingerprint))


def test_error_inversion_without_a_photo(tiny: Generator) -> None:
    photo = photo_of()
    inversion = replace(inversion_of(tiny, photo, crop_at(LANDMARKS)), crops=None)
    with pytest.raises(EmoganError, match="already cut"):
        put_back(tiny, photo, inversion, edit_of(inversion))


def test_error_face_outside_of_the_photo(tiny: Generator) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS + 1000.0))
    with pytest.raises(EmoganError, match="lies outside of this photo of 230 x 170"):
        put_back(tiny, photo, inversion, edit_of(inversion))


def test_shape_a_draft_looks_at_four_pictures(tiny: Generator) -> None:
    photo, crop = photo_of(), crop_at(LANDMARKS)
    inversion = inversion_of(tiny, photo, crop)
    edited = Latent(inversion.latent.ws + 0.5 * tiny.w_std, tiny.fingerprint)
    seen: list[int] = []
    hook = tiny.synthesis.register_forward_hook(lambda module, given, drawn: seen.append(len(drawn)))
    try:
        drafted = put_back(tiny, photo, inversion, edited, config=DRAFT)
        assert sum(seen) == 4
        whole = put_back(tiny, photo, inversion, edited)
        assert sum(seen) > 12
    finally:
        hook.remove()
    np.testing.assert_array_equal(drafted.mask, whole.mask)
    assert torch.equal(drafted.redrawn, whole.redrawn)
    assert not np.array_equal(drafted.photo.pixels, photo.pixels)
