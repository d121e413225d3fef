"""Names of expression shapes: ARKit's, with Left and Right as the person's own."""

from __future__ import annotations

from collections.abc import Sequence

REGIONS = ("brow", "eye", "cheek", "nose", "jaw", "mouth")
"""What a shape's name starts with, in the order in which they are shown."""

_DIRECTIONS = ("jaw", "mouth")  # jawLeft is where the jaw goes, not whose half moves
_GAZES = {
    "eyeLookLeft": ("eyeLookOutLeft", "eyeLookInRight"),
    "eyeLookRight": ("eyeLookInLeft", "eyeLookOutRight"),
}
"""Both eyes to one side, the person's own: one turns away from the nose and the other towards it."""


def sides_of(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """The shapes that a name means: itself, or its left and right ones where it names no side; () when unknown.

    `eyeLookLeft` and `eyeLookRight` mean both eyes turned to that side.
    >>> sides_of("mouthSmile", ["jawOpen", "mouthSmileLeft", "mouthSmileRight"])
    ('mouthSmileLeft', 'mouthSmileRight')
    """
    if name in names:
        return (name,)
    if name in _GAZES and set(_GAZES[name]) <= set(names):
        return _GAZES[name]
    pair = (f"{name}Left", f"{name}Right")
    return pair if name not in _DIRECTIONS and pair[0] in names and pair[1] in names else ()


def both_sides(names: Sequence[str]) -> tuple[str, ...]:
    """The names without their sides, each once, in order: what can be asked for on both sides at once."""
    found: dict[str, None] = {}
    for name in names:
        bare = name.removesuffix("Left") if name.endswith("Left") else name.removesuffix("Right")
        found[bare if sides_of(bare, names) else name] = None
    return tuple(found)


def mirror_order(names: Sequence[str]) -> list[int]:
    """For each shape the index of the one it becomes when the picture is mirrored left to right."""
    swapped = [_swapped(name, names) for name in names]
    return [list(names).index(name) for name in swapped]


def _swapped(name: str, names: Sequence[str]) -> str:
    for one, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(one) and name.removesuffix(one) + other in names:
            return name.removesuffix(one) + other
    return name
