"""Networks that TensorFlow's programs pickled: StyleGAN1, StyleGAN2 and StyleGAN2-ADA.

Only their variables and settings are looked at. What a setting says is held against the tensors where they show it.
Source: docs/tensor-names.md; names and defaults are facts of the files and of the programs that wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...wording import counted
from ..pickles import TENSORFLOW, Array, Record
from ..reading.canonical import CanonicalCheckpoint
from ..reading.completing import no_discriminator_notice
from ..reading.contents import Contents
from ..reading.pyramids import without_growth
from ..reading.settings import clamp_of, expect_settings, word
from ..reading.stylegan1 import TURNED_FROM, read_stylegan1
from .discriminator import read_discriminator
from .names import full_side, generator_names
from .settings import FIXED, expect_agreement, mapping_gain, unknown_settings_notices
from .stylegan2 import read_stylegan2

VERSIONS = (2, 3, 4, 5)  # of a network's state: up to 3 StyleGAN1, 4 StyleGAN2, 5 StyleGAN2-ADA
MAX_VARIABLES = 4096
MAX_NAME = 100
_SYNTHESES = ("G_synthesis", "G_synthesis_stylegan2", "G_synthesis_stylegan_revised")
_PROGRESSIVE = ("G_paper", "D_paper")


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The averaged generator of a training's (G, D, Gs), or a network saved alone, and the discriminator."""

    generator: Record
    discriminator: Record | None
    table: str = "Gs"


@dataclass(frozen=True, slots=True, eq=False)
class _Saved:
    """A network with its parts: their settings together, variables with the part's name before theirs."""

    function: str
    settings: dict[str, object]
    entries: dict[str, Tensor] = field(repr=False)
    functions: dict[str, str]


def detect(contents: Contents) -> Networks | None:
    """Raises: CheckpointError when TensorFlow's networks are not as many as a training saves."""
    top = contents.top
    parts = list(top) if isinstance(top, tuple | list) else [top]
    if not parts or not isinstance(parts[0], Record) or parts[0].class_name != TENSORFLOW:
        return None
    if len(parts) not in (1, 3) or not all(isinstance(part, Record) for part in parts):
        raise CheckpointError(
            f"it holds {counted(len(parts), 'thing')}; needed the networks (G, D, Gs) of a training, or Gs alone"
        )
    generator, discriminator = parts[-1], parts[1] if len(parts) == 3 else None
    assert isinstance(generator, Record)
    if generator.class_name != TENSORFLOW:
        raise CheckpointError("its averaged generator Gs is no TensorFlow network; the file is damaged, get it again")
    known = isinstance(discriminator, Record) and discriminator.class_name == TENSORFLOW
    return Networks(generator, discriminator if known else None)  # type: ignore[arg-type]


def read(found: Networks) -> CanonicalCheckpoint:
    """The generator, and the discriminator where ours computes the same.

    Raises: CheckpointError.
    """
    saved = _saved(found.generator)
    _expect_kind(saved)
    expect_settings(saved.settings, FIXED)
    notices = unknown_settings_notices(saved.settings)
    gain = mapping_gain(saved.settings)
    first = any("/StyleMod/" in key for key in saved.entries)
    entries: Mapping[str, object] = generator_names(saved.entries, first=first)
    if first:
        fused = saved.settings.get("fused_scale")
        turned = (8 if fused else 1 << 30) if isinstance(fused, bool) else TURNED_FROM
        checkpoint = read_stylegan1(entries, turned_from=turned, notices=notices, mapping_gain=gain)
    else:
        if saved.functions["synthesis"] == "G_synthesis_stylegan_revised":
            entries = without_growth(entries, notices=notices)
        else:  # all StyleGAN2 have a level, which only networks that grow look at
            entries = {key: tensor for key, tensor in entries.items() if key != "lod"}
        clamp = clamp_of(saved.settings.get("conv_clamp"))
        checkpoint = read_stylegan2(entries, clamp=clamp, notices=notices, mapping_gain=gain)
    named = saved.functions["synthesis"] == "G_synthesis_stylegan2"
    expect_agreement(saved.settings, checkpoint.spec, full=full_side(saved.entries), named=named)
    return _with_discriminator(checkpoint, found.discriminator)


def _saved(record: Record) -> _Saved:
    """What a network and its parts hold.

    Raises: CheckpointError.
    """
    parts = record.state.get("components") or {}
    if not isinstance(parts, dict) or not set(parts) <= {"mapping", "synthesis"}:
        raise CheckpointError("a network has parts other than mapping and synthesis; needed a StyleGAN")
    settings: dict[str, object] = {}
    entries: dict[str, Tensor] = {}
    functions: dict[str, str] = {}
    for key, part in {"": record, **parts}.items():
        if not isinstance(part, Record) or part.class_name != TENSORFLOW:
            raise CheckpointError(f"its part '{key}' is no network; the file is damaged, get it again")
        version, function, declared = (part.state.get(name) for name in ("version", "build_func_name", "static_kwargs"))
        if type(version) is not int or version not in VERSIONS:
            came = version if type(version) is int else "no number"
            raise CheckpointError(f"a network's state has version {came}; needed one of {VERSIONS}, get a newer file")
        if not isinstance(function, str) or not isinstance(declared, dict):
            raise CheckpointError("a network tells no settings; the file is damaged, get it again")
        settings |= {str(name)[:MAX_NAME]: value for name, value in list(declared.items())[:MAX_NAME]}
        functions[key] = function.rpartition(".")[2]
        prefix = f"{key}/" if key else ""
        entries |= {f"{prefix}{name}": tensor for name, tensor in _variables(part)}
    return _Saved(functions[""], settings, entries, functions)


def _variables(record: Record) -> list[tuple[str, Tensor]]:
    """A network's own variables as (name, tensor).

    Raises: CheckpointError.
    """
    found = record.state.get("variables")
    if not isinstance(found, list) or len(found) > MAX_VARIABLES:
        raise CheckpointError(f"a network's variables are no list of up to {MAX_VARIABLES}; get the file again")
    made, arrays = [], set()
    for pair in found:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str) or len(pair[0]) > MAX_NAME:
            raise CheckpointError("a network's variables are no pairs of name and numbers; the file is damaged")
        name, value = pair
        if isinstance(value, Array):
            if id(value) in arrays:  # or a small file could ask for any number of copies of one array
                raise CheckpointError(f"the variable {word(name)} shares its numbers with another; get another file")
            arrays.add(id(value))
            made.append((name, value.tensor()))
        elif isinstance(value, float | int):
            made.append((name, torch.tensor(float(value))))
        else:
            raise CheckpointError(f"the variable {word(name)} holds no numbers; the file is damaged, get it again")
    return made


def _expect_kind(saved: _Saved) -> None:
    if saved.function in _PROGRESSIVE:
        raise CheckpointError("it is a Progressive GAN, which has no W space to edit in; give a StyleGAN")
    if set(saved.functions) != {"", "mapping", "synthesis"}:
        raise CheckpointError(
            f"its generator, built by {word(saved.function)}, has no mapping and synthesis parts; give a StyleGAN"
        )
    function = saved.functions["synthesis"]
    if function not in _SYNTHESES:
        raise CheckpointError(f"its synthesis is built by {word(function)}; needed one of {', '.join(_SYNTHESES)}")


def _with_discriminator(checkpoint: CanonicalCheckpoint, record: Record | None) -> CanonicalCheckpoint:
    """With the discriminator where it is one of ours, else with a notice."""
    if record is None:
        return checkpoint
    try:
        saved = _saved(record)
        tensors, facts = read_discriminator(saved.entries, saved.settings, saved.function, checkpoint.spec)
    except CheckpointError as error:
        return replace(checkpoint, notices=(*checkpoint.notices, no_discriminator_notice(error)))
    return replace(checkpoint, spec=replace(checkpoint.spec, **facts), tensors={**checkpoint.tensors, **tensors})
