"""Every error a user can meet; each message says what came, what was needed and what to do."""

from __future__ import annotations

MOST_CHARACTERS = 1200
"""Of a message: what a stranger's file put into it may be megabytes long."""


class EmoganError(Exception):
    """A user's mistake or a limit, told in one sentence; the command line prints it and exits with 2."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message))


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text without its middle where it is too long: what went wrong stands first, what to do last."""
    if len(text) <= most:
        return text
    return f"{text[: 2 * most // 3]} ... {text[-(most // 3) :]}"


class PhotoError(EmoganError):
    """A file or array that is not a usable picture."""


class FaceError(EmoganError):
    """No face, no such face, or one seen too much from the side."""


class ShapeError(EmoganError):
    """An array of the wrong shape, type or range."""


class CheckpointError(EmoganError):
    """A weights file that is damaged, unknown or refused."""


class SpaceMismatch(EmoganError):  # noqa: N818 - the name says what is wrong
    """Latents, axes or tunings that belong to another generator."""


class ExpressionError(EmoganError):
    """An unknown expression, a bad intensity, or a face set too small to fit."""


class DeviceError(EmoganError):
    """A compute device that does not exist on this machine."""


class OutputError(EmoganError):
    """A file that cannot or must not be written."""


class Cancelled(Exception):  # noqa: N818 - not an error: the caller asked to stop
    """Raised by a progress callback to stop a long computation within one step."""
