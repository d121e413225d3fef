"""Shading measured on labelled pictures: where it may lie, what it ignores, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_faces import tiny_face, tiny_photo

from emogan_core.errors import ShapeError
from emogan_core.expressions.shadings import (
    GAIN,
    MOST,
    brightness,
    fit_shadings,
    half_agreement,
    mirrored_vertices,
    open_skin,
    shading_of,
)
from emogan_core.face_model import load_face_model
from emogan_core.images import Photo


@pytest.fixture(scope="module")
def model():
    return load_face_model()


@pytest.fixture(scope="module")
def examples(model):
    """Brightness of a neutral and a darker-cheeked picture of fourteen people, each in light of its own."""
    rng = np.random.default_rng(1)
    places = model.neutral[: model.face_vertices]
    fold = -0.2 * np.exp(-(((places[:, 0] - 3) / 1.0) ** 2) - ((places[:, 1] + 1) / 1.0) ** 2)
    labels, people, seen = [], [], []
    for person in range(14):
        skin = rng.normal(4, 0.3) + 0.05 * rng.normal(size=len(places))
        labels += ["neutral", "grin"]
        people += [f"p{person}"] * 2
        seen += [skin, skin + fold + rng.normal(0, 0.3)]
    return np.stack(seen), labels, people, fold


def test_shape_shading_spares_lips_lids_and_border(model):
    skin = open_skin(model)
    assert skin.min() == 0
    assert skin.max() == 1
    at = model.landmark_vertex
    assert skin[at[[13, 61, 159, 145, 10, 152]]].max() == 0
    assert skin[at[[205, 425]]].min() > 0.5


def test_invariance_shading_is_symmetric_and_knows_no_exposure(model):
    rng = np.random.default_rng(0)
    places = model.neutral[: model.face_vertices]
    ratios = [0.2 * np.exp(-((places[:, 1] + 2) ** 2)) + 0.01 * rng.normal(size=len(places)) for _ in range(5)]
    shading = shading_of(model, ratios, symmetric=True)
    np.testing.assert_allclose(shading, shading_of(model, [r + 0.5 for r in ratios], symmetric=True), atol=1e-9)
    assert np.abs(shading).max() <= MOST
    middle = np.abs(shading - shading[mirrored_vertices(model)]).max()
    assert middle < 0.02
    assert half_agreement(ratios, open_skin(model)) > 0.8


def test_golden_the_shading_of_a_fold_is_found_on_its_side(model, examples):
    seen, labels, people, fold = examples
    found = fit_shadings(seen, labels, ["grin"], people=people, floor=12)["grin"]
    deepest = np.argmin(np.where(open_skin(model) > 0.9, fold, 0))
    assert found[deepest] == pytest.approx(GAIN * fold[deepest], rel=0.35)
    assert abs(found[mirrored_vertices(model)[deepest]]) < 0.02


def test_golden_no_shading_of_too_few_or_of_nothing_but_light(model, examples):
    seen, labels, people, _ = examples
    assert fit_shadings(seen, labels, ["grin"], people=people, floor=15) == {}
    lonely = [f"{person} {label}" for person, label in zip(people, labels, strict=True)]
    assert fit_shadings(seen, labels, ["grin"], people=lonely, floor=2) == {}
    unseen = np.where((np.arange(len(labels)) < 6)[:, None], np.nan, seen)
    assert fit_shadings(unseen, labels, ["grin"], people=people, floor=12) == {}
    noise = np.random.default_rng(0).normal(size=seen.shape)
    assert fit_shadings(noise, labels, ["grin"], people=people, floor=12) == {}


def test_error_brightness_of_another_face_model(examples):
    _, labels, people, _ = examples
    with pytest.raises(ShapeError, match="brightness came as"):
        fit_shadings(np.zeros((len(labels), 7)), labels, ["grin"], people=people, floor=12)


def test_golden_brightness_is_the_log_under_each_vertex(model):
    photo, (_, fit) = tiny_photo(), tiny_face()
    seen = brightness(photo, model, fit)
    assert seen.shape == (model.face_vertices,)
    assert np.isfinite(seen).all()
    darker = brightness(Photo((photo.pixels * 0.5).astype(np.uint8)), model, fit)
    np.testing.assert_allclose(np.median(seen - darker), np.log(2), atol=0.05)
