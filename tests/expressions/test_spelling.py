"""Other spellings of expressions are read where one thing alone can be meant, and told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emogan_core.errors import ExpressionError
from emogan_core.expressions import ExpressionAxes, load_axes, spelled_as_known


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
