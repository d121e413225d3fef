"""Expressions over time: what is wanted at some frames, and what that means for those in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import ExpressionError
from .axes import REFERENCE
from .presets import parse_intensities

EASINGS: Mapping[str, Callable[[float], float]] = {
    "smooth": lambda share: share * share * (3 - 2 * share),
    "linear": lambda share: share,
    "hold": lambda share: float(share >= 1),
}
"""From the share of the time between two keyframes to the share of the way: slow at both ends, even, or all at once."""

MAX_FRAME = 100_000


@dataclass(frozen=True, slots=True)
class Keyframe:
    """The intensities wanted at one frame; what is not named is at 0 there."""

    frame: int
    intensities: Mapping[str, float]


def parse_keyframes(text: str) -> tuple[Keyframe, ...]:
    """Keyframes from lines "frame: name=number, name=number"; "frame: neutral" is a face as it is.

    Raises: ExpressionError for lines that are written otherwise, or frames that do not rise.
    """
    keyframes: list[Keyframe] = []
    for line in (line.strip() for line in text.splitlines()):
        if not line:
            continue
        number, colon, wanted = (piece.strip() for piece in line.partition(":"))
        if not colon or not (number.isascii() and number.isdecimal()) or int(number) > MAX_FRAME:
            raise ExpressionError(
                f"the line '{line[:80]}' came in the keyframes; write frame: name=number, for example "
                "12: happiness=1, browInnerUp=0.5"
            )
        intensities = {} if wanted.lower() == REFERENCE else parse_intensities(wanted, where=f"the keyframe {number}")
        if keyframes and int(number) <= keyframes[-1].frame:
            raise ExpressionError(
                f"keyframe {number} came after {keyframes[-1].frame}; write the frames in rising order, each once"
            )
        keyframes.append(Keyframe(int(number), intensities))
    if not keyframes:
        raise ExpressionError("no keyframes came; write one or more lines, for example 0: neutral")
    return tuple(keyframes)


def intensities_at(keyframes: Sequence[Keyframe], frame: float, *, easing: str = "smooth") -> dict[str, float]:
    """The intensities at any frame: eased between keyframes, and as the nearest one before the first and after the last.

    Convention: keyframes rise; those that come to 0 are left out.
    Raises: ExpressionError for an unknown easing.
    """
    if easing not in EASINGS:
        raise ExpressionError(f"the easing '{easing}' is not known; use one of {', '.join(EASINGS)}")
    first, last = keyframes[0], keyframes[-1]
    mixed = dict(first.intensities if frame <= first.frame else last.intensities)
    for one, two in pairwise(keyframes):
        if one.frame <= frame < two.frame:
            share = EASINGS[easing]((frame - one.frame) / (two.frame - one.frame))
            mixed = {
                name: (1 - share) * one.intensities.get(name, 0.0) + share * two.intensities.get(name, 0.0)
                for name in (*one.intensities, *two.intensities)
            }
    return {name: value for name, value in mixed.items() if value != 0}
