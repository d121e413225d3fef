"""What a user reads when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SCHEMAS = Path(__file__).parents[1] / "host/schemas.json"


def test_error_ours_become_value_errors_without_a_chain(part) -> None:
    def execute() -> None:
        try:
            raise KeyError("deep inside")
        except KeyError as error:
            raise part("emogan_core.errors").FaceError("no face came; give a face") from error

    with pytest.raises(ValueError, match=r"^no face came; give a face$") as caught:
        part("nodes.sentences").in_one_sentence(execute)()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_error_others_pass_as_they_are(part) -> None:
    def execute() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        part("nodes.sentences").in_one_sentence(execute)()


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"smoothing": float("nan")}, "^smoothing nan came; give a finite number$"),
        ({"strength": float("inf")}, "^strength inf came; give a finite number$"),
        ({"inversion": {"latent": 1}}, "^what came at 'inversion' is of type dict and not .*; connect Invert Face, "),
        ({"axes": "happiness"}, "^what came at 'axes' is of type str and not .*; connect Load Expression Axes or "),
        ({"expression": {"happiness": "much"}}, "^what came at 'expression' is of type dict and not "),
        ({"add": {"happiness": float("nan")}}, "^what came at 'add' is of type dict and not "),
        ({"face_mask": [1]}, "^what came at 'face_mask' is of type list and not .*; connect a MASK"),
    ],
)
def test_error_what_no_node_can_use_is_refused_before_it_begins(part, inputs, sentence: str) -> None:
    def execute(**inputs: object) -> None:
        raise AssertionError("began")

    with pytest.raises(ValueError, match=sentence):
        part("nodes.sentences").in_one_sentence(execute)(**inputs)


def test_error_a_payload_of_another_copy_of_the_pack_is_refused(part) -> None:
    class HeldInversion:
        """As another version of the pack has it."""

    with pytest.raises(ValueError, match="have one copy of EmotionGAN installed"):
        part("nodes.sentences").in_one_sentence(lambda inversion: None)(inversion=HeldInversion())


def test_shape_usable_inputs_pass(part) -> None:
    payloads = part("nodes.payloads")
    held = payloads.HeldGenerator(None, None)
    given = {"generator": held, "expression": {"happiness": 1}, "axes": None, "strength": 0.5, "face": 3, "more": ""}
    assert part("nodes.sentences").in_one_sentence(lambda **inputs: inputs)(**given) == given


def test_shape_every_link_of_every_node_is_checked(part) -> None:
    payloads = part("nodes.payloads").PAYLOADS
    wanted = {
        "IMAGE": "Tensor",
        "MASK": "Tensor",
        "EMOTIONGAN_GENERATOR": "HeldGenerator",
        "EMOTIONGAN_LATENT": "HeldInversion",
        "EMOTIONGAN_AXES": "ExpressionAxes",
        "EMOTIONGAN_EXPRESSION": "Mapping",
    }
    for node, schema in json.loads(SCHEMAS.read_text(encoding="utf-8")).items():
        for name, (kind, *_) in [(name, one) for group in schema["input"].values() for name, one in group.items()]:
            if kind in wanted:
                assert payloads[name][0].__name__ == wanted[kind], f"{node}.{name}"
            elif name != "face_landmarks":  # which has sentences of its own
                assert name not in payloads, f"{node}.{name}"
