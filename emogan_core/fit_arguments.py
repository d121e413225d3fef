"""What `emogan fit` asks about labels that are numbers and about what is to stay still; and which axes a report shows."""

from __future__ import annotations

from argparse import ArgumentParser

from .argument_types import place_or_name

FAMILIES = ("binary", "soft", "ordered", "gaussian", "two-part")
"""As the fit knows them; here, because its package imports what a command line that only helps need not wait for."""

MULTINOMIAL = "multinomial"


def add_label_arguments(fit: ArgumentParser) -> None:
    """Scores, their family, and what steps leave still."""
    fit.add_argument(
        "--score",
        action="append",
        default=[],
        metavar="COLUMN",
        help="fit an axis on this column of numbers; repeat for several",
    )
    fit.add_argument(
        "--family",
        choices=(*FAMILIES, MULTINOMIAL),
        help="the kind of numbers the scores are, where their values suggest another; multinomial reads several expressions "
        "off together instead of each against neutral",
    )
    fit.add_argument(
        "--hold",
        action="append",
        default=[],
        metavar="NAME",
        help="leave this still: a covariate, an expression, or identity; repeat for several",
    )
    fit.add_argument(
        "--covariance",
        choices=("within", "latent", "identity"),
        help="with --model readout: in which covariance steps are shortest (default within people)",
    )


def add_report_arguments(parser: ArgumentParser) -> None:
    """Which axes are looked at."""
    parser.add_argument(
        "axes", metavar="AXES", type=place_or_name, help="'builtin' or a .safetensors file that emogan fit wrote"
    )
    meaning = "only this one; repeat for several"
    parser.add_argument("--expression", action="append", default=[], metavar="NAME", help=meaning)
