"""The command line: reads arguments, hands them to a command, prints what it says and turns mistakes into one line."""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import Cancelled, EmoganError
from .parser import build_parser, joined
from .progress_bar import ProgressBar
from .terminal import ended_as_by_ctrl_c, notes_told, printable, tell_note

if TYPE_CHECKING:
    from .commands import Outputs

FAILED = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 for a user's mistake told in one line, 130 when interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name the terminal cannot spell is no failure
    with warnings.catch_warnings(), notes_told(), ended_as_by_ctrl_c():
        warnings.showwarning = tell_note
        return _run(sys.argv[1:] if argv is None else argv)


def _run(argv: Sequence[str]) -> int:
    outputs: Outputs | None = None
    try:
        arguments = build_parser().parse_args(joined(argv))
        from .commands import COMMANDS, Outputs  # heavy: torch

        outputs = Outputs(force=getattr(arguments, "force", False))
        with ProgressBar(sys.stderr, quiet=arguments.json) as progress:
            report, lines = COMMANDS[arguments.command](arguments, progress, outputs)
        if sys.stdout is None:
            return _say("standard output is closed, so the report cannot be shown; files asked for are written", FAILED)
        print(json.dumps(report, sort_keys=True) if arguments.json else "\n".join(printable(line) for line in lines))
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        return _say(f"stopped; {_left(outputs) or 'nothing was written'}", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output left: nothing to tell it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:  # a bug of ours: its traceback is what a report needs
            raise
        left = _left(outputs)
        return _say(f"{sentence}; {left}" if left else sentence, FAILED)
    return 0


def _left(outputs: Outputs | None) -> str:
    """What a command that did not end well left behind."""
    names = [] if outputs is None else [str(path) for path in outputs.written]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"written before: {', '.join(names[:6])}{more}" if names else ""


def _sentence(error: Exception) -> str | None:
    """What to tell the user about an error, None when it is no mistake of theirs."""
    if isinstance(error, EmoganError):
        return str(error)
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename is not None else ""
        return f"cannot use{where or ' a file'}: {error.strerror or error}; check the path and the disk"
    if isinstance(error, ImportError) and error.name and not error.name.startswith("emogan_core"):
        return f"the Python package '{error.name}' cannot be imported; install it with: pip install -r requirements.txt"
    out_of_memory = isinstance(error, RuntimeError) and "memory" in str(error) and "alloc" in str(error).lower()
    if isinstance(error, MemoryError) or out_of_memory:
        return "not enough memory for this; use a smaller photo or generator, or --device cpu"
    return None


def _say(sentence: str, status: int) -> int:
    print(f"emogan: {printable(sentence)}", file=sys.stderr)
    return status
