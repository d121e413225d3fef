"""What `emogan` understands: its commands and their options; nothing heavy is imported, so that help comes at once."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import __version__
from .argument_types import count, place, place_or_name, whole
from .encoder_arguments import add_training_arguments
from .errors import EmoganError
from .fit_arguments import add_label_arguments, add_report_arguments

PICTURES = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC"
DEFAULT_SEED = 0
NUMBERS = ("intensity", "psi", "seed", "face", "class", "count", "seconds", "editability", "minutes", "steps")
"""Options that take a number, which may be negative."""
EXPRESSION = re.compile(r"[A-Za-z]+(=\S*)?")
"""What looks like one, where none was expected."""
NAMED = ("happiness", "surprise", "anger", "sadness", "disgust", "fear", "contempt")
"""The expressions that ship with the package; here, because their own package imports torch."""


class UsageError(EmoganError):
    """Arguments that do not make a command."""


class _Parser(argparse.ArgumentParser):
    """Reports a mistake as an exception instead of printing a page and leaving."""

    def error(self, message: str) -> NoReturn:
        words = message.partition("unrecognized arguments: ")[2].split()
        bare = next((word for word in words if EXPRESSION.fullmatch(word)), None)
        meant = "" if bare is None else f"; an expression is asked for by --expression {bare}"
        raise UsageError(f"{message}{meant}; see {self.prog} --help")


def joined(argv: Sequence[str]) -> list[str]:
    """`--intensity -0.5` as `--intensity=-0.5`: argparse takes -1e-3 or -nan for options otherwise."""
    words: list[str] = []
    for word in argv:
        if words and words[-1].startswith("--") and words[-1][2:] in NUMBERS and _is_number(word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = _Parser(prog="emogan", description="Change the expression of a real face in a photo, keep the person.")
    parser.add_argument("--version", action="version", version=f"emogan {__version__}")
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    adders = (_add_edit, _add_expressions_list, _add_read, _add_demo, _add_sample, _add_invert)
    for add in (*adders, _add_fit, _add_report, _add_apply, _add_convert, _add_train_encoder, _add_info):
        add(commands)
    return parser


Commands = argparse._SubParsersAction


def _add_edit(commands: Commands[_Parser]) -> None:
    edit = commands.add_parser(
        "edit",
        help="change the expression of a face in a photo",
        description="Change the expression of a face in a photo.",
        epilog=f"Expressions: {', '.join(NAMED)}; and every shape of the face model, such as jawOpen, browInnerUp or "
        "mouthSmileLeft. 'emogan expressions' lists them all with what they do.",
        allow_abbrev=False,
    )
    edit.add_argument("photo", type=place, metavar="PHOTO", help=PICTURES)
    _add_out(
        edit,
        "OUT.png",
        "the edited photo: .png and .tif keep every untouched pixel, of 16 bits too (.tif also of floats), .webp of 8 "
        "bits, .jpg nearly",
    )
    _add_expressions(edit, required=False)
    edit.add_argument("--neutral-first", action="store_true", help="take the present expression off before")
    edit.add_argument(
        "--absolute",
        action="store_true",
        help="set expressions to their intensities instead of adding to the present one",
    )
    edit.add_argument("--copy-from", type=place, metavar="PHOTO", help="copy the expression of the largest face there")
    edit.add_argument(
        "--regions", metavar="R", help="which parts to copy: some of brow,eye,cheek,nose,jaw,mouth (default all)"
    )
    edit.add_argument("--face", type=whole, metavar="N", help="which face; 0 is the largest (default)")
    _add_mode(edit, "motion")
    _add_inversion(edit)
    edit.add_argument(
        "--frames",
        action="store_true",
        help="edit every picture of an animation or of a file with pages; --out is a folder then",
    )
    edit.add_argument("--sheet", type=place, metavar="SHEET.png", help="also write a contact sheet over intensities")
    _add_models(edit, axes=True)
    _add_common(edit)


def _add_expressions_list(commands: Commands[_Parser]) -> None:
    listing = commands.add_parser("expressions", help="list what can be asked for and what it does", allow_abbrev=False)
    _add_axes(listing)
    listing.add_argument("--json", action="store_true", help="print one JSON object instead of words")


def _add_read(commands: Commands[_Parser]) -> None:
    read = commands.add_parser("read", help="say which expression a face in a photo shows", allow_abbrev=False)
    read.add_argument("photo", type=place, metavar="PHOTO", help=PICTURES)
    read.add_argument("--face", type=whole, metavar="N", help="which face; 0 is the largest (default)")
    meaning = "also write the photo with a number on every face, by which --face chooses"
    read.add_argument("--faces", type=place, metavar="NUMBERED.png", help=meaning)
    _add_force(read)
    read.add_argument("--json", action="store_true", help="print one JSON object instead of words")


def _add_demo(commands: Commands[_Parser]) -> None:
    demo = commands.add_parser(
        "demo", help="edit two faces of nobody, and one that is drawn, with every expression", allow_abbrev=False
    )
    demo.add_argument("-o", "--out", type=place, default=Path("emogan-demo"), metavar="DIR", help="folder for pictures")
    _add_force(demo)
    _add_mode(demo, "motion")
    _add_method(demo)
    _add_class(demo)
    _add_models(demo, axes=True)
    _add_seed(demo)
    _add_common(demo)


def _add_sample(commands: Commands[_Parser]) -> None:
    sample = commands.add_parser("sample", help="draw faces of nobody", allow_abbrev=False)
    _add_out(sample, "OUT.png", "one face, or a sheet of several")
    sample.add_argument("--count", type=count, default=16, metavar="N", help="how many faces, 1 to 400 (default 16)")
    sample.add_argument("--psi", type=float, default=0.7, help="0 the average face, 1 full variety (default 0.7)")
    _add_expressions(sample, required=False)
    sample.add_argument("--neutral-first", action="store_true", help="take off the expression that each face shows")
    _add_class(sample)
    _add_models(sample, axes=True)
    _add_seed(sample)
    _add_common(sample)


def _add_invert(commands: Commands[_Parser]) -> None:
    invert = commands.add_parser("invert", help="find the latent of a face in a photo", allow_abbrev=False)
    invert.add_argument("photo", type=place, metavar="PHOTO", help=PICTURES)
    _add_out(invert, "LATENT.safetensors", "the latent file")
    invert.add_argument("--face", type=whole, metavar="N", help="which face; 0 is the largest (default)")
    _add_inversion(invert)
    _add_models(invert, axes=False)
    _add_common(invert)


def _add_fit(commands: Commands[_Parser]) -> None:
    fit = commands.add_parser(
        "fit",
        help="fit expression axes to a labelled folder of faces, or to a generator's own samples",
        allow_abbrev=False,
    )
    fit.add_argument(
        "folder",
        type=place,
        nargs="?",
        metavar="DIR",
        help="labelled faces: with --labels, or in folders named by expression",
    )
    fit.add_argument("--labels", type=place, metavar="CSV", help="columns: file, expression[, person, covariates ...]")
    fit.add_argument(
        "--samples",
        type=whole,
        metavar="N",
        help="instead of a folder: faces that the generator draws itself, some 4000",
    )
    fit.add_argument("--psi", type=float, help="of samples: 0 the average face, 1 full variety (default 1)")
    _add_class(fit)
    fit.add_argument("--neutral", metavar="NAME", help="the label that stands for 'neutral', if it is another one")
    _add_out(fit, "AXES.safetensors", "the axes file")
    fit.add_argument("--model", choices=("pattern", "readout"), default="pattern", help="the GLM (default pattern)")
    fit.add_argument(
        "--covariate", action="append", default=[], metavar="COLUMN", help="hold this column fixed; repeat for several"
    )
    add_label_arguments(fit)
    fit.add_argument(
        "--aligned", action="store_true", help="pictures are already cut in the generator's frame: skip finding faces"
    )
    fit.add_argument("--label-source", default="", metavar="TEXT", help="who labelled; kept in the file")
    fit.add_argument("--licence", default="", metavar="TEXT", help="terms of the labels; kept in the file")
    _add_method(fit, default=None, meaning="how to invert labelled pictures (default encode)")
    _add_models(fit, axes=False)
    _add_seed(fit, default=None, meaning=f"of samples (default {DEFAULT_SEED})")
    _add_common(fit)


def _add_report(commands: Commands[_Parser]) -> None:
    report = commands.add_parser("report", help="show what axes do and what else they change", allow_abbrev=False)
    add_report_arguments(report)
    _add_out(report, "REPORT.html", "a page (.html), a picture (.png) or the figures alone (.json)")
    _add_class(report)
    _add_models(report, axes=False)
    _add_seed(report)
    _add_common(report)


def _add_apply(commands: Commands[_Parser]) -> None:
    apply = commands.add_parser("apply", help="draw a latent with another expression", allow_abbrev=False)
    apply.add_argument("latent", type=place, metavar="LATENT")
    _add_out(apply, "OUT.png", "the generator's picture")
    _add_expressions(apply, required=True)
    _add_models(apply, axes=True)
    _add_common(apply)


def _add_convert(commands: Commands[_Parser]) -> None:
    convert = commands.add_parser("convert", help="write any generator file as safetensors", allow_abbrev=False)
    convert.add_argument(
        "source",
        metavar="IN",
        type=place_or_name,
        help="a generator's .pt, .pth, .pkl or .safetensors file, or 'builtin'",
    )
    convert.add_argument("out", type=place, metavar="OUT.safetensors", help="the file to write, whole or not at all")
    _add_force(convert)
    convert.add_argument(
        "--crop",
        choices=("ffhq", "tight"),
        help="the frame of its training pictures, if the file does not tell it (default: where its average face lies)",
    )
    convert.add_argument("--licence", default="", metavar="TEXT", help="its terms, if the file does not tell them")
    convert.add_argument("--fp16", action="store_true", help="half the size, rounded weights (default: every bit kept)")
    convert.add_argument("--json", action="store_true", help="print one JSON object instead of words")


def _add_train_encoder(commands: Commands[_Parser]) -> None:
    meaning = "give a generator without an encoder one, trained on its own samples"
    train = commands.add_parser("train-encoder", help=meaning, allow_abbrev=False)
    train.add_argument(
        "generator",
        metavar="GENERATOR",
        type=place_or_name,
        help="a .safetensors, .pkl, .pt or .pth file, or 'builtin'",
    )
    _add_out(
        train, "OUT.safetensors", "the generator with its encoder; state and previews go to OUT.training beside it"
    )
    add_training_arguments(train)
    _add_seed(train)
    _add_common(train)


def _add_info(commands: Commands[_Parser]) -> None:
    info = commands.add_parser(
        "info", help="say what a file is and all it holds: generator, axes, latent, edited picture"
    )
    info.add_argument("file", metavar="FILE", type=place_or_name, help="a file, or 'builtin'")
    info.add_argument("--json", action="store_true", help="print one JSON object")


def _add_out(parser: argparse.ArgumentParser, metavar: str, meaning: str) -> None:
    parser.add_argument("-o", "--out", type=place, required=True, metavar=metavar, help=meaning)
    _add_force(parser)


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="write over files that are there already")


def _add_expressions(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--expression",
        action="append",
        required=required,
        default=None if required else [],
        metavar="NAME[=X]",
        help="an expression and its intensity: 0 changes nothing, 1 is typical (default), negative the opposite; "
        "repeat for several at once",
    )
    parser.add_argument(
        "--intensity",
        action="append",
        default=[],
        metavar="X",
        help="another way to give intensities: one for each --expression without its own, in order",
    )


def _add_method(
    parser: argparse.ArgumentParser,
    default: str | None = "hybrid",
    *,
    more: tuple[str, ...] = (),
    meaning: str = "how to invert (default hybrid)",
) -> None:
    methods = ("encode", "optimise", "hybrid", *more)
    parser.add_argument("--method", choices=methods, default=default, help=meaning)


def _add_inversion(parser: argparse.ArgumentParser) -> None:
    """Everything about the inversion of one photo."""
    _add_method(parser, more=("tune",))
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="stop optimising in time, at the best so far; encode does not optimise",
    )
    meaning = "0 redraws closest, 1 edits most cleanly (default 0.5); encode has no such choice"
    parser.add_argument("--editability", type=float, metavar="X", help=meaning)
    meaning = (
        "a picture of the photo's size, white where the photo does not count for what the generator redraws: a hand, hair, "
        "glasses; mode motion moves the photo's own pixels all the same"
    )
    parser.add_argument("--ignore", type=place, metavar="MASK", help=meaning)
    meaning = (
        "weights of yours by which pictures are compared as well: torchvision's VGG16 or AlexNet, or all of LPIPS; a second "
        "--perceptual gives LPIPS' linear layers where they are a file of their own; like --identity it counts in what the "
        "generator redraws (methods optimise, hybrid and tune), not in mode motion"
    )
    parser.add_argument("--perceptual", type=place, action="append", default=[], metavar="FILE", help=meaning)
    meaning = "weights of yours by which the person is compared as well: ArcFace's model_ir_se50.pth"
    parser.add_argument("--identity", type=place, metavar="FILE", help=meaning)


def _add_class(parser: argparse.ArgumentParser) -> None:
    meaning = "which class to draw, counted from 0; only for generators with classes, which need it"
    parser.add_argument("--class", type=whole, default=None, metavar="N", dest="label", help=meaning)


def _add_mode(parser: argparse.ArgumentParser, default: str) -> None:
    meaning = f"move the photo's own pixels, or also add what the generator newly shows (default {default})"
    parser.add_argument("--mode", choices=("motion", "paste"), default=default, help=meaning)


def _add_models(parser: argparse.ArgumentParser, *, axes: bool) -> None:
    parser.add_argument(
        "--generator",
        default="builtin",
        type=place_or_name,
        metavar="G",
        help="'builtin' (default), a .safetensors, .pkl, .pt or .pth file",
    )
    if axes:
        _add_axes(parser)


def _add_axes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--axes", default="builtin", metavar="A", type=place_or_name, help="'builtin' (default) or a .safetensors file"
    )


def _add_seed(
    parser: argparse.ArgumentParser,
    *,
    default: int | None = DEFAULT_SEED,
    meaning: str = f"of what is drawn at random (default {DEFAULT_SEED})",
) -> None:
    parser.add_argument("--seed", type=whole, default=default, metavar="N", help=meaning)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or mps")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
