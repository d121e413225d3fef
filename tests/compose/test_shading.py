from __future__ import annotations

import numpy as np
from tiny_faces import SCALE, SIDE, coefficients_of, tiny_face

from emogan_core.compose.shading import LIGHTEST, MOST, Light, ShadingConfig, folds, light_of, relief_of
from emogan_core.face_model.mesh import vertex_normals

FRONT = Light(0.4, np.array([0.0, 0.0, 0.6]))


def reliefs(named: dict[str, float]):
    model, fit = tiny_face()
    before = relief_of(model, fit.vertices(model), SCALE)
    after = relief_of(model, fit.vertices(model, coefficients_of(model, named)), SCALE)
    return model, before, after


def test_invariance_no_change_no_shading() -> None:
    model, before, _ = reliefs({})
    assert not folds(model, before, before, FRONT).any()


def test_golden_frown_darkens_between_the_brows_and_spares_eyes_and_lips() -> None:
    model, before, after = reliefs({"browDown": 1.0})
    change = folds(model, before, after, FRONT)
    at = model.landmark_vertex
    assert np.abs(change).max() <= MOST
    assert change.min() < -0.02
    assert not change[at[[13, 14, 159, 386, 145, 374]]].any()
    assert not change[model.part_vertices["teeth"]].any()


def test_golden_puffed_cheeks_are_lit_and_no_more_than_skin_is() -> None:
    model, before, after = reliefs({"cheekPuff": 1.0})
    change = folds(model, before, after, Light(0.5, np.array([0.0, -0.3, 0.5])))
    assert change[model.landmark_vertex[[205, 425, 187, 411]]].min() > 0.01
    assert change.max() <= LIGHTEST


def test_golden_raised_brows_do_not_light_up_the_lids() -> None:
    model, before, after = reliefs({"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.8})
    change = folds(model, before, after, FRONT)
    assert change[model.landmark_vertex[[223, 224, 225, 443, 444, 445]]].max() < 0.03
    assert change.max() > 0.03  # the forehead is lit as it was


def test_invariance_every_setting_is_felt() -> None:
    model, before, after = reliefs({"noseSneer": 1.0})
    plain = folds(model, before, after, FRONT)
    for config in (ShadingConfig(light=0.2), ShadingConfig(folds=0.3), ShadingConfig(smooth=0)):
        assert not np.allclose(plain, folds(model, before, after, FRONT, config=config))


def test_golden_light_from_one_side_is_found() -> None:
    model, fit = tiny_face()
    before = fit.vertices(model)
    normals = vertex_normals(before, model.triangles[model.triangle_part <= 1])
    pixels = np.full((SIDE, SIDE, 3), 90, dtype=np.uint8)
    face = np.arange(len(before))[model.part_vertices["face"]]
    x, y = (np.clip(before[face, axis].astype(int), 0, SIDE - 1) for axis in (0, 1))
    bright = 255 * np.clip(0.35 + 0.2 * normals[face, 0] + 0.2 * normals[face, 2], 0.01, 1) ** (1 / 2.2)
    order = np.argsort(before[face, 2])
    pixels[y[order], x[order]] = bright[order, None].astype(np.uint8)
    light = light_of(pixels, model, before)
    assert light.slope[0] > 0.1
    assert abs(light.slope[1]) < 0.1


def test_invariance_burnt_out_pixels_get_no_gray_folds() -> None:
    pixels = np.full((20, 20, 3), 255.0, dtype=np.float32)
    assert np.array_equal(FRONT.ratios(np.full((20, 20), -0.3, dtype=np.float32), pixels), np.ones((20, 20, 3)))
    middle = FRONT.ratios(np.full((20, 20), -0.3, dtype=np.float32), pixels / 2)
    assert np.allclose(middle, np.exp(-0.3))


def light_on(tone: np.ndarray, tilt: np.ndarray | float = 0.0) -> Light:
    """The light found on a face of one tone, brighter to one side; `tilt` [3] changes the tone with the brightness."""
    model, fit = tiny_face()
    side = np.linspace(-0.4, 0.4, SIDE)[None, :, None]
    grain = np.random.default_rng(0).normal(0, 0.05, (SIDE, SIDE, 3)) * (np.ptp(np.asarray(tilt)) > 0)
    pixels = tone * np.exp(side * (1 + np.asarray(tilt)) + grain)
    return light_of(np.clip(pixels, 0, 255).astype(np.uint8), model, fit.vertices(model))


def test_invariance_gray_and_toned_pictures_keep_their_hue_in_folds() -> None:
    for tone in (np.full(3, 130.0), np.array([150.0, 125.0, 90.0])):
        assert np.allclose(light_on(tone).tint, 1, atol=0.05)


def test_golden_folds_of_fair_skin_turn_redder() -> None:
    tint = light_on(np.array([170.0, 140, 125]), np.array([-0.08, 0.01, 0.07])).tint
    assert tint[0] < 0.9
    assert tint[2] > 1.1
