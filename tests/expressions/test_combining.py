"""A part of the way to an edit, and one edit after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import TINY
from tiny_faces import tiny_face

from emogan_core.errors import ShapeError
from emogan_core.expressions import (
    ExpressionAxes,
    apply_expressions,
    inversion_after,
    join_edits,
    load_axes,
    share_of_edit,
)
from emogan_core.expressions.reach import DRAWN_ONLY
from emogan_core.inversion import Edit, Inversion
from emogan_core.latents import Latent


@pytest.fixture
def inversion(rng: torch.Generator) -> Inversion:
    """A smiling face of some generator that the axes were not fitted on."""
    _, fit = tiny_face({"mouthSmile": 0.6})
    ws, image = torch.randn(1, TINY.num_ws, TINY.w_dim, generator=rng), torch.zeros(1, 3, 8, 8)
    return Inversion(Latent(ws, "f" * 64), target=image, reconstruction=image, crops=None, metrics={}, faces=(fit,))


def test_invariance_share_1_is_the_edit_and_0_is_none(inversion: Inversion) -> None:
    edit = apply_expressions(inversion, load_axes(), {"happiness": -0.5, "browDown": 0.4})
    ws = inversion.latent.ws
    edit = Edit(Latent(ws + 1, "f" * 64), edit.coefficients, edit.shading, torch.full_like(ws, 0.75))
    whole, none, half = (share_of_edit(inversion, edit, share) for share in (1.0, 0.0, 0.5))
    assert inversion.faces is not None
    assert edit.coefficients is not None
    assert np.allclose(whole.coefficients, edit.coefficients)
    assert torch.allclose(whole.latent.ws, edit.latent.ws)
    assert np.array_equal(none.coefficients[0], inversion.faces[0].coefficients)
    assert torch.equal(none.latent.ws, inversion.latent.ws)
    assert not none.shading.any()
    assert not none.step.any()
    assert torch.allclose(half.step, torch.full_like(ws, 0.375))
    assert np.allclose(half.coefficients, (edit.coefficients + none.coefficients) / 2)
    assert np.abs(share_of_edit(inversion, edit, 40.0).coefficients).max() <= 1


def test_invariance_one_edit_after_another_is_both(inversion: Inversion) -> None:
    axes = load_axes()
    first = apply_expressions(inversion, axes, {"browDown": 0.4, "happiness": 0.3})
    second = apply_expressions(inversion_after(inversion, first), axes, {"jawOpen": 0.5})
    both, at_once = (
        join_edits([first, second]),
        apply_expressions(inversion, axes, {"browDown": 0.4, "happiness": 0.3, "jawOpen": 0.5}),
    )
    assert np.allclose(both.coefficients, at_once.coefficients)
    assert np.allclose(both.shading, at_once.shading)
    stepped = [
        replace(edit, step=torch.full_like(edit.latent.ws, value)) for edit, value in ((first, 1.0), (second, 2.0))
    ]
    assert torch.equal(join_edits(stepped).step, torch.full_like(first.latent.ws, 3.0))


def test_error_an_edit_of_others(inversion: Inversion) -> None:
    other = Edit(Latent(torch.zeros(2, TINY.num_ws, TINY.w_dim), "f" * 64))
    with pytest.raises(ShapeError, match="give an edit of this inversion"):
        share_of_edit(inversion, other, 0.5)


def test_shape_notices_come_along(inversion: Inversion) -> None:
    axes = load_axes()
    first = apply_expressions(inversion, axes, {"jawOpen": -0.5})
    second = apply_expressions(inversion_after(inversion, first), axes, {"jawOpen": -0.5, "cheekPuff": -0.5})
    both = join_edits([first, second])
    assert [note.split(" moves")[0] for note in both.notices[0]] == ["jawOpen -0.5", "cheekPuff -0.5"]
    assert both[0].notices == both.notices
    assert share_of_edit(inversion, first, 0.5).notices == first.notices


def test_invariance_an_edit_without_coefficients_keeps_those_before(inversion: Inversion, axes: ExpressionAxes) -> None:
    """An axis that only the generator draws leaves a copied or named expression where it is, and says that it is not seen."""
    ws = torch.zeros(1, *axes["smile"].direction.shape)
    before = replace(inversion, latent=Latent(ws, axes.fingerprint))
    moved = apply_expressions(before, axes, {"jawOpen": 0.5})
    drawn = apply_expressions(inversion_after(before, moved), axes, {"smile": 1.0})
    assert drawn.coefficients is None
    for edits in ([moved, drawn], [drawn, moved]):
        both = join_edits(edits)
        assert np.array_equal(both.coefficients, moved.coefficients)
        assert both.notices == ((DRAWN_ONLY,),)
    assert not torch.equal(join_edits([moved, drawn]).latent.ws, ws)
    assert apply_expressions(before, axes, {"jawOpen": 0.5, "smile": 1.0}).notices == ((DRAWN_ONLY,),)
    assert apply_expressions(before, axes, {"jawOpen": 0.5, "smile": 0.0}).notices == ((),)
