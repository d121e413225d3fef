"""What a terminal is told in passing, and how its user stops a command."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .errors import shortened

MOST_PRINTED = 4000


def printable(text: str) -> str:
    """One line that no odd file name or foreign message can break, colour or fill the screen with."""
    text = shortened(text, MOST_PRINTED)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def tell_note(message: Warning | str, *_: object, **__: object) -> None:
    """A note on standard error; as `warnings.showwarning` is called."""
    print(f"emogan: note: {printable(str(message))}", file=sys.stderr)


class _Notes(logging.Handler):
    """Tells what the core logs as notes: some of it is a stranger's words, which a terminal must not take for commands."""

    def emit(self, record: logging.LogRecord) -> None:
        tell_note(record.getMessage())


@contextmanager
def notes_told() -> Iterator[None]:
    """What the core logs comes as notes meanwhile."""
    log, handler = logging.getLogger("emogan"), _Notes(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """A plain kill and a closed terminal stop a command as Ctrl-C does, so that no temporary file is left."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    with suppress(ValueError):  # another thread than the first handles no signals
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # not every system has both
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
