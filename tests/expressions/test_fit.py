"""Fitting: the truth is found, units mean what they say, refusals are kind, every setting is felt."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from emogan_core.errors import ExpressionError, ShapeError, SpaceMismatch
from emogan_core.expressions import FitConfig, Mirror, Origin, StepConfig, fit_expressions, move_latent, read_eta
from emogan_core.face_model import load_face_model
from emogan_core.latents import Latent
from emogan_core.progress import StepReport


def along(direction, truth):
    """How far a step goes along the truth (1 is all of it) and how much of it is something else."""
    direction = direction.double().numpy()
    share = float(direction @ truth / (truth @ truth))
    return share, float(np.linalg.norm(direction - share * truth) / np.linalg.norm(share * truth))


@pytest.fixture(scope="module")
def refit(world):
    """Fit the world again, fast, with some arguments changed."""

    def fitting(config=None, **changes):
        given = {"people": world.people, "covariates": world.covariates} | changes
        labels = given.pop("labels", world.labels)
        return fit_expressions(given.pop("latents", world.latents), labels, config=config or quick(), **given)

    return fitting


def coefficients_for(labels, name, **levels):
    """Coefficients that are a little of everything, and those of one expression as well where a label says so."""
    model = load_face_model()
    seen = np.random.default_rng(5).uniform(0, 0.1, (len(labels), len(model.names)))
    for shape, level in levels.items():
        seen[np.array(labels) == name, model.index(shape)] += level
    return seen


def quick(**steps):
    return FitConfig(steps=StepConfig(**steps))


@pytest.mark.parametrize(("model", "purity"), [("pattern", 0.15), ("readout", 0.3)])
def test_golden_step_is_the_truth_where_the_mean_difference_is_not(world, refit, model, purity, monkeypatch):
    # the toy's people differ by more than 1 makes up for
    monkeypatch.setattr("emogan_core.expressions.steps.PEOPLE_PENALTY", 0.1)
    axis = refit(model=model)["smile"]
    share, other = along(axis.direction[0], world.toy.truth)
    assert share == pytest.approx(1.0, abs=0.35)
    assert other < purity
    smiles = np.array(world.labels) == "smile"
    naive = torch.from_numpy(world.toy.X[smiles].mean(axis=0) - world.toy.X[~smiles].mean(axis=0))
    assert along(naive, world.toy.truth)[1] > 0.5


def test_golden_unit_moves_the_readout_by_what_is_stored(world, axes):
    smile = axes["smile"]
    before = read_eta(world.latents, axes, "smile")
    after = read_eta(move_latent(world.latents, axes, {"smile": 1.0}), axes, "smile")
    np.testing.assert_allclose(after - before, smile.eta_per_unit, rtol=1e-4)


def test_golden_statistics_and_origin(world, refit):
    axes = refit(origin=Origin(label_source="a toy", licence="CC0"))
    smile = axes["smile"]
    assert smile.n_expression + smile.n_neutral == len(world.labels)
    both = {p for p, label in zip(world.people, world.labels, strict=True) if label == "smile"} & {
        p for p, label in zip(world.people, world.labels, strict=True) if label == "neutral"
    }
    assert smile.n_people_both == len(both)
    assert 0.5 < smile.auc_low < smile.auc < smile.auc_high <= 1.0
    assert (smile.label_source, smile.licence, smile.link) == ("a toy", "CC0", "logit")
    assert (smile.model, smile.covariance, smile.covariates) == ("pattern", "pattern", ("yaw_deg",))
    assert axes.fingerprint == world.latents.fingerprint
    assert not smile.experimental


def test_golden_covariate_drift_is_what_its_readout_says(world, refit):
    """The smile's examples are turned; its step is not, by its own readout, when the yaw is held still."""
    free, held = (refit(config, model="readout")["smile"] for config in (None, quick(hold_covariates=("yaw_deg",))))
    assert len(free.covariate_drift) == 1
    assert abs(held.covariate_drift[0]) < 0.02
    assert abs(held.covariate_drift[0]) < abs(free.covariate_drift[0])
    assert sum(held.validation.rows) == len(world.labels)


def test_golden_readout_steps_in_the_covariance_asked_for(refit, world):
    assert refit(model="readout")["smile"].covariance == "within"
    assert refit(model="readout", people=None)["smile"].covariance == "latent"
    assert refit(quick(covariance="identity"), model="readout")["smile"].covariance == "identity"


def test_golden_held_covariates_do_not_move(world, refit):
    held = refit(quick(hold_covariates=("yaw_deg",)), model="readout")["smile"].direction[0].double().numpy()
    free = refit(model="readout", covariates={})["smile"].direction[0].double().numpy()
    centred = world.toy.X - world.toy.X.mean(axis=0)
    gamma = np.linalg.lstsq(centred, world.toy.covariate[:, 0], rcond=None)[0]
    assert abs(gamma @ held) < 0.05 * abs(gamma @ free)


@pytest.mark.parametrize("model", ["pattern", "readout"])
def test_invariance_order_of_rows_and_names(world, refit, model):
    order = np.random.default_rng(0).permutation(len(world.labels))
    mixed = fit_expressions(
        Latent(world.latents.ws[torch.from_numpy(order)], world.latents.fingerprint),
        [world.labels[i] for i in order],
        people=[world.people[i] for i in order],
        covariates={"yaw_deg": [world.covariates["yaw_deg"][i] for i in order]},
        model=model,
        config=quick(),
    )
    torch.testing.assert_close(mixed["smile"].direction, refit(model=model)["smile"].direction, rtol=1e-3, atol=1e-4)


def test_golden_rare_labels_are_left_out_and_counted(world, refit):
    labels = ["fear" if index < 7 else label for index, label in enumerate(world.labels)]
    axes = refit(labels=labels)
    assert axes.names == ("smile",)
    assert axes.left_out == {"fear": 7}


def test_golden_held_expressions_stand_still(world, refit):
    labels = ["frown" if index % 4 == 0 else label for index, label in enumerate(world.labels)]
    free = refit(quick(), labels=labels)
    held = refit(quick(hold_expressions=("smile",)), labels=labels)
    smile = free["smile"].readout
    torch.testing.assert_close(held["smile"].direction, free["smile"].direction)
    assert abs(float(smile @ free["frown"].direction[0])) > 0.05
    assert abs(float(smile @ held["frown"].direction[0])) < 1e-4


def test_golden_mirror_images_make_axes_alike_on_both_sides(world, refit):
    """The mirror of this world flips the sign of its first coordinate."""
    flip = torch.ones(world.latents.ws.shape[2], dtype=torch.float64)
    flip[0] = -1.0
    mirror = Mirror(Latent(world.latents.ws * flip, world.latents.fingerprint), odd=("yaw_deg",))
    both, plain = refit(mirror=mirror)["smile"], refit()["smile"]
    assert abs(float(both.direction[0, 0])) < 1e-4 < abs(float(plain.direction[0, 0]))
    assert abs(float(both.readout[0])) < 1e-3
    for field in ("n_expression", "n_neutral", "n_people", "n_people_both"):
        assert getattr(both, field) == getattr(plain, field)


def test_invariance_a_mirror_that_changes_nothing_changes_nothing(world, refit, monkeypatch):
    # shrinkage alone counts rows, not people
    monkeypatch.setattr("emogan_core.expressions.steps.covariance", lambda X: np.cov(X.T, bias=True))
    monkeypatch.setattr("emogan_core.expressions.steps.PEOPLE_PENALTY", 0.5)
    same = refit(mirror=Mirror(world.latents))["smile"]
    plain = refit()["smile"]
    torch.testing.assert_close(same.direction, plain.direction, rtol=1e-4, atol=1e-5)
    assert same.eta_per_unit == pytest.approx(plain.eta_per_unit, rel=1e-3)


def test_error_mirror_of_another_size_or_generator(world, refit):
    with pytest.raises(ShapeError, match="one per picture"):
        refit(mirror=Mirror(world.latents[0:3]))
    with pytest.raises(SpaceMismatch):
        refit(mirror=Mirror(Latent(world.latents.ws, "0" * 64)))


def test_golden_progress_reaches_its_end(refit):
    reports: list[StepReport] = []
    refit(progress=reports.append)
    assert [report.step for report in reports] == [1, 2]
    assert {report.steps for report in reports} == {2}


STEP_FIELDS = {
    "hold_expressions": ("pattern", {"labels": True}, ("frown",)),
    "covariance": ("readout", {}, "identity"),
    "hold_covariates": ("readout", {}, ("yaw_deg",)),
    "hold_identity": ("pattern", {}, True),
}


@pytest.mark.parametrize("field", [field.name for field in fields(StepConfig)])
def test_golden_every_step_setting_is_felt(world, refit, field):
    model, options, value = STEP_FIELDS[field]
    extra = {}
    if "labels" in options:
        extra["labels"] = ["frown" if index % 4 == 0 else label for index, label in enumerate(world.labels)]
    one = refit(quick(), model=model, **extra)["smile"].direction
    other = refit(quick(**{field: value}), model=model, **extra)["smile"].direction
    assert not torch.allclose(one, other, rtol=1e-6, atol=0)


@pytest.mark.slow
def test_golden_every_fit_setting_is_felt(world, refit):
    plain = refit()["smile"]
    assert refit(replace(quick(), experimental_below=10_000))["smile"].experimental != plain.experimental
    assert refit(replace(quick(), experimental_auc=1.1))["smile"].experimental != plain.experimental
    labels = ["frown" if index % 4 == 0 else label for index, label in enumerate(world.labels)]
    assert refit(labels=labels).names == ("frown", "smile")
    assert refit(replace(quick(), expressions=("smile",)), labels=labels).names == ("smile",)
    assert refit(replace(quick(), floor=180), labels=labels).left_out
    together = refit(replace(quick(), multinomial=True), labels=labels)["smile"]
    assert together.family == "multinomial"
    assert not torch.equal(together.readout, refit(labels=labels)["smile"].readout)
    seen = coefficients_for(labels, "frown", mouthFrownLeft=0.5)
    assert refit(labels=labels, coefficients=seen)["frown"].has_coefficients
    assert not refit(replace(quick(), moving_floor=500), labels=labels, coefficients=seen)["frown"].has_coefficients
    assert {field.name for field in fields(FitConfig)} == {
        "expressions", "floor", "moving_floor", "experimental_below", "experimental_auc", "families", "multinomial", "steps",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"model": "regression"}, ExpressionError, "use pattern or readout"),
        ({"labels": ["smile"]}, ShapeError, "1 label came for 600 latents"),
        ({"people": ["Ann"]}, ShapeError, "1 person came"),
        ({"covariates": {"yaw": [1.0]}}, ShapeError, "value of 'yaw'"),
        ({"covariates": {"yaw": [float("nan")] * 600}}, ExpressionError, "'yaw' is not a finite number for 600"),
        ({"labels": ["smile"] * 600}, ExpressionError, "0 pictures labelled 'neutral'"),
        ({"labels": ["neutral"] * 600}, ExpressionError, "nothing but 'neutral'"),
        ({"labels": ["neutral"] * 595 + ["smile"] * 5}, ExpressionError, "5 of 'smile'.*needed are 40"),
        ({"labels": [""] * 600}, ExpressionError, "empty"),
        ({"people": ["Ann"] * 600}, ExpressionError, "1 person"),
        ({"config": FitConfig(expressions=("fear",))}, ExpressionError, "0 of 'fear'"),
        ({"config": FitConfig(expressions=("neutral",))}, ExpressionError, "nothing but 'neutral'"),
        (
            {"covariates": {"yaw": [1.0, 2.0] * 300, "turn": [2.0, 4.0] * 300}},
            ExpressionError,
            "turn is wholly explained",
        ),
        ({"config": quick(hold_covariates=("pitch",))}, ExpressionError, "'pitch' is to be held still"),
        ({"config": quick(hold_identity=True), "people": None}, ExpressionError, "nobody has two pictures"),
        ({"weights": [-1.0] * 600}, ExpressionError, "the weights lie between -1 and -1"),
        ({"pairs": ["a"] * 600}, ExpressionError, "one picture with and one without"),
        ({"config": quick(covariance="within"), "model": "readout", "people": None}, ExpressionError, "two pictures"),
    ],
)
def test_error_kind_refusals(refit, changes, error, words):
    with pytest.raises(error, match=words):
        refit(**changes)


def test_error_pairs_that_leave_an_expression_without_anybody_seen_both_ways(world, refit):
    labels = ["smile" if row % 2 else "neutral" for row in range(500)] + ["frown"] * 100
    pairs = [f"{row // 2}" for row in range(500)] + [""] * 100
    with pytest.raises(ExpressionError, match="nobody is seen both with 'frown'"):
        refit(labels=labels, pairs=pairs, people=None, covariates={})


@pytest.mark.parametrize("model", ["pattern", "readout"])
def test_error_pictures_that_are_all_alike(world, refit, model):
    same = Latent(torch.ones_like(world.latents.ws), world.latents.fingerprint)
    with pytest.raises(ExpressionError, match="smile"):
        refit(latents=same, model=model)


def test_golden_noise_is_called_experimental(world, refit):
    labels = list(np.random.default_rng(3).permutation(np.array(world.labels)))
    assert refit(labels=[str(label) for label in labels])["smile"].experimental


def test_shape_fitting_under_inference_mode_gives_ordinary_tensors(refit):
    with torch.inference_mode():
        axes = refit()
    assert not axes["smile"].direction.is_inference()


def test_golden_axes_get_the_part_of_the_face_model_that_the_pictures_show(world, refit):
    seen = coefficients_for(world.labels, "smile", mouthSmileLeft=0.4, mouthSmileRight=0.4)
    axis = refit(coefficients=seen)["smile"]
    left, right = (float(axis.coefficients[load_face_model().index(f"mouthSmile{side}")]) for side in ("Left", "Right"))
    assert left == pytest.approx(right, abs=0.05)
    assert left >= 0.4 - 0.05  # fits are drawn towards 0, so it is stretched, never shortened
    others = axis.coefficients.clone()
    others[[load_face_model().index(f"mouthSmile{side}") for side in ("Left", "Right")]] = 0
    assert float(others.max()) < 0.1
    assert axis.has_direction
    assert "face model" in axis.source
    torch.testing.assert_close(axis.direction, refit()["smile"].direction)


def test_golden_a_dozen_pictures_are_enough_for_the_face_model(world, refit):
    labels = ["fear" if index < 14 else label for index, label in enumerate(world.labels)]
    seen = coefficients_for(labels, "fear", eyeWideLeft=0.5, eyeWideRight=0.5)
    axes = refit(labels=labels, coefficients=seen)
    assert axes.names == ("smile", "fear")
    assert axes["fear"].has_coefficients
    assert not axes["fear"].has_direction
    assert axes["fear"].n_expression == 14
    assert axes.left_out == {}
    assert refit(labels=labels).left_out == {"fear": 14}


def test_golden_without_forty_of_any_expression_only_the_face_moves(world):
    rows = [
        *np.flatnonzero(np.array(world.labels) == "smile")[:13],
        *np.flatnonzero(np.array(world.labels) == "neutral")[:20],
    ]
    labels = [world.labels[row] for row in rows]
    latents = Latent(world.latents.ws[rows], world.latents.fingerprint)
    seen = coefficients_for(labels, "smile", mouthSmileLeft=0.5, mouthSmileRight=0.5)
    axes = fit_expressions(latents, labels, coefficients=seen)
    assert axes.names == ("smile",)
    assert not axes["smile"].has_direction
    with pytest.raises(ExpressionError, match="needed are 40"):
        fit_expressions(latents, labels)


def test_invariance_pictures_without_a_fit_say_nothing(world, refit):
    seen = coefficients_for(world.labels, "smile", mouthSmileLeft=0.4, mouthSmileRight=0.4)
    seen[::10] = np.nan
    assert refit(coefficients=seen)["smile"].has_coefficients
    assert not refit(coefficients=np.full_like(seen, np.nan))["smile"].has_coefficients


def test_error_coefficients_of_another_face_model(world, refit):
    with pytest.raises(ShapeError, match="coefficients came as"):
        refit(coefficients=np.zeros((len(world.labels), 7)))


def test_error_pictures_enough_and_no_face_in_them(world, refit):
    """Twelve of each are enough to begin, so what is lacking is not their number."""
    seen = coefficients_for(world.labels, "smile", mouthSmileLeft=0.5)
    few = replace(quick(), floor=5000)
    for coefficients, told in (
        (np.full_like(seen, np.nan), "in 0 of "),
        (np.zeros_like(seen), "differ from neutral alike"),
    ):
        with pytest.raises(ExpressionError, match=f"nothing could be fitted: the face model found a face .*{told}"):
            refit(few, coefficients=coefficients)
