"""Other spellings of expressions are read where one thing alone can be meant, and told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emogan_core.errors import ExpressionError
from emogan_core.expressions import ExpressionAxes, load_axes, shape_axis, spelled_as_known


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(("Happiness", "happiness"), ("HAPPY", "happiness"), ("joy", "happiness"), ("disgusted", "disgust")),
        *(("browinnerup", "browInnerUp"), ("MouthSmile_Left", "mouthSmileLeft"), ("eye look left", "eyeLookLeft")),
    ],
)
def test_shape_case_blanks_and_usual_words(name: str, known: str) -> None:
    assert spelled_as_known({name: 0.5}, load_axes()) == ({known: 0.5}, (f"'{name}' was read as {known}",))


def test_shape_names_as_they_are_say_nothing() -> None:
    wanted = {"happiness": 1.0, "jawOpen": 0.5, "smirk": 1.0}
    assert spelled_as_known(wanted, load_axes()) == (wanted, ())


def test_error_two_names_for_one_and_names_that_differ_by_case() -> None:
    with pytest.raises(ExpressionError, match="'happiness' has two intensities, one of them as 'Happy'"):
        spelled_as_known({"happiness": 1.0, "Happy": 0.5}, load_axes())
    axis = load_axes()["happiness"]
    both = ExpressionAxes((replace(axis, name="Smile"), replace(axis, name="smile")), fingerprint="")
    assert spelled_as_known({"Smile": 1.0, "SMILE": 2.0}, both) == ({"Smile": 1.0, "SMILE": 2.0}, ())


def test_error_the_shape_that_the_model_lacks() -> None:
    with pytest.raises(ExpressionError, match="no shape 'tongueOut': its tongue shows behind open lips"):
        load_axes()["TongueOut"]


@pytest.mark.parametrize("own", ["jawOpen", "jawopen", "jaw open"])
def test_shape_an_axis_goes_before_a_shape_of_its_name(own: str) -> None:
    """Whoever labels pictures 'jaw open' means them, in any spelling, and is told."""
    axes = ExpressionAxes((replace(load_axes()["happiness"], name=own),), fingerprint="")
    for asked in ("jawOpen", "JawOpen", own):
        known, told = spelled_as_known({asked: 0.5, "mouthSmile": 1.0}, axes)
        assert known == {own: 0.5, "mouthSmile": 1.0}
        assert told[-1] == f"{own} is the expression of these axes, not the face model's shape jawOpen"
        assert told[:-1] == (() if asked == own else (f"'{asked}' was read as {own}",))


def test_shape_an_axis_that_is_the_shape_replaces_nothing() -> None:
    """As those fitted on a generator's own samples."""
    axes = ExpressionAxes((shape_axis("jawOpen"), shape_axis("mouthSmile")), fingerprint="")
    assert spelled_as_known({"jawOpen": 0.5, "mouthSmile": 1.0}, axes) == ({"jawOpen": 0.5, "mouthSmile": 1.0}, ())


def test_error_a_shape_between_two_axes_of_nearly_its_name() -> None:
    axis = load_axes()["happiness"]
    both = ExpressionAxes((replace(axis, name="jawopen"), replace(axis, name="jaw_open")), fingerprint="")
    with pytest.raises(ExpressionError, match="'jawOpen' may be jawopen or jaw_open of these axes, or the face model"):
        spelled_as_known({"jawOpen": 1.0}, both)
