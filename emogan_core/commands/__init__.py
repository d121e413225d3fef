"""One file per command or pair of commands: each checks its outputs, calls the core and returns what there is to say."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping

from ..progress import Progress
from .arguments import Outcome
from .demo import demo
from .draw import apply, sample
from .edit import edit
from .fit import fit
from .info import info
from .invert import invert_photo

COMMANDS: Mapping[str, Callable[[Namespace, Progress], Outcome]] = {
    "apply": apply,
    "demo": demo,
    "edit": edit,
    "fit": fit,
    "info": info,
    "invert": invert_photo,
    "sample": sample,
}

__all__ = ["COMMANDS", "Outcome"]
