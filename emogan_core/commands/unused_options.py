"""Options of which nothing would come as a command was given: they are refused, so that nobody believes that they worked."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from ..errors import EmoganError


def refuse_unused(given: Mapping[str, object], why: str) -> None:
    """Refuse what was given among options, by name, that nothing would come of.

    Raises: EmoganError, that they are `why`.
    """
    asked = [name for name, value in given.items() if not (value is None or value is False or value == "")]
    if asked:
        one = len(asked) == 1
        raise EmoganError(
            f"{', '.join(asked)} {'is' if one else 'are'} {why}, so nothing would come of {'it' if one else 'them'}; leave "
            f"{'it' if one else 'them'} out"
        )


def refuse_unused_for_inversion(arguments: Namespace) -> None:
    """Refuse what is about optimising where nothing is optimised.

    Raises: EmoganError.
    """
    if arguments.method == "encode":
        given = {"--seconds": arguments.seconds, "--editability": arguments.editability}
        refuse_unused(given, "about optimising, and --method encode came, which does not")
