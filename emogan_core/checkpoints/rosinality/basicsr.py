"""StyleGAN2 as BasicSR names it, which GFPGAN trains with: rosinality's network under other names.

Source: docs/tensor-names.md; the names are facts of the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..reading.canonical import CanonicalCheckpoint
from ..reading.contents import Contents
from ..reading.tables import StateDict, state_dict_with
from . import stylegan2

CONST = "constant_input.weight"
_RESTORER = "stylegan_decoder."  # inside GFPGAN, where other layers act between this one's
_BILINEAR_NOTICE = (
    "the file does not tell whether it is BasicSR's StyleGAN2Generator or its bilinear variant, whose tensors have the "
    "same names; it is drawn as the former, and the latter would look wrong"
)
_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"style_mlp\."), "style."),
    (re.compile(r"constant_input\.weight$"), "input.input"),
    (re.compile(r"noises\.noise(\d)"), r"noises.noise_\1"),
    (re.compile(r"style_conv1\.weight$"), "conv1.noise.weight"),
    (re.compile(r"style_convs\.(\d+)\.weight$"), r"convs.\1.noise.weight"),
    (re.compile(r"style_conv1\."), "conv1."),
    (re.compile(r"style_convs\."), "convs."),
    (re.compile(r"conv_body\."), "convs."),  # of the discriminator
)


def detect(contents: Contents) -> StateDict | None:
    found = state_dict_with(contents.top, CONST)
    return None if found is None or found.prefix.endswith(_RESTORER) else found


def read(found: StateDict) -> CanonicalCheckpoint:
    """The generator, and the discriminator beside it.

    Raises: CheckpointError, which calls tensors by rosinality's names.
    """
    checkpoint = stylegan2.read(replace(found, entries=_renamed(found.entries)), renamed=_renamed)
    return replace(checkpoint, notices=(*checkpoint.notices, _BILINEAR_NOTICE))


def _renamed(entries: Mapping[str, object]) -> dict[str, object]:
    """By rosinality's names; what is not known keeps its own."""
    return {_name(name): value for name, value in entries.items()}


def _name(name: str) -> str:
    name = name.replace(".modulated_conv.", ".conv.")
    for pattern, theirs in _NAMES:
        if pattern.match(name):
            return pattern.sub(theirs, name, count=1)
    return name
