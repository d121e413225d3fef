"""Words of messages that depend on how many there are."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NUMBERED = 12


def counted(number: int, one: str, several: str | None = None) -> str:
    """How many of what, in the number that its words must have; `several` where it is not `one` and an s.

    >>> counted(1, "picture"), counted(0, "picture"), counted(1, "sample shows", "samples show")
    ('1 picture', '0 pictures', '1 sample shows')
    """
    return f"{number} {one if number == 1 else several or one + 's'}"


def numbered(one: str, numbers: Sequence[int]) -> str:
    """Which ones, the first of them by number.

    >>> numbered("picture", [3]), numbered("picture", [3, 5])
    ('picture 3', 'pictures 3, 5')
    """
    if len(numbers) == 1:
        return f"{one} {numbers[0]}"
    more = f" and {len(numbers) - MOST_NUMBERED} more" if len(numbers) > MOST_NUMBERED else ""
    return f"{one}s {', '.join(map(str, numbers[:MOST_NUMBERED]))}{more}"
