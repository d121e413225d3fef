"""Axes from numbers instead of labels, from pairs, and with weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emogan_core.errors import ExpressionError
from emogan_core.expressions import FitConfig, StepConfig, fit_expressions
from emogan_core.glm import read_response
from emogan_core.latents import Latent


@pytest.fixture(scope="module")
def scored():
    """Latents of 200 people with two levels of a smile each, and what lasts of each person."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(200), 2)
    truth = rng.normal(size=10)
    amount = rng.beta(0.8, 1.2, size=400)
    X = amount[:, None] * truth + 0.6 * rng.normal(size=(200, 10))[people] + 0.3 * rng.normal(size=(400, 10))
    ws = torch.from_numpy(X).float()[:, None].expand(-1, 3, -1)
    return Latent(ws.contiguous(), "a" * 64), [f"p{one}" for one in people], amount, truth


def along(axis, truth):
    step = axis.direction[0].double().numpy()
    return float(step @ truth / (truth @ truth)), float(step @ truth / np.linalg.norm(step) / np.linalg.norm(truth))


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("soft", lambda a: a),
        ("ordered", lambda a: np.minimum(np.floor(a * 5), 4)),
        ("gaussian", lambda a: 100 * a - 20),
        ("two-part", lambda a: np.maximum(a - 0.3, 0.0)),
        ("binary", lambda a: (a > 0.5).astype(float)),
    ],
)
@pytest.mark.parametrize("model", ["pattern", "readout"])
def test_golden_scores_of_every_family_find_the_step(scored, family, values, model):
    latents, people, amount, truth = scored
    level = read_response(values(amount)).level
    unit = np.cov(amount, level)[0, 1] / level.var()  # of the amount that an intensity of 1 means
    axis = fit_expressions(latents, scores={"smile": values(amount)}, people=people, model=model)["smile"]
    assert axis.family == family
    assert axis.link == ("identity" if family in ("gaussian", "two-part") else "logit")
    length, cosine = along(axis, truth)
    assert cosine > 0.93
    assert length == pytest.approx(unit, rel=0.2)
    assert axis.cosine_low > 0.9
    assert axis.unit_low < 1.0 < axis.unit_high
    assert axis.eta_per_unit > 0


def test_golden_pairs_need_no_people(scored):
    latents, people, amount, truth = scored
    more = (amount.reshape(-1, 2) == amount.reshape(-1, 2).max(1, keepdims=True)).ravel()
    labels = ["smile" if flag else "neutral" for flag in more]
    for model in ("pattern", "readout"):
        axis = fit_expressions(latents, labels, pairs=people, model=model)["smile"]
        assert axis.family == "pairs"
        assert along(axis, truth)[1] > 0.93
        assert axis.n_people_both == 200


def test_invariance_a_weight_of_nothing_leaves_a_picture_out(scored):
    latents, people, amount, _ = scored
    wrong = np.where(np.arange(400) < 100, 1.0 - amount, amount)
    weights = (np.arange(400) >= 100).astype(float)
    held = fit_expressions(latents, scores={"smile": wrong}, people=people, weights=weights)["smile"]
    none = fit_expressions(latents, scores={"smile": wrong}, people=people)["smile"]
    right = fit_expressions(latents, scores={"smile": amount}, people=people)["smile"]
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(held.direction[0], right.direction[0], dim=0) > 0.99
    assert cosine(none.direction[0], right.direction[0], dim=0) < cosine(held.direction[0], right.direction[0], dim=0)


def test_golden_a_named_family_is_taken(scored):
    latents, people, amount, _ = scored
    config = FitConfig(families={"smile": "gaussian"})
    assert (
        fit_expressions(latents, scores={"smile": amount}, people=people, config=config)["smile"].family == "gaussian"
    )


def test_golden_held_identity_moves_nobody(scored):
    latents, people, amount, truth = scored
    free = fit_expressions(latents, scores={"smile": amount}, people=people)["smile"]
    config = FitConfig(steps=StepConfig(hold_identity=True))
    held = fit_expressions(latents, scores={"smile": amount}, people=people, config=config)["smile"]
    assert not torch.allclose(free.direction, held.direction)
    assert along(held, truth)[1] > 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scores": {"smile": [0.5] * 400}}, "the column smile: all 400 labels are 0.5"),
        ({"scores": {"smile": [float("nan")] * 400}}, "smile.*finite"),
        ({"scores": {"smile": [1.0] * 10 + [0.0] * 390}}, "high for 10 pictures and low for 390; needed are 40"),
        ({"scores": {}}, "give one of them"),
        (
            {"scores": {"smile": np.linspace(0, 1, 400)}, "pairs": ["a"] * 400},
            "smile holds soft labels, which are no pairs",
        ),
        ({"scores": {"a": list(range(400)), "b": list(range(400))}}, "'b' is wholly explained by a"),
    ],
)
def test_error_scores_in_words(scored, changes, words):
    with pytest.raises(ExpressionError, match=words):
        fit_expressions(scored[0], people=scored[1], **changes)
