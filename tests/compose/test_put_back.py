"""Putting back: what is not edited is not touched, and the rest follows the photo."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from placed_faces import FIVE, fit_at, upright_pose
from tiny import make_generator

from emogan_core.compose import MODES, Composite, put_back
from emogan_core.compose.redrawing import Redrawing, redrawing_of
from emogan_core.errors import EmoganError, FaceError, ShapeError, SpaceMismatch
from emogan_core.face_model import FaceFit, Pose, load_face_model
from emogan_core.faces import Crop, cut, frame_quad
from emogan_core.images import Photo
from emogan_core.inversion import Edit, Inversion
from emogan_core.latents import Latent
from emogan_core.networks import Generator

HEIGHT, WIDTH = 170, 230
PUT_BACK = sys.modules["emogan_core.compose.put_back"]
MODEL = load_face_model()
POSE = upright_pose()
LANDMARKS = fit_at(MODEL, POSE).landmarks[list(FIVE)]


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


def inversion_of(generator: Generator, photo: Photo, crop: Crop, *, pose: Pose = POSE) -> Inversion:
    """A made-up code for a crop: enough to put something back."""
    z = torch.randn(1, 16, generator=torch.Generator().manual_seed(5))
    ws = generator.mapping(z, psi=0.8).clone()
    return Inversion(
        latent=Latent(ws, generator.fingerprint),
        target=cut(photo, crop, generator.spec.resolution),
        reconstruction=generator.synthesis(ws),
        crops=(crop,),
        metrics={},
        faces=(fit_at(MODEL, pose),),
    )


def levels_of(**levels: float) -> np.ndarray:
    """[1, k] coefficients."""
    return fit_at(MODEL, POSE, **levels).coefficients[None]


def edit_of(inversion: Inversion, *, strength: float = 1.0) -> Edit:
    """A smile with an open mouth, and some step of the latent."""
    rng = torch.Generator().manual_seed(8)
    step = torch.randn(1, 1, inversion.latent.ws.shape[-1], generator=rng)
    levels = {"jawOpen": 0.4, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
    return Edit(
        replace(inversion.latent, ws=inversion.latent.ws + strength * 0.2 * step),
        coefficients=levels_of(**{name: strength * value for name, value in levels.items()}),
    )


def face_in_crop(**levels: float) -> FaceFit:
    """The fit of every face here in a crop of 32 px, which turns and grows with the face."""
    linear = crop_at(LANDMARKS).from_photo(32)
    scale = float(linear[0, 0])
    return fit_at(MODEL, Pose(POSE.scale * scale, np.eye(3), scale * POSE.translation + linear[:, 2]), **levels)


@pytest.fixture(autouse=True)
def _noise_passes_for_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tiny generator draws is no face; it is taken for the mean face, its mouth open after the edit."""
    fits = face_in_crop(), face_in_crop(jawOpen=0.5)
    monkeypatch.setattr(PUT_BACK, "redrawing_of", lambda before, after: Redrawing(before, after, fits))


def edited(
    generator: Generator,
    photo: Photo,
    *,
    mode: str = "motion",
    pose: Pose = POSE,
    strength: float = 1.0,
) -> Composite:
    landmarks = fit_at(MODEL, pose).landmarks[list(FIVE)]
    inversion = inversion_of(generator, photo, crop_at(landmarks), pose=pose)
    return put_back(generator, photo, inversion, edit_of(inversion, strength=strength), mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_shape_photo_mask_and_picture(tiny: Generator, mode: str) -> None:
    result = edited(tiny, photo_of(), mode=mode)
    assert result.photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert result.mask.shape == (HEIGHT, WIDTH)
    assert result.mask.dtype == np.float32
    assert 0.0 == result.mask.min() < result.mask.max() <= 1.0
    assert result.redrawn.shape == (1, 3, 32, 32)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("mode", MODES)
def test_invariance_deep_photos_are_edited_in_their_own_steps(tiny: Generator, mode: str, kind: type) -> None:
    """Outside of the mask to the bit; inside as the picture of 8 bits, and finer than that."""
    plain = photo_of()
    fine = np.random.default_rng(4).uniform(-0.49, 0.49, plain.pixels.shape).astype(kind)
    deep = replace(plain, pixels=plain.pixels + fine, notices=("kept",))
    result, rough = edited(tiny, deep, mode=mode), edited(tiny, plain, mode=mode)
    outside = result.mask == 0
    assert (result.photo.pixels.dtype, result.photo.notices) == (kind, ("kept",))
    np.testing.assert_array_equal(result.photo.pixels[outside], deep.pixels[outside])
    inside = result.photo.pixels[~outside]
    assert np.abs(inside - rough.photo.pixels[~outside]).mean() < 1
    assert (inside != np.round(inside)).mean() > 0.5


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
    for edit in (same, Edit(same, coefficients=levels_of(), shading=np.zeros((1, MODEL.face_vertices)))):
        result = put_back(tiny, photo, inversion, edit, mode=mode)
    np.testing.assert_array_equal(result.photo.pixels, photo.pixels)
    assert not np.shares_memory(result.photo.pixels, photo.pixels)
    assert result.mask.max() == 0


def test_invariance_small_edits_change_little(tiny: Generator) -> None:
    photo = photo_of()
    changes = [
        np.abs(edited(tiny, photo, strength=strength).photo.pixels.astype(float) - photo.pixels).mean()
        for strength in (0.02, 0.2, 1.0)
    ]
    assert changes[0] < changes[1] < changes[2]
    assert changes[0] < 0.2


@pytest.mark.parametrize("mode", MODES)
def test_invariance_a_quarter_turn(tiny: Generator, mode: str) -> None:
    """Turning the photo and the face in it turns the result."""
    photo = photo_of()
    turned = Photo(np.ascontiguousarray(np.rot90(photo.pixels)))  # counter-clockwise: (x, y) -> (y, width - x)
    x, y = POSE.translation
    spin = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    sideways = edited(tiny, turned, mode=mode, pose=Pose(POSE.scale, spin, np.array([y, WIDTH - x])))
    expected = np.rot90(edited(tiny, photo, mode=mode).photo.pixels).astype(float)
    moved = np.abs(expected - turned.pixels).mean()
    assert np.abs(sideways.photo.pixels - expected).mean() < 0.1 * moved


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shift", [(-85.0, 0.0), (110.0, 60.0), (0.0, -75.0)])
def test_invariance_face_partly_outside(tiny: Generator, mode: str, shift: tuple[float, float]) -> None:
    photo = photo_of()
    result = edited(tiny, photo, mode=mode, pose=replace(POSE, translation=POSE.translation + np.array(shift)))
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
    result = edited(tiny, photo, mode=mode, pose=Pose(1.0, np.eye(3), np.array([12.0, 12.0])))
    assert result.photo.pixels.shape == (26, 24, 3)


def test_invariance_inside_inference_mode(tiny: Generator) -> None:
    photo = photo_of()
    expected = edited(tiny, photo)
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    with torch.inference_mode():
        target = edit_of(inversion)
        result = put_back(tiny, photo, inversion, target)
    np.testing.assert_array_equal(result.photo.pixels, expected.photo.pixels)
    assert not result.redrawn.is_inference()


def test_error_unknown_mode(tiny: Generator) -> None:
    with pytest.raises(EmoganError, match="'glue' is not known; use motion or paste"):
        edited(tiny, photo_of(), mode="glue")


def test_error_several_faces_at_once(tiny: Generator) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    two = Latent(inversion.latent.ws.repeat(2, 1, 1), tiny.fingerprint)
    with pytest.raises(ShapeError, match="an edit of 2"):
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


def test_invariance_a_drawn_picture_that_shows_no_face_stays(tiny: Generator) -> None:
    photo = photo_of()
    inversion = replace(inversion_of(tiny, photo, crop_at(LANDMARKS)), faces=None)
    result = put_back(tiny, photo, inversion, edit_of(inversion), mode="paste")
    assert np.array_equal(result.photo.pixels, photo.pixels)
    assert not result.mask.any()
    assert "'redrawn' shows the edit" in str(result.report["notices"])
    assert not torch.equal(result.redrawn, inversion.reconstruction)
    with pytest.raises(EmoganError, match="already cut"):
        put_back(tiny, photo, inversion, edit_of(inversion))


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


def test_golden_the_generator_redraws_what_its_encoder_reads_of_the_moved_photo(tiny: Generator) -> None:
    """Beside the inversion's own code, whatever that is; where more than designed axes moved the latent, that instead."""
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    ws = inversion.latent.ws
    step, other = 0.3 * torch.ones_like(ws), 0.2 * torch.randn(ws.shape, generator=torch.Generator().manual_seed(2))
    levels = levels_of(mouthSmileLeft=0.8)
    result = put_back(tiny, photo, inversion, Edit(inversion.latent, levels))
    assert (result.photo.pixels != photo.pixels).any()
    codes = [tiny.encode(cut(one, crop_at(LANDMARKS), 32)) for one in (photo, result.photo)]
    read = codes[1] - codes[0]
    assert read.abs().max() > 1e-3
    torch.testing.assert_close(result.redrawn, tiny.synthesis(ws + read).detach())
    for latent, taken, expected in ((ws + step, step, ws + read), (ws + other + step, step, ws + other + step)):
        edit = Edit(replace(inversion.latent, ws=latent), levels, step=taken)
        redrawn = put_back(tiny, photo, inversion, edit).redrawn
        torch.testing.assert_close(redrawn, tiny.synthesis(expected).detach(), atol=1e-4, rtol=1e-4)


def test_shape_what_an_edit_has_to_say_is_reported(tiny: Generator) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    edit = Edit(inversion.latent, levels_of(), notices=(("it stopped",),))
    assert put_back(tiny, photo, inversion, edit).report["notices"][0] == "it stopped"


def test_invariance_the_generator_can_be_spared(tiny: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    expected = put_back(tiny, photo, inversion, edit_of(inversion))

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the generator was asked")

    monkeypatch.setattr(Generator, "encode", asked)
    monkeypatch.setattr(PUT_BACK, "drawn", asked)
    spared = put_back(tiny, photo, inversion, edit_of(inversion), redraw=False)
    np.testing.assert_array_equal(spared.photo.pixels, expected.photo.pixels)
    np.testing.assert_array_equal(spared.mask, expected.mask)
    assert spared.report == expected.report
    assert spared.redrawn.shape == (0, 3, 32, 32)


def test_invariance_what_did_not_move_is_redrawn_as_it_was(tiny: Generator) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    assert torch.equal(
        put_back(tiny, photo, inversion, Edit(inversion.latent, levels_of())).redrawn,
        tiny.synthesis(inversion.latent.ws).detach(),
    )


def test_golden_any_move_can_be_pasted_where_there_is_an_encoder(tiny: Generator) -> None:
    """Without one, only what the edit's latent shows."""
    photo, blind = photo_of(), make_generator(companions=False)
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    moved = Edit(inversion.latent, coefficients=levels_of(mouthSmileLeft=0.8))
    pasted, motion = (put_back(tiny, photo, inversion, moved, mode=mode) for mode in ("paste", "motion"))
    assert (pasted.photo.pixels != motion.photo.pixels).any()
    torch.testing.assert_close(pasted.redrawn, motion.redrawn)
    inversion = inversion_of(blind, photo, crop_at(LANDMARKS))
    moved = Edit(inversion.latent, coefficients=levels_of(mouthSmileLeft=0.8))
    with pytest.raises(EmoganError, match="'tiny' has no encoder to read it with"):
        put_back(blind, photo, inversion, moved, mode="paste")
    redrawn = put_back(blind, photo, inversion, moved).redrawn
    torch.testing.assert_close(redrawn, blind.synthesis(inversion.latent.ws).detach())
    edit = edit_of(inversion)
    assert torch.equal(
        put_back(blind, photo, inversion, replace(edit, step=edit.latent.ws - inversion.latent.ws)).redrawn,
        blind.synthesis(edit.latent.ws).detach(),
    )


def test_shape_the_report_tells_what_was_asked_and_how_far_the_face_moved(tiny: Generator) -> None:
    report = edited(tiny, photo_of()).report
    assert report["coefficients"] == {"jawOpen": 0.4, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
    mean, most = report["moved_cm"]
    assert 0.05 < mean < most < 5


def test_invariance_a_draft_is_nearly_the_same(tiny: Generator) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    results = [put_back(tiny, photo, inversion, edit_of(inversion), draft=draft) for draft in (False, True)]
    difference = np.abs(results[0].photo.pixels.astype(float) - results[1].photo.pixels)
    change = np.abs(results[0].photo.pixels.astype(float) - photo.pixels)
    assert difference.mean() < 0.4 * change.mean()


def test_golden_a_latent_changed_elsewhere_is_read_off_the_redrawn_faces(
    tiny: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def read(before: torch.Tensor, after: torch.Tensor) -> Redrawing:
        seen.append((before, after))
        return Redrawing(before, after, (fit_at(MODEL, POSE), fit_at(MODEL, POSE, jawOpen=0.5)))

    monkeypatch.setattr(PUT_BACK, "redrawing_of", read)
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    latent = edit_of(inversion).latent
    result = put_back(tiny, photo, inversion, latent)
    torch.testing.assert_close(seen[0][1], result.redrawn)
    assert result.report["coefficients"] == {"jawOpen": 0.5}
    expected = put_back(tiny, photo, inversion, Edit(latent, coefficients=levels_of(jawOpen=0.5)))
    np.testing.assert_array_equal(result.photo.pixels, expected.photo.pixels)


def test_golden_what_shows_no_face_is_not_pasted(tiny: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo whose coefficients are known is moved all the same, and the reason told."""
    monkeypatch.setattr(PUT_BACK, "redrawing_of", redrawing_of)
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    pasted, moved = (put_back(tiny, photo, inversion, edit_of(inversion), mode=mode) for mode in ("paste", "motion"))
    np.testing.assert_array_equal(pasted.photo.pixels, moved.photo.pixels)
    assert pasted.report["notices"][0].startswith("the redrawn face cannot be aligned")
    with pytest.raises(FaceError, match="no face any more"):
        put_back(tiny, photo, inversion, edit_of(inversion).latent, mode="paste")


@pytest.mark.parametrize("change", [{"coefficients": np.zeros((1, 3))}, {"coefficients": np.full((1, 55), np.nan)}])
def test_error_coefficients_of_another_model(tiny: Generator, change: dict[str, np.ndarray]) -> None:
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    with pytest.raises(ShapeError, match=r"coefficients came as .*needs \(1, 55\)"):
        put_back(tiny, photo, inversion, Edit(inversion.latent, **change))


def test_golden_shapes_beside_axes_of_examples_are_redrawn(tiny: Generator) -> None:
    """The axes' own latent, and what the encoder reads of the shapes beyond what these axes move."""
    photo = photo_of()
    inversion = inversion_of(tiny, photo, crop_at(LANDMARKS))
    ws = inversion.latent.ws
    other = 0.2 * torch.randn(ws.shape, generator=torch.Generator().manual_seed(2))
    both, axis = levels_of(mouthSmileLeft=0.8, browInnerUpLeft=0.9), levels_of(mouthSmileLeft=0.8)
    moved = replace(inversion.latent, ws=ws + other)
    for learned in (axis, levels_of()):  # axes that move the photo as well, and axes that do not
        result = put_back(tiny, photo, inversion, Edit(moved, both, designed_change=both - learned))
        before = put_back(tiny, photo, inversion, Edit(inversion.latent, learned)).photo
        codes = [tiny.encode(cut(one, crop_at(LANDMARKS), 32)) for one in (before, result.photo)]
        assert (codes[1] - codes[0]).abs().max() > 1e-3
        expected = tiny.synthesis(ws + other + codes[1] - codes[0]).detach()
        torch.testing.assert_close(result.redrawn, expected, atol=1e-4, rtol=1e-4)
    alone = put_back(tiny, photo, inversion, Edit(moved, axis, designed_change=axis - axis)).redrawn
    torch.testing.assert_close(alone, tiny.synthesis(ws + other).detach(), atol=1e-4, rtol=1e-4)
