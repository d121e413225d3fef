"""What settings of any program may say: activation limits, words, and numbers that leave no trace in tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import CheckpointError

MAPPING_RATE = 0.01  # at which mapping networks learn here; another rate is the same network with other numbers
MAX_GROUP = 1 << 16


def expect_settings(settings: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """Where a file has a setting, it must be the one that is drawn here.

    Raises: CheckpointError.
    """
    for key, value in wanted.items():
        came = settings.get(key, value)
        if _plain(came) != _plain(value):
            raise CheckpointError(f"its setting {key} is {shown(came)}, which is not drawn here; needed {shown(value)}")


def clamp_of(value: object) -> float | None:
    """A layer's activation limit, or None for none.

    Raises: CheckpointError.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and 0 < value < float("inf"):
        return float(value)
    raise CheckpointError("an activation limit is no positive number; the file is damaged, get it again")


def clamp_of_all(values: Iterable[object]) -> float | None:
    """The activation limit that all layers have.

    Raises: CheckpointError.
    """
    found = {clamp_of(value) for value in values}
    if len(found) > 1:
        raise CheckpointError("its layers have different activation limits, which is not supported; needed one for all")
    return found.pop() if found else None


def discriminator_facts(*, clamp: float | None, group: object) -> dict[str, Any]:
    """What a GeneratorSpec says of a discriminator; `group` is how many pictures it compares, None for all.

    Raises: CheckpointError.
    """
    whole = isinstance(group, int) and not isinstance(group, bool)
    if group is not None and not (whole and 1 <= group <= MAX_GROUP):  # type: ignore[operator]
        raise CheckpointError(f"it compares pictures in groups of {shown(group)}; needed 1 to {MAX_GROUP}, or none")
    return {"discriminator_clamp": clamp, "discriminator_group": group}


def word(value: object) -> str:
    """A word of the file, fit to be shown."""
    return ascii(value[:40]) if isinstance(value, str) else "not a word"


def shown(value: object) -> str:
    """A setting fit to be shown; what is nested is not walked through, its text may have no end."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(item) if isinstance(item, int | float) else '...' for item in value[:12])}]"
    return str(value) if value is None or isinstance(value, int | float) else word(value)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
