"""Our errors, told to the host's user as the one sentence they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ..emogan_core import EmoganError
from .payloads import expect_usable

P = ParamSpec("P")
R = TypeVar("R")


def in_one_sentence(execute: Callable[P, R]) -> Callable[P, R]:
    """A node's `execute` whose EmoganError becomes a ValueError of the same words, without the chain behind it.

    What none of our nodes can use is refused before it begins.
    """

    @wraps(execute)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            expect_usable(kwargs)
            return execute(*args, **kwargs)
        except EmoganError as error:
            sentence = str(error)
        raise ValueError(sentence)

    return told
