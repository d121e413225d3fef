"""The recipe of the axes' parts of the face model: smiles, folds, shading, and what the readout learns from."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_faces import tiny_face

from emogan_core.expressions import NAMED, load_axes
from emogan_core.expressions.prototypes import PROTOTYPES, prototype
from emogan_core.expressions.reading import READ, features_of
from emogan_core.expressions.shadings import mirrored_vertices
from emogan_core.face_model import load_face_model
from emogan_core.face_model.names import mirror_order
from emogan_core.training.drawn_folds import FOLDS, folds_of
from emogan_core.training.expression_moves import blended, source_of, with_moves
from emogan_core.training.expression_readout import fitted
from emogan_core.training.labelled_fits import Labelled, fitted_together, seen_both_ways
from emogan_core.training.smile import EYES, lips_of, lips_of_shapes, pattern_of, smile_of


@pytest.fixture(scope="module")
def model():
    return load_face_model()


def picture(person, label, *, kind="press", file="a", **levels):
    return Labelled(
        kind, file, person, label, tiny_face(levels)[1].landmarks, 0.0, 1.0 if label == "happiness" else 0.0
    )


def test_golden_people_seen_both_ways_neutral_first():
    pictures = [
        picture("Ann", "happiness"),
        picture("Ann", "neutral"),
        picture("Bob", "neutral"),
        picture("Eve", "anger"),
    ]
    groups = seen_both_ways(pictures, most_smiling=5)
    assert [[p.expression for p in own] for own in groups] == [["neutral", "happiness"]]
    assert seen_both_ways(pictures, most_smiling=0) == []


def test_golden_a_pattern_of_smiles_is_a_smile(model):
    pictures = []
    for person in range(6):
        pictures += [
            picture(str(person), "neutral", eyeSquint=0.05 * person),
            picture(str(person), "happiness", eyeSquint=0.05 * person, mouthSmile=0.5 + 0.05 * person),
        ]
    pairs = fitted_together(model, seen_both_ways(pictures, most_smiling=9))
    pattern, t = pattern_of(model, pairs, ["happiness"])
    assert model.names[int(np.argmax(pattern.slopes[0]))].startswith("mouthSmile")
    assert t[0][model.index("mouthSmileLeft")] > 3
    np.testing.assert_allclose(pattern.slopes[0], pattern.slopes[0][mirror_order(model.names)])


def test_golden_a_smile_moves_the_lips_as_it_should(model):
    slope, t = np.zeros(len(model.names)), np.zeros(len(model.names))
    for name in ("mouthSmile", "mouthStretch", "cheekPuff"):
        for side in ("Left", "Right"):
            slope[model.index(name + side)], t[model.index(name + side)] = 0.2, 9.0
    target = np.array([0.08, 0.18, 0.10, 0.05, 0.0])
    smile = smile_of(model, slope, t, target)
    np.testing.assert_allclose(lips_of_shapes(model) @ smile, target, atol=0.02)
    assert smile[model.index("cheekPuffLeft")] == 0
    assert smile[model.index("cheekSquintLeft")] == EYES["cheekSquint"]
    assert smile.min() >= 0
    assert smile.max() <= 1


def test_golden_the_mesh_and_the_landmarks_measure_alike(model):
    """Wider and higher corners, up to the eye distance, which is measured between irises in pictures."""
    levels = {"mouthSmile": 0.6}
    moved = lips_of(tiny_face(levels)[1].landmarks) - lips_of(tiny_face()[1].landmarks)
    step = sum(0.6 * lips_of_shapes(model)[:, model.index(f"mouthSmile{side}")] for side in ("Left", "Right"))
    np.testing.assert_allclose(moved[1:], step[1:], atol=0.01)


def test_golden_surprise_keeps_to_its_action_units(model):
    slope = np.full(len(model.names), 0.2)
    step = blended(model, "surprise", slope, np.full(len(model.names), 9.0))
    assert step[model.index("browDownLeft")] == 0
    assert step[model.index("mouthUpperUpLeft")] > 0
    assert step[model.index("jawOpen")] == pytest.approx(prototype("surprise")[model.index("jawOpen")], abs=0.15)


@pytest.mark.parametrize("name", FOLDS)
def test_shape_drawn_folds_are_soft_dark_and_alike_on_both_sides(model, name):
    shading = folds_of(model, name)
    assert shading.shape == (model.face_vertices,)
    assert -0.4 < shading.min() < -0.05
    assert shading.max() < 0.15
    assert np.abs(shading - shading[mirrored_vertices(model)]).max() < 0.1
    assert not folds_of(model, "surprise").any()


def test_golden_axes_get_their_moves_and_keep_their_directions(model):
    before = load_axes()
    moves = {name: np.full(len(model.names), 0.1) for name in NAMED}
    after = with_moves(before, moves, {"happiness": np.zeros(model.face_vertices)})
    assert after.names == NAMED
    assert after.fingerprint == before.fingerprint
    for name in NAMED:
        assert after[name].has_direction == before[name].has_direction
        assert after[name].source == source_of(name)
    assert "left side" in source_of("contempt")
    assert "FACS" in source_of("fear")


def test_golden_the_readout_tells_what_it_was_shown(model):
    rng = np.random.default_rng(0)
    moves = {"neutral": np.zeros(len(model.names)), "happiness": load_axes()["happiness"].coefficients.double().numpy()}
    moves |= {name: prototype(name) for name in PROTOTYPES}
    rows = [
        (name, step + rng.uniform(0, 0.05, len(step)), name != "neutral")
        for name, step in moves.items()
        for _ in range(20)
    ]
    weight, intercept = fitted(rows)
    assert weight.shape == (len(READ), features_of(np.zeros(len(model.names))).shape[0])
    read = [READ[int(np.argmax(weight @ features_of(step) + intercept))] for step in moves.values()]
    assert read == list(moves)
