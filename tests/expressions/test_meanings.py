"""Every name that can be asked for is explained."""

from __future__ import annotations

from emogan_core.expressions.meanings import EXPRESSIONS, SHAPES
from emogan_core.face_model import load_face_model, sides_of
from emogan_core.parser import NAMED


def test_shape_every_shape_is_explained_once() -> None:
    names = load_face_model().names
    covered = [side for name in SHAPES for side in sides_of(name, names)]
    assert sorted(covered) == sorted(names)


def test_shape_the_command_line_names_the_same_expressions() -> None:
    assert tuple(EXPRESSIONS) == NAMED


def test_shape_phrases_are_short_and_start_small() -> None:
    for phrase in (*EXPRESSIONS.values(), *SHAPES.values()):
        assert phrase[0].islower()
        assert not phrase.endswith(".")
        assert len(phrase) < 120
