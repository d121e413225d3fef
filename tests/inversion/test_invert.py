"""Inversion on a tiny generator: it finds codes, leaves inputs alone, can be stopped and lives inside inference mode."""

from __future__ import annotations

import copy
import time
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from tiny import make_generator
from tiny_models import portrait

from emogan_core.errors import Cancelled, CheckpointError, EmoganError, ShapeError
from emogan_core.inversion import OptimiseConfig, Weights, ignored_note, invert, invert_images
from emogan_core.inversion.objective import dissimilarity, editability, pyramid_l1
from emogan_core.inversion.schedule import rate_at
from emogan_core.networks import Generator
from emogan_core.networks.memory import Need
from emogan_core.networks.sampling import sampled
from emogan_core.progress import StepReport

SHORT = OptimiseConfig(steps=25, hybrid_steps=15, tune_steps=10)
OF_NETWORKS = {"perceptual", "identity"}  # of the user's: in test_likeness
METHODS = ["encode", "optimise", "hybrid", "tune"]


@pytest.fixture(scope="module")
def images(tiny: Generator) -> torch.Tensor:
    z = torch.randn(3, 16, generator=torch.Generator().manual_seed(11))
    return tiny.synthesis(tiny.mapping(z, psi=0.8)).clamp(-1, 1)


@pytest.mark.parametrize("method", METHODS)
def test_shape_every_method_gives_a_batch(tiny: Generator, images: torch.Tensor, method: str) -> None:
    inversion = invert_images(tiny, images, method=method, config=SHORT)
    assert inversion.latent.ws.shape == (3, 8, 16)
    assert inversion.reconstruction.shape == images.shape
    assert inversion.latent.fingerprint == tiny.fingerprint
    assert set(inversion.metrics) == {"psnr_db", "w_distance", "layer_spread"}
    one = inversion[1]
    assert len(one) == 1
    torch.testing.assert_close(one.target, images[1:2])
    assert (inversion.delta is None) == (method != "tune")


@pytest.mark.slow
def test_golden_optimising_recovers_own_samples(tiny: Generator, images: torch.Tensor) -> None:
    config = OptimiseConfig(steps=150, weights=Weights(w_distance=0.0, layer_spread=0.0))
    before = invert_images(tiny, images, method="optimise", config=replace(config, steps=1)).metrics["psnr_db"]
    after = invert_images(tiny, images, method="optimise", config=config).metrics["psnr_db"]
    assert all(late > early + 6 for early, late in zip(before, after, strict=True)), (before, after)


def test_invariance_batch_equals_one_by_one(tiny: Generator, images: torch.Tensor) -> None:
    config = OptimiseConfig(steps=5)
    together = invert_images(tiny, images, method="optimise", config=config).latent.ws
    alone = invert_images(tiny, images[2:], method="optimise", config=config).latent.ws
    torch.testing.assert_close(together[2:], alone, atol=2e-3, rtol=0)


def test_invariance_inputs_and_generator_stay_unchanged(tiny: Generator, images: torch.Tensor) -> None:
    picture, weights = images.clone(), {k: v.clone() for k, v in tiny.state_dict().items()}
    invert_images(tiny, images, config=SHORT)
    torch.testing.assert_close(images, picture, atol=0, rtol=0)
    for name, tensor in tiny.state_dict().items():
        torch.testing.assert_close(tensor, weights[name], atol=0, rtol=0)
    assert not any(p.requires_grad for p in tiny.parameters())


def test_invariance_same_inside_inference_mode(tiny: Generator, images: torch.Tensor) -> None:
    outside = invert_images(tiny, images, config=SHORT)
    with torch.inference_mode():
        inside = invert_images(tiny, images.clone(), config=SHORT)
    torch.testing.assert_close(inside.latent.ws, outside.latent.ws, atol=0, rtol=0)
    assert not inside.latent.ws.is_inference()


def test_error_cancelling_stops_within_a_step(tiny: Generator, images: torch.Tensor) -> None:
    steps: list[int] = []

    def stop(report: StepReport) -> None:
        steps.append(report.step)
        if report.step == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        invert_images(tiny, images, method="optimise", config=SHORT, progress=stop)
    assert steps == [1, 2, 3]


def test_shape_progress_previews_are_pictures(tiny: Generator, images: torch.Tensor) -> None:
    reports: list[StepReport] = []
    invert_images(tiny, images, method="hybrid", config=SHORT, progress=reports.append)
    previews = [r.preview for r in reports if r.preview is not None]
    assert [r.step for r in reports] == list(range(1, 16))
    assert previews
    assert all(p.shape == images.shape and not p.requires_grad and p.abs().max() <= 1 for p in previews)


@pytest.mark.parametrize("method", METHODS)
def test_error_a_generator_that_draws_nan(tiny: Generator, images: torch.Tensor, method: str) -> None:
    broken = copy.deepcopy(tiny)
    with torch.no_grad():
        broken.synthesis.b32.torgb.bias.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="draws NaN instead of pictures"):
        invert_images(broken, images, method=method)


def test_error_wrong_inputs(tiny: Generator, images: torch.Tensor) -> None:
    with pytest.raises(ShapeError, match=r"needs \[n, 3, 32, 32\]"):
        invert_images(tiny, images[..., :16])
    with pytest.raises(EmoganError, match="encode, optimise, hybrid, tune"):
        invert_images(tiny, images, method="magic")
    with pytest.raises(CheckpointError, match="no encoder"):
        invert_images(make_generator(companions=False), images, method="encode")


def test_shape_without_companions_optimisation_still_works(images: torch.Tensor) -> None:
    inversion = invert_images(make_generator(companions=False), images, method="hybrid", config=SHORT)
    assert len(inversion) == 3


@pytest.mark.parametrize("name", sorted({f.name for f in fields(Weights)} - OF_NETWORKS))
def test_invariance_every_weight_is_felt(tiny: Generator, images: torch.Tensor, name: str) -> None:
    base = OptimiseConfig(steps=6, hybrid_steps=2, tune_steps=4)
    changed = replace(base, weights=replace(base.weights, **{name: getattr(base.weights, name) * 20 + 1}))
    method = "tune" if name == "locality" else "optimise"
    a = invert_images(tiny, images, method=method, config=base).reconstruction
    b = invert_images(tiny, images, method=method, config=changed).reconstruction
    assert not torch.allclose(a, b)


@pytest.mark.parametrize(
    ("name", "value", "method"),
    [
        ("steps", 3, "optimise"),
        ("hybrid_steps", 3, "hybrid"),
        ("lr", 0.3, "optimise"),
        ("warm_up", 0.9, "optimise"),
        ("decay", 1.0, "optimise"),
        ("editability", 1.0, "optimise"),
        ("tune_steps", 3, "tune"),
        ("seconds", 1e-6, "optimise"),
    ],
)
def test_invariance_every_setting_is_felt(
    tiny: Generator, images: torch.Tensor, name: str, value: float, method: str
) -> None:
    base = OptimiseConfig(steps=8, hybrid_steps=8, tune_steps=8)
    a = invert_images(tiny, images, method=method, config=base).reconstruction
    b = invert_images(tiny, images, method=method, config=replace(base, **{name: value})).reconstruction
    assert not torch.allclose(a, b)


@pytest.mark.slow
def test_invariance_more_editability_never_goes_farther_from_typical_codes(tiny: Generator) -> None:
    other = make_generator(seed=5)
    strange = 0.4 * other.synthesis(sampled(other, 2, psi=0.8, seed=3).ws).clamp(-1, 1)  # no code of `tiny` draws these
    found = [
        invert_images(tiny, strange, config=OptimiseConfig(hybrid_steps=60, editability=share)).metrics
        for share in (0.0, 0.5, 1.0)
    ]
    spreads, likeness = ([sum(metrics[name]) for metrics in found] for name in ("layer_spread", "psnr_db"))
    assert spreads == sorted(spreads, reverse=True)
    assert likeness[0] > likeness[2]


def test_invariance_a_time_budget_ends_a_run_in_time(
    tiny: Generator, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, steps = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def passed(report: StepReport) -> None:
        steps.append(report)
        now[0] += 1.0

    config = OptimiseConfig(hybrid_steps=1000, tune_steps=1000, seconds=10.0)
    invert_images(tiny, images, config=config, progress=passed)
    assert (len(steps), steps[-1].steps) == (10, 10)
    steps.clear()
    invert_images(tiny, images, method="tune", config=config, progress=passed)
    assert [sum(report.what == what for report in steps) for what in ("invert", "tune")] == [5, 5]


def test_error_settings_out_of_range() -> None:
    for seconds in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(EmoganError, match="needed a finite number above 0"):
            OptimiseConfig(seconds=seconds)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(EmoganError, match="needed a number from 0 to 1"):
            OptimiseConfig(editability=share)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["optimise", "tune"])
def test_invariance_what_is_ignored_has_no_say(tiny: Generator, images: torch.Tensor, method: str) -> None:
    ignored = torch.zeros(3, 1, 32, 32)
    ignored[..., :12] = 1
    covered = torch.where(ignored > 0, torch.ones(()), images)
    config = OptimiseConfig(steps=15, hybrid_steps=4, tune_steps=6)
    bare = make_generator(companions=False)  # an encoder sees what is ignored
    one, other = (
        invert_images(bare, pictures, method=method, ignored=ignored, config=config) for pictures in (images, covered)
    )
    seeing = invert_images(bare, covered, method=method, config=config)
    torch.testing.assert_close(one.target, images, atol=0, rtol=0)
    torch.testing.assert_close(one.reconstruction, other.reconstruction, atol=1e-3, rtol=0)
    assert (one.reconstruction - seeing.reconstruction).abs().max() > 0.01
    with pytest.raises(ShapeError, match="these pictures need"):
        invert_images(tiny, images, ignored=ignored[:1])
    with pytest.raises(ShapeError, match="photo's own size"):
        invert(tiny, portrait(), ignored=[np.zeros((9, 9), np.float32)])


def test_invariance_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 100, OptimiseConfig()) for step in range(100)]
    assert max(rates) == pytest.approx(OptimiseConfig().lr)
    assert rates[0] < rates[4]
    assert rates[99] < 0.01 * max(rates)


def test_invariance_identical_pictures_cost_nothing(images: torch.Tensor) -> None:
    torch.testing.assert_close(pyramid_l1(images, images), torch.zeros(3))
    torch.testing.assert_close(dissimilarity(images, images), torch.zeros(3), atol=1e-5, rtol=0)
    assert (dissimilarity(images, images.flip(0))[[0, 2]] > 0.05).all()


def test_invariance_w_distance_counts_standard_deviations(tiny: Generator) -> None:
    ws = (tiny.w_avg + 2 * tiny.w_std).expand(1, 8, 16)
    w_distance, layer_spread = editability(tiny, ws)
    torch.testing.assert_close(w_distance, torch.tensor([4.0]))
    torch.testing.assert_close(layer_spread, torch.tensor([0.0]))


def test_invariance_groups_of_a_batch_are_inverted_alike(
    tiny: Generator, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = OptimiseConfig(steps=4)
    whole = invert_images(tiny, images, method="optimise", config=config)
    monkeypatch.setattr(Need, "_group", lambda self, most: 2)
    steps: list[StepReport] = []
    parts = invert_images(tiny, images, method="optimise", config=config, progress=steps.append)
    torch.testing.assert_close(parts.latent.ws, whole.latent.ws, atol=2e-3, rtol=0)
    torch.testing.assert_close(parts.reconstruction, whole.reconstruction, atol=5e-3, rtol=0)
    assert [len(values) for values in parts.metrics.values()] == [len(images)] * 3
    assert [(step.step, step.steps) for step in steps] == [(n + 1, 8) for n in range(8)]
    assert [step.first for step in steps] == [0] * 4 + [2] * 4
    assert [len(step.preview) for step in steps if step.preview is not None] == [2, 2, 1, 1]


def test_golden_what_is_told_of_masks() -> None:
    ignored = torch.zeros(1, 1, 10, 10)
    assert ignored_note(ignored) == "the mask leaves out nothing of the face"
    ignored[..., :5, :] = 1
    assert ignored_note(ignored) == ""
    ignored[..., :9, :] = 1
    ignored[..., 9, :5] = 1
    assert ignored_note(ignored) == "the mask leaves out 95% of the face; white is what does not count"
