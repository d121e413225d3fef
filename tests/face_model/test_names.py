"""Names of shapes: sides, and what a mirror does to them."""

from __future__ import annotations

from emogan_core.face_model import both_sides, load_face_model, sides_of
from emogan_core.face_model.names import mirror_order

NAMES = ("browDownLeft", "browDownRight", "jawLeft", "jawOpen", "jawRight")


def test_shape_a_name_without_a_side_means_both() -> None:
    assert sides_of("browDown", NAMES) == ("browDownLeft", "browDownRight")
    assert sides_of("browDownLeft", NAMES) == ("browDownLeft",)
    assert sides_of("jawOpen", NAMES) == ("jawOpen",)
    assert sides_of("grin", NAMES) == ()
    assert sides_of("jaw", NAMES) == ()  # jawLeft and jawRight are two directions of one jaw


def test_shape_a_gaze_to_one_side_turns_both_eyes() -> None:
    names = load_face_model().names
    assert sides_of("eyeLookLeft", names) == ("eyeLookOutLeft", "eyeLookInRight")
    assert sides_of("eyeLookRight", names) == ("eyeLookInLeft", "eyeLookOutRight")
    assert sides_of("eyeLookLeft", NAMES) == ()


def test_shape_names_without_their_sides() -> None:
    assert both_sides(NAMES) == ("browDown", "jawLeft", "jawOpen", "jawRight")


def test_invariance_a_mirror_swaps_sides_and_twice_is_once() -> None:
    order = mirror_order(NAMES)
    assert [NAMES[i] for i in order] == ["browDownRight", "browDownLeft", "jawRight", "jawOpen", "jawLeft"]
    assert [order[i] for i in order] == list(range(len(NAMES)))
