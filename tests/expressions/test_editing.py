"""Editing: linear, exact at zero, and kind about wrong input."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from emogan_core.errors import ExpressionError, ShapeError, SpaceMismatch
from emogan_core.expressions import ExpressionAxes, apply_expressions
from emogan_core.latents import Latent


@pytest.fixture
def latent(axes: ExpressionAxes) -> Latent:
    rows = torch.randn(3, *axes["smile"].direction.shape, generator=torch.Generator().manual_seed(1))
    return Latent(rows, axes.fingerprint)


@pytest.fixture
def two(axes: ExpressionAxes) -> ExpressionAxes:
    smile = axes["smile"]
    frown = replace(smile, name="frown", direction=smile.direction.flip(1))
    return replace(axes, axes=(smile, frown))


def test_invariance_zero_returns_the_very_same_latent(latent, two):
    assert apply_expressions(latent, two, {"smile": 0.0, "frown": -0.0}) is latent
    assert apply_expressions(latent, two, {}) is latent


def test_invariance_steps_add_up_in_any_order(latent, two):
    both = apply_expressions(latent, two, {"smile": 0.5, "frown": -1.25}).ws
    other = apply_expressions(apply_expressions(latent, two, {"frown": -1.25}), two, {"smile": 0.5}).ws
    torch.testing.assert_close(both, other)
    torch.testing.assert_close(both, latent.ws + 0.5 * two["smile"].direction - 1.25 * two["frown"].direction)


def test_invariance_the_argument_is_untouched(latent, axes):
    before = latent.ws.clone()
    apply_expressions(latent, axes, {"smile": 2.0})
    assert torch.equal(latent.ws, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_shape_and_dtype_follow_the_latent(latent, axes, dtype):
    edited = apply_expressions(Latent(latent.ws.to(dtype), latent.fingerprint), axes, {"smile": 1.0})
    assert edited.ws.dtype == dtype
    assert edited.ws.shape == latent.ws.shape


def test_shape_works_under_inference_mode(latent, axes):
    with torch.inference_mode():
        inside = Latent(latent.ws.clone(), latent.fingerprint)
        edited = apply_expressions(inside, axes, {"smile": 1.0})
    assert not torch.equal(edited.ws, latent.ws)
    assert not edited.ws.is_inference()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "much", None])
def test_error_intensity_is_no_number(latent, axes, value):
    with pytest.raises(ExpressionError, match=r"'smile'.*give"):
        apply_expressions(latent, axes, {"smile": value})


@pytest.mark.parametrize("value", [3.01, -7.0])
def test_error_intensity_beyond_the_limit(latent, axes, value):
    with pytest.raises(ExpressionError, match="limit of 3"):
        apply_expressions(latent, axes, {"smile": value})


def test_error_unknown_expression_lists_the_known(latent, two):
    with pytest.raises(ExpressionError, match=r"'grin'.*smile, frown"):
        apply_expressions(latent, two, {"grin": 0.0})


def test_error_another_generator(latent, axes):
    with pytest.raises(SpaceMismatch, match="generator"):
        apply_expressions(Latent(latent.ws, "a" * 64), axes, {"smile": 0.0})


def test_error_another_number_of_rows(latent, axes):
    with pytest.raises(ShapeError, match="rows"):
        apply_expressions(Latent(latent.ws[:, :2], latent.fingerprint), axes, {"smile": 1.0})
