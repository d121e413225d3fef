"""Axes without labels: known directions are found again, on drawn faces and in tables, and what cannot be is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from warped_faces import BROWS, CODES, LIGHT, SMILE, WarpedFaces

from emogan_core.errors import ExpressionError
from emogan_core.expressions import (
    SampleConfig,
    SampleTable,
    fit_samples,
    load_axes,
    read_samples,
    sample_fit,
    sample_folder,
    sample_lines,
    sample_report,
    sample_scores,
    sample_units,
    save_axes,
)
from emogan_core.expressions.sample_fit import SampleSpace, covariates_of, expect_faces, fit_scores
from emogan_core.expressions.sample_scores import Score, scores_of, shapes_in, typical_rise
from emogan_core.face_model import load_face_model


def table(n: int = 600, *, seed: int = 0) -> SampleTable:
    """Codes whose first row is a mixture of an open jaw and a turned head, whose second is the jaw alone."""
    rng, model = np.random.default_rng(seed), load_face_model()
    w = rng.normal(0, 1, (n, 8))
    coefficients = np.zeros((n, len(model.names)))
    coefficients[:, model.index("jawOpen")] = np.clip(0.3 + 0.12 * w[:, 1] + 0.02 * rng.normal(size=n), 0, 1)
    for side in ("mouthSmileLeft", "mouthSmileRight"):
        coefficients[:, model.index(side)] = np.clip(0.3 + 0.12 * w[:, 2] + 0.02 * rng.normal(size=n), 0, 1)
    w[:, 0] += 0.8 * w[:, 1]  # faces that open their mouths are turned in this population
    pose = np.stack([8 * w[:, 0], rng.normal(0, 4, n), rng.normal(0, 4, n)], axis=1)
    parts = (w, coefficients, rng.normal(0, 1, (n, 36)), pose, rng.normal(0, 1, (n, 3)))
    return SampleTable(*(part.astype(np.float32) for part in parts))


def shapes_of(samples: SampleTable) -> list[Score]:
    return [score for score in scores_of(samples, load_axes())[1] if score.name in ("jawOpen", "mouthSmile")]


@pytest.mark.parametrize("model", ["pattern", "readout"])
def test_golden_what_goes_with_pose_stays_out_of_the_direction(model: sample_fit.Model) -> None:
    samples = table()
    raw, left_out = fit_scores(SampleSpace.of(samples), shapes_of(samples), num_ws=2, model=model)
    assert not left_out
    for one, row in zip(raw, (1, 2), strict=True):
        step = one.axis.direction[0].double().numpy()
        assert step[row] / np.linalg.norm(step) > 0.98
        assert one.axis.direction.shape == (2, 8)
        assert one.correlation > 0.9
        assert one.axis.auc > 0.9
        assert one.axis.link == "identity"
        seen = one.axis.readout.double().numpy() @ step
        assert one.axis.eta_per_unit == pytest.approx(seen)
        assert 0.08 < seen < 0.13  # of the coefficient, along a standard deviation of the code


@pytest.mark.slow
def test_golden_drawn_faces_give_their_directions_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A composite, warped: nothing but the pictures is known to the fit."""
    monkeypatch.setattr(sample_fit, "LEAST_SEEN", 50)
    monkeypatch.setattr(sample_scores, "LEAST_SHOWN", 4)
    monkeypatch.setattr(sample_units, "FACES", 2)
    generator, config = WarpedFaces(), SampleConfig(count=64, psi=1.0)
    samples = read_samples(generator, config, sample_folder(tmp_path, generator, config))
    assert samples is not None
    assert samples.seen.all()
    fit = fit_samples(generator, samples)
    for name, row, least in (("mouthSmile", SMILE, 0.95), ("happiness", SMILE, 0.95), ("browInnerUp", BROWS, 0.7)):
        step = fit.axes[name].direction[0].double().numpy()
        assert step[row] / np.linalg.norm(step) > least, name
        assert abs(step[LIGHT]) / np.linalg.norm(step) < 0.2
    measured = {one.axis.name: one for one in fit.measured}
    assert measured["browInnerUp"].rise == pytest.approx(measured["browInnerUp"].typical)
    assert 0.2 < measured["mouthSmile"].rise < measured["mouthSmile"].typical
    assert fit.axes["happiness"].has_coefficients
    assert fit.axes["contempt"].has_coefficients
    assert not fit.axes["contempt"].has_direction
    assert "one-sided" in fit.left_out["contempt"]
    assert fit.axes["jawOpen"].direction.numel() == 0  # nothing opens it
    lines, report = sample_lines(fit), sample_report(fit)
    assert lines[0] == "64 of 64 samples show a face"
    assert any(line.startswith("left out: jawOpen (") for line in lines)
    assert set(report["expressions"]) == set(measured)  # type: ignore[arg-type]
    save_axes(tmp_path / "axes.safetensors", fit.axes)
    assert load_axes(tmp_path / "axes.safetensors").content_fingerprint == fit.axes.content_fingerprint


def test_error_too_few_faces() -> None:
    samples, unseen = table(300), table(300)
    unseen.coefficients[:] = np.nan
    with pytest.raises(ExpressionError, match=r"0 of 300 samples of 'x' show a face; .* give a generator of faces"):
        expect_faces(unseen, "x")
    unseen.coefficients[:100] = 0
    with pytest.raises(
        ExpressionError, match=r"100 of 300 samples of 'x' show a face, needed are 200 or more; ask for more"
    ):
        expect_faces(unseen, "x")
    samples.w[:] = 1
    with pytest.raises(ExpressionError, match="all of them by one code"):
        expect_faces(samples, "x")
    samples = table(300)
    samples.w[:5] = np.nan
    assert len(expect_faces(samples, "x")) == 295


def test_error_constant_coefficients_and_collinear_covariates() -> None:
    samples = table(300)
    samples.coefficients[:] = 0.1
    scores = [score for part in scores_of(samples, load_axes()) for score in part]
    assert all(score.why for score in scores)
    assert next(score.why for score in scores if score.name == "jawOpen") == "it reads as 0.10 in every sample"
    with pytest.raises(ExpressionError, match=r"show no expression that could be fitted \(.*ask for more --samples"):
        fit_samples(WarpedFaces(), replace(samples, w=samples.w[:, :CODES]))
    samples.pose_deg[:, 1] = 2 * samples.pose_deg[:, 0]
    samples.skin[:, 0] = 3
    names, values, notes = covariates_of(samples)
    assert names == ("yaw_deg", "roll_deg", "redness", "texture")
    assert values.shape == (300, 4)
    assert notes == (
        "pitch_deg follows from the covariates before it, so it is not held fixed twice",
        "lightness is the same in every sample, so it is not held fixed",
    )
    noise = replace(table(300), w=np.random.default_rng(1).normal(0, 1, (300, 8)).astype(np.float32))
    raw, left_out = fit_scores(SampleSpace.of(noise), shapes_of(noise), num_ws=2)
    assert not raw
    assert "the codes hardly tell it" in left_out["jawOpen"]


def test_shape_typical_rise_is_less_than_the_step() -> None:
    axes = load_axes()
    assert 0.5 < typical_rise(axes["happiness"]) < 1
    assert 0 < typical_rise(axes["browDown"]) < typical_rise(axes["jawOpen"]) < 1
    assert shapes_in(axes["jawOpen"]) == {"jawOpen": 1.0}


def test_shape_the_unit_is_where_faces_read_as_typical() -> None:
    length = sample_units._length
    assert length(np.array([0.3, 0.9]), 0.6) == pytest.approx(2.25)
    assert length(np.array([0.3, 0.9]), 0.15) == pytest.approx(0.75)
    assert length(np.array([0.1, 0.2]), 0.6) == 3.0  # as far as is typical, and told
    assert length(np.array([0.2, np.nan]), 0.6) == 1.5  # no faces any more beyond
    assert length(np.array([0.01, -0.2]), 0.6) is None
    assert length(np.array([np.nan, np.nan]), 0.6) is None
