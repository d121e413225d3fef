"""Editing: linear in the latent, within reach in the coefficients, exact at zero, and kind about wrong input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from placed_faces import fit_at, upright_pose

from emogan_core.errors import ExpressionError, ShapeError, SpaceMismatch
from emogan_core.expressions import (
    ExpressionAxes,
    apply_expressions,
    copy_expression,
    level_of,
    move_latent,
    moving_axis,
)
from emogan_core.expressions.axes import shape_axis
from emogan_core.expressions.editing import levels_of
from emogan_core.face_model import load_face_model
from emogan_core.inversion import Inversion
from emogan_core.latents import Latent

MODEL = load_face_model()


def at(*names: str) -> list[int]:
    return [MODEL.index(name) for name in names]


def coefficients(**worn: float) -> torch.Tensor:
    step = torch.zeros(len(MODEL.names))
    for name, value in worn.items():
        step[MODEL.index(name)] = value
    return step


@pytest.fixture
def moving(axes: ExpressionAxes) -> ExpressionAxes:
    """A grin that moves the mouth's corners and shades the face, with no part in the latent; and an axis of latents."""
    shading = torch.full((MODEL.face_vertices,), 0.1)
    step = coefficients(mouthSmileLeft=0.6, mouthSmileRight=0.6, mouthFrownLeft=-0.2, mouthFrownRight=-0.2)
    grin = moving_axis("grin", step, shading=shading, source="made up")
    return replace(axes, axes=(*axes.axes, grin))


def face(axes: ExpressionAxes, **worn: float) -> Inversion:
    """An inversion of one made-up face that wears these coefficients."""
    ws = torch.zeros(1, *axes["smile"].direction.shape)
    return Inversion(
        latent=Latent(ws, axes.fingerprint),
        target=torch.zeros(1, 3, 8, 8),
        reconstruction=torch.zeros(1, 3, 8, 8),
        crops=None,
        metrics={},
        faces=(fit_at(MODEL, upright_pose(), **worn),),
    )


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
    assert move_latent(latent, two, {"smile": 0.0, "frown": -0.0}) is latent
    assert move_latent(latent, two, {}) is latent


def test_invariance_steps_add_up_in_any_order(latent, two):
    both = move_latent(latent, two, {"smile": 0.5, "frown": -1.25}).ws
    other = move_latent(move_latent(latent, two, {"frown": -1.25}), two, {"smile": 0.5}).ws
    torch.testing.assert_close(both, other)
    torch.testing.assert_close(both, latent.ws + 0.5 * two["smile"].direction - 1.25 * two["frown"].direction)


def test_invariance_the_argument_is_untouched(latent, axes):
    before = latent.ws.clone()
    move_latent(latent, axes, {"smile": 2.0})
    assert torch.equal(latent.ws, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_shape_and_dtype_follow_the_latent(latent, axes, dtype):
    edited = move_latent(Latent(latent.ws.to(dtype), latent.fingerprint), axes, {"smile": 1.0})
    assert edited.ws.dtype == dtype
    assert edited.ws.shape == latent.ws.shape


def test_shape_works_under_inference_mode(latent, axes):
    with torch.inference_mode():
        inside = Latent(latent.ws.clone(), latent.fingerprint)
        edited = move_latent(inside, axes, {"smile": 1.0})
    assert not torch.equal(edited.ws, latent.ws)
    assert not edited.ws.is_inference()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "much", None])
def test_error_intensity_is_no_number(latent, axes, value):
    with pytest.raises(ExpressionError, match=r"'smile'.*give"):
        move_latent(latent, axes, {"smile": value})


@pytest.mark.parametrize("value", [3.01, -7.0])
def test_error_intensity_beyond_the_limit(latent, axes, value):
    with pytest.raises(ExpressionError, match="limit of 3"):
        move_latent(latent, axes, {"smile": value})


def test_error_unknown_expression_lists_the_known(latent, two):
    with pytest.raises(ExpressionError, match=r"'grin' is not known.*smile, frown"):
        move_latent(latent, two, {"grin": 0.0})


def test_error_another_generator(latent, axes):
    with pytest.raises(SpaceMismatch, match="generator"):
        move_latent(Latent(latent.ws, "a" * 64), axes, {"smile": 0.0})


def test_error_another_number_of_rows(latent, axes):
    with pytest.raises(ShapeError, match="rows"):
        move_latent(Latent(latent.ws[:, :2], latent.fingerprint), axes, {"smile": 1.0})


def test_golden_coefficients_and_shading_move_by_the_intensity(moving: ExpressionAxes) -> None:
    edit = apply_expressions(face(moving), moving, {"grin": 0.5})
    np.testing.assert_allclose(edit.coefficients[0, at("mouthSmileLeft", "mouthSmileRight")], 0.3 + 0.1, atol=1e-6)
    np.testing.assert_allclose(edit.shading, 0.05, atol=1e-7)
    assert edit.latent.ws.abs().max() == 0  # it has no part in the latent


def test_invariance_zero_changes_nothing(moving: ExpressionAxes) -> None:
    before = face(moving, jawOpen=0.3)
    edit = apply_expressions(before, moving, {"grin": 0.0, "browInnerUp": 0.0})
    assert edit.latent is before.latent
    np.testing.assert_array_equal(edit.coefficients[0], before.faces[0].coefficients)
    assert not edit.shading.any()


def test_shape_every_shape_is_an_axis_with_sides_apart_or_together(moving: ExpressionAxes) -> None:
    one = apply_expressions(face(moving), moving, {"mouthSmileLeft": 0.4}).coefficients[0]
    assert [one[i] for i in at("mouthSmileLeft", "mouthSmileRight")] == pytest.approx([0.4, 0.0])
    both = apply_expressions(face(moving), moving, {"browInnerUp": 0.7}).coefficients[0]
    assert [both[i] for i in at("browInnerUpLeft", "browInnerUpRight")] == pytest.approx([0.7, 0.7])
    assert np.count_nonzero(both) == 2


def test_invariance_several_add_up_and_are_clipped(moving: ExpressionAxes) -> None:
    edit = apply_expressions(
        face(moving, mouthSmileLeft=0.5), moving, {"grin": 1.0, "jawOpen": 0.25, "mouthSmile": 0.2}
    )
    assert edit.coefficients[0, MODEL.index("mouthSmileLeft")] == 1.0
    assert edit.coefficients[0, MODEL.index("jawOpen")] == pytest.approx(0.25)


def test_golden_below_zero_the_opposite_begins_or_it_stops(moving: ExpressionAxes) -> None:
    worn = apply_expressions(face(moving, mouthSmileLeft=0.3), moving, {"mouthSmileLeft": -0.8}).coefficients[0]
    assert [worn[i] for i in at("mouthSmileLeft", "mouthFrownLeft")] == pytest.approx([0.0, 0.5])
    worn = apply_expressions(face(moving, jawOpen=0.2), moving, {"jawOpen": -1.0}).coefficients[0]
    assert not worn.any()


def test_golden_absolute_sets_levels(moving: ExpressionAxes) -> None:
    before = face(moving, browInnerUpLeft=0.6, browInnerUpRight=0.2)
    worn = apply_expressions(before, moving, {"browInnerUp": 0.5}, absolute=True).coefficients[0]
    assert [worn[i] for i in at("browInnerUpLeft", "browInnerUpRight")] == pytest.approx([0.5, 0.5])
    grinning = face(moving, mouthSmileLeft=0.6, mouthSmileRight=0.6)
    once = apply_expressions(grinning, moving, {"grin": 1.0}, absolute=True).coefficients[0]
    assert level_of(moving["grin"], once) == pytest.approx(1.0, abs=0.1)


def test_golden_neutral_first_takes_the_present_expression_off(moving: ExpressionAxes) -> None:
    before = face(moving, mouthSmileLeft=0.6, mouthSmileRight=0.6, jawOpen=0.4, eyeLookUpLeft=0.5)
    edit = apply_expressions(before, moving, {"browInnerUp": 0.3}, neutral_first=True)
    worn = edit.coefficients[0]
    assert [worn[i] for i in at("mouthSmileLeft", "jawOpen", "browInnerUpLeft")] == pytest.approx([0.0, 0.0, 0.3])
    assert worn[MODEL.index("eyeLookUpLeft")] == 0.5  # where the eyes look is no expression
    assert edit.shading.max() < 0  # the grin's shading goes with it


def test_golden_the_latent_moves_with_its_own_axes(moving: ExpressionAxes) -> None:
    edit = apply_expressions(face(moving), moving, {"smile": 0.5})
    torch.testing.assert_close(edit.latent.ws[0], 0.5 * moving["smile"].direction)
    assert edit.coefficients is None  # to be read off the redrawn face
    both = apply_expressions(face(moving), moving, {"smile": 0.5, "grin": 1.0})
    assert torch.equal(both.latent.ws, edit.latent.ws)
    assert both.coefficients.any()


def test_golden_an_edit_tells_the_step_along_designed_axes(moving: ExpressionAxes) -> None:
    """ "smile" was fitted on examples; a grin with a direction on moved faces."""
    told = replace(moving["grin"], direction=2 * moving["smile"].direction, designed=True)
    axes = replace(moving, axes=(moving["smile"], told))
    direction = moving["smile"].direction
    edit = apply_expressions(face(axes), axes, {"smile": 0.5, "grin": 1.0})
    torch.testing.assert_close(edit.latent.ws[0], 2.5 * direction)
    torch.testing.assert_close(edit.step[0], 2 * direction)
    torch.testing.assert_close(edit[0].step, edit.step)
    assert apply_expressions(face(axes), axes, {"grin": 0.0}).step is None
    assert apply_expressions(face(moving), moving, {"smile": 0.5, "grin": 1.0}).step is None


def test_shape_axes_of_another_generator_still_move_the_face(moving: ExpressionAxes) -> None:
    other = replace(moving, fingerprint="a" * 64)
    before = face(moving)
    edit = apply_expressions(before, other, {"grin": 1.0})
    assert edit.latent is before.latent
    assert edit.coefficients.any()
    with pytest.raises(SpaceMismatch, match="generator"):
        apply_expressions(before, other, {"smile": 1.0})  # that one has no part of the face model


def test_golden_another_faces_expression_is_copied(moving: ExpressionAxes) -> None:
    reference = fit_at(MODEL, upright_pose(), mouthSmileLeft=0.7, browDownLeft=0.4)
    before = face(moving, browDownLeft=0.1, jawOpen=0.2)
    whole = copy_expression(before, reference, moving).coefficients[0]
    np.testing.assert_array_equal(whole, reference.coefficients)
    mouth = copy_expression(before, reference, moving, regions=("mouth",)).coefficients[0]
    assert [mouth[i] for i in at("mouthSmileLeft", "browDownLeft", "jawOpen")] == pytest.approx([0.7, 0.1, 0.2])
    with pytest.raises(ExpressionError, match="'ears' is not known"):
        copy_expression(before, reference, moving, regions=("ears",))


def test_error_unknown_names_suggest_the_nearest(moving: ExpressionAxes) -> None:
    with pytest.raises(ExpressionError, match="did you mean mouthSmile"):
        apply_expressions(face(moving), moving, {"mouthsmile": 1.0})


def test_golden_expressions_alike_do_not_count_twice(moving: ExpressionAxes) -> None:
    alike = replace(moving["grin"], name="smirk")
    both = replace(moving, axes=(*moving.axes, alike))
    once = apply_expressions(face(moving, mouthSmileLeft=0.6, mouthSmileRight=0.6), moving, {}, neutral_first=True)
    twice = apply_expressions(face(both, mouthSmileLeft=0.6, mouthSmileRight=0.6), both, {}, neutral_first=True)
    np.testing.assert_allclose(once.shading, twice.shading)


def test_golden_what_the_fit_counted_to_the_person_is_taken_off_as_well(moving: ExpressionAxes) -> None:
    counted_half = replace(moving, axes=(*moving.axes[:-1], replace(moving["grin"], level_gain=2.0)))
    before = face(moving, mouthSmileLeft=0.3, mouthSmileRight=0.3)
    level = level_of(counted_half["grin"], before.faces[0].coefficients)
    assert level == pytest.approx(2 * (0.45 - 0.035))  # 0.45 of it is read, of which 0.035 may be noise
    edit = apply_expressions(before, counted_half, {}, neutral_first=True)
    assert edit.coefficients[0, MODEL.index("mouthSmileLeft")] == pytest.approx(-level / 2 * 0.6)
    np.testing.assert_allclose(edit.shading, -0.1 * level, atol=1e-6)
    copied = copy_expression(face(moving), before.faces[0], counted_half)
    assert copied.coefficients[0, MODEL.index("mouthSmileLeft")] == pytest.approx(0.3 + level / 2 * 0.6)
    np.testing.assert_allclose(copied.shading, 0.1 * level, atol=1e-6)


def test_invariance_what_was_taken_off_stays_off_under_later_edits(moving: ExpressionAxes) -> None:
    """A coefficient below 0 undoes what the fit counted to the person; other edits on top must not bring that back."""
    neutralised = face(moving, mouthSmileLeft=-0.25, mouthSmileRight=-0.25)
    raised = apply_expressions(neutralised, moving, {"browInnerUp": 0.3}).coefficients[0]
    assert [raised[i] for i in at("mouthSmileLeft", "browInnerUpLeft")] == pytest.approx([-0.25, 0.3])
    reference = fit_at(MODEL, upright_pose(), mouthSmileLeft=0.7)
    copied = copy_expression(neutralised, reference, moving).coefficients[0]
    assert copied[MODEL.index("mouthSmileLeft")] == pytest.approx(0.7 - 0.25)


def test_invariance_shapes_explain_what_expressions_leave(moving: ExpressionAxes) -> None:
    """A set of axes that has single shapes beside expressions reads a grin as a grin all the same."""
    both = replace(moving, axes=(shape_axis("mouthSmile"), *moving.axes))
    coefficients = fit_at(MODEL, upright_pose(), mouthSmileLeft=0.5, mouthSmileRight=0.5).coefficients
    alone = {axis.name: level for axis, level in levels_of(moving, coefficients).items()}
    together = {axis.name: level for axis, level in levels_of(both, coefficients).items()}
    assert {name: together[name] for name in alone} == alone
    assert together.get("mouthSmile", 0.0) < 0.5


def told_of(before: Inversion, axes: ExpressionAxes, asked: dict[str, float], **options: bool) -> tuple[str, ...]:
    """What an edit of one face has to say."""
    (told,) = apply_expressions(before, axes, asked, **options).notices
    return told


def test_golden_a_shape_that_stops_is_told_with_its_range(moving: ExpressionAxes) -> None:
    shut = "jawOpen -0.5 moves nothing: this shape goes from 0 to 1 and has no opposite movement, and the face shows 0.00 of it"
    assert told_of(face(moving), moving, {"jawOpen": -0.5}) == (shut,)
    assert told_of(face(moving, jawOpen=0.3), moving, {"jawOpen": -0.5}, neutral_first=True) == (shut,)
    frowning = face(moving, mouthFrownLeft=1.0, mouthFrownRight=1.0)
    (told,) = told_of(frowning, moving, {"mouthSmile": -0.5})
    assert "mouthSmile -0.5 moves nothing: this shape goes from 0 to 1, its opposite movement from 0 to -1" in told
    (told,) = told_of(face(moving, jawOpen=0.05), moving, {"jawOpen": -0.5})
    assert told.startswith("jawOpen -0.5 moves it by 0.05: this shape goes from 0 to 1")
    (told,) = told_of(face(moving, jawOpen=0.25), moving, {"jawOpen": 2.0})
    assert "jawOpen +2 moves it by 0.75" in told
    (told,) = told_of(face(moving, mouthSmileLeft=1.0, mouthSmileRight=1.0), moving, {"grin": 1.0})
    assert told == "grin +1 moves nothing: all that it moves is as far as it goes already"


def test_invariance_what_moves_the_face_is_not_told(moving: ExpressionAxes) -> None:
    quiet = [
        (face(moving), {"jawOpen": 0.5, "mouthSmile": -0.5, "eyeLookLeft": -0.5, "grin": -1.0}),
        (face(moving, jawOpen=0.4), {"jawOpen": -1.0}),
        (face(moving), {"jawOpen": 0.0}),
    ]
    assert [told_of(before, moving, asked) for before, asked in quiet] == [(), (), ()]
    yawn = moving_axis("yawn", coefficients(jawOpen=0.6), source="made up")
    beside = replace(moving, axes=(*moving.axes, yawn))
    assert told_of(face(beside), beside, {"yawn": 1.0, "jawOpen": -0.5}) == ()


def test_golden_an_edit_tells_what_axes_of_examples_do_not(moving: ExpressionAxes) -> None:
    """Shapes and designed axes, as these are read off the photo; taking off what there is counts to axes that know it."""
    learned = replace(moving["smile"], name="smirk", coefficients=coefficients(mouthSmileLeft=0.5))
    mixed = replace(moving, axes=(*moving.axes, learned))
    before = face(moving, jawOpen=0.2)
    own = apply_expressions(before, mixed, {"smirk": 1.0})
    assert own.designed_change is not None
    assert not own.designed_change.any()
    beside = apply_expressions(before, mixed, {"smirk": 1.0, "jawOpen": 0.3, "grin": 0.5})
    assert beside.designed_change[0][MODEL.index("jawOpen")] == pytest.approx(0.3)
    assert beside.designed_change[0][MODEL.index("mouthSmileRight")] == pytest.approx(0.4)
    assert beside.designed_change[0][MODEL.index("mouthSmileLeft")] == pytest.approx(0.4)
    shapes = apply_expressions(before, mixed, {"jawOpen": 0.3})
    assert np.array_equal(shapes.designed_change[0], shapes.coefficients[0] - before.faces[0].coefficients)
    foreign = apply_expressions(before, replace(mixed, fingerprint="e" * 64), {"smirk": 1.0})
    assert foreign.designed_change.any()
