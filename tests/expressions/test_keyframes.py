"""Expressions over time."""

from __future__ import annotations

import pytest

from emogan_core.errors import ExpressionError
from emogan_core.expressions import EASINGS, Keyframe, intensities_at, parse_keyframes

TEXT = "0: neutral\n\n10: happiness=1, browInnerUp=0.5\n 20 : happiness = 0.2 , surprise=1\n"


def test_golden_lines_become_keyframes() -> None:
    assert parse_keyframes(TEXT) == (
        Keyframe(0, {}),
        Keyframe(10, {"happiness": 1.0, "browInnerUp": 0.5}),
        Keyframe(20, {"happiness": 0.2, "surprise": 1.0}),
    )


@pytest.mark.parametrize("easing", list(EASINGS))
def test_invariance_keyframes_are_met_and_their_ends_held(easing: str) -> None:
    keyframes = parse_keyframes("5: anger=1\n" + TEXT.replace("0: neutral", "").replace("10:", "15:"))
    for frame, wanted in ((0, {"anger": 1.0}), (5, {"anger": 1.0}), (15, {"happiness": 1.0, "browInnerUp": 0.5})):
        assert intensities_at(keyframes, frame, easing=easing) == wanted
    assert intensities_at(keyframes, 99, easing=easing) == intensities_at(keyframes, 20, easing=easing)


def test_golden_easings_between_two_frames() -> None:
    keyframes = parse_keyframes("0: anger=1\n8: anger=0, fear=2")
    assert intensities_at(keyframes, 2, easing="linear") == {"anger": 0.75, "fear": 0.5}
    assert intensities_at(keyframes, 2, easing="smooth") == {"anger": 1 - 0.15625, "fear": 2 * 0.15625}
    assert intensities_at(keyframes, 7, easing="hold") == {"anger": 1.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no keyframes came"),
        ("happiness=1", "write frame: name=number"),
        ("-1: happiness=1", "write frame: name=number"),
        ("1.5: happiness=1", "write frame: name=number"),
        ("99999999999: neutral", "write frame: name=number"),
        ("0: smile", "'smile' came in the keyframe 0; write name=number"),
        ("0: anger=1, anger=2", "'anger' came twice"),
        ("5: anger=1\n5: anger=2", "keyframe 5 came after 5"),
        ("5: anger=1\n4: anger=2", "keyframe 4 came after 5"),
    ],
)
def test_error_lines(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError, match=sentence):
        parse_keyframes(text)


def test_error_easing() -> None:
    with pytest.raises(ExpressionError, match="the easing 'bouncy' is not known"):
        intensities_at(parse_keyframes(TEXT), 1, easing="bouncy")
