"""Shows on standard error how far a long computation is: a bar on a terminal, lines now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from .progress import StepReport

LEAST_DURATION_S = 2.0
_SHOWN_AFTER_S = 0.3
_REDRAW_S = 0.1
_NEXT_LINE_S = 30.0  # without a terminal: the first guess is a poor one
_CELLS = 28


class ProgressBar:
    """A progress callback for the command line; phases expected to last under two seconds are not shown.

    Use as a context manager: leaving it wipes the bar, so that what is printed next starts on a clean line.
    """

    def __init__(self, stream: TextIO | None, *, quiet: bool = False) -> None:
        self._stream = None if quiet else stream
        self._bar = bool(stream is not None and stream.isatty())
        self._what, self._step = "", 0
        self._began = self._drawn_at = 0.0
        self._shown = 0

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()

    def __call__(self, report: StepReport) -> None:
        """Take note of one step. Never raises `Cancelled`: Ctrl-C stops the program anyway."""
        now = time.monotonic()
        if report.what != self._what or report.step <= self._step:
            self._wipe()
            self._what, self._began, self._drawn_at = report.what, now, 0.0
        self._step = report.step
        elapsed = now - self._began
        expected = elapsed * report.steps / max(report.step - 1, 1)  # the clock starts when the first step is done
        if self._stream is None or elapsed < _SHOWN_AFTER_S or expected < LEAST_DURATION_S:
            return
        left = max(0, round(expected - elapsed))
        if not self._bar:
            if elapsed >= LEAST_DURATION_S and (self._drawn_at == 0.0 or now - self._drawn_at >= _NEXT_LINE_S):
                self._stream.write(f"{report.what}: {report.step} of {report.steps}, about {left} s left\n")
                self._stream.flush()
                self._drawn_at = now
        elif now - self._drawn_at >= _REDRAW_S or report.step == report.steps:
            self._draw(f"{report.what}  {_cells(report.step / report.steps)}  {left // 60}:{left % 60:02d} left")
            self._drawn_at = now

    def _draw(self, line: str) -> None:
        assert self._stream is not None
        self._stream.write("\r" + line.ljust(self._shown))
        self._stream.flush()
        self._shown = len(line)

    def _wipe(self) -> None:
        if self._stream is not None and self._shown:
            self._stream.write("\r" + " " * self._shown + "\r")
            self._stream.flush()
        self._shown = 0


def _cells(share: float) -> str:
    filled = round(share * _CELLS)
    return f"[{'#' * filled}{'.' * (_CELLS - filled)}] {round(100 * share):3d}%"
