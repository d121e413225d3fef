"""One file per command or pair of commands: each checks its outputs, calls the core and returns what there is to say."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping

from ..progress import Progress
from .arguments import Outcome
from .convert import convert
from .demo import make_demo
from .draw import apply, sample
from .edit import edit_photo
from .expressions import list_expressions
from .fit import fit_axes
from .info import describe
from .invert import invert_photo
from .outputs import Outputs
from .read import read_photo
from .report import write_report
from .train_encoder import train_own_encoder

COMMANDS: Mapping[str, Callable[[Namespace, Progress, Outputs], Outcome]] = {
    "apply": apply,
    "convert": convert,
    "demo": make_demo,
    "edit": edit_photo,
    "expressions": list_expressions,
    "fit": fit_axes,
    "info": describe,
    "invert": invert_photo,
    "read": read_photo,
    "report": write_report,
    "sample": sample,
    "train-encoder": train_own_encoder,
}

__all__ = ["COMMANDS", "Outcome", "Outputs"]
