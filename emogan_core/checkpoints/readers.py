"""Files of torch.save: which program wrote them is told by the names inside, never by the file's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..errors import CheckpointError
from .genforce.stylegan2 import read_genforce
from .kinds import NEEDED, kind_of_names, names_in
from .nvidia.stylegan2 import CONST, expect_no_variant, read_state_dict
from .nvidia.stylegan2_pickles import AVERAGED, TRAINING, canonical_of
from .nvidia.stylegan3 import WAVES, read_alias_free_state_dict
from .pickles.pickle_files import Record
from .pickles.torch_files import open_archive
from .reading.canonical import CanonicalCheckpoint
from .reading.encoders import with_encoder
from .rosinality.stylegan1 import MARK, read_rosinality_stylegan1
from .rosinality.stylegan2 import one_row, read_rosinality

_DECODER = "decoder."
_ROSINALITY = "input.input"  # the constant that every generator of that program starts from
_NOT_SMOOTH = "the file lacks the smoothed generator (g_ema); the one in training is used and draws a little worse"


def read_torch_file(path: Path) -> CanonicalCheckpoint:
    """The generator inside a file of torch.save: NVIDIA's, rosinality's, pSp's, e4e's, ReStyle's, genforce's or Hammer's.

    Raises: CheckpointError when the file is damaged, hostile, or of a kind not read here.
    """
    top = open_archive(path)
    try:
        with torch.inference_mode(False), torch.no_grad():
            if isinstance(top, Record) or any(isinstance(top.get(key), Record) for key in (*AVERAGED, *TRAINING)):
                return _records(top, name=path.stem)
            return _tables(path, top)
    except CheckpointError as error:
        told = str(error)
        raise CheckpointError(told if told.startswith(path.name) else f"{path.name}: {told}") from error
    except Exception as error:  # records and tables are a stranger's: anything may be of any type
        told = ascii(str(error))[:160]
        raise CheckpointError(f"{path.name} is damaged ({type(error).__name__}: {told}); get the file again") from error


def _records(top: Mapping[str, object] | Record, *, name: str) -> CanonicalCheckpoint:
    """Modules of NVIDIA's that torch.save pickled whole, such as PTI's tuned generators."""
    found = canonical_of(top, name=name)
    return replace(found, tensors={key: tensor.clone() for key, tensor in found.tensors.items()})


def _tables(path: Path, top: Mapping[str, object]) -> CanonicalCheckpoint:
    """State dicts, told apart by the names in them."""
    found = _canonical_names(path, top) or _rosinality(path, top) or _genforce(path, top)
    if found is not None:
        return with_encoder(found, top, place=path.name)
    kind = kind_of_names(names_in(top))
    if kind is not None:
        raise CheckpointError(f"{path.name} seems to be {kind}; {NEEDED}")
    names = ", ".join(f"{name[:60]!a}" for name in list(top)[:5]) or "nothing"
    raise CheckpointError(
        f"{path.name} holds {names}, which is no generator known here; give a StyleGAN of NVIDIA's programs, rosinality "
        "(g_ema), pSp, e4e, ReStyle or HyperStyle (state_dict with decoder.) or genforce (generator_smooth)"
    )


def _canonical_names(path: Path, top: Mapping[str, object]) -> CanonicalCheckpoint | None:
    """A state dict with NVIDIA's names, at the top or in a table, with or without a prefix such as `decoder.`"""
    for key in (*AVERAGED, *TRAINING, "state_dict", "model", ""):
        entries = _table(top, key) if key else top
        mark = WAVES if any(name.endswith(WAVES) for name in entries or {}) else CONST
        prefixes = [name.removesuffix(mark) for name in entries or {} if name.endswith(mark)]
        if not entries or not prefixes:
            continue
        expect_no_variant(entries)
        prefix = next((one for one in prefixes if "ema" in one.lower() or "smooth" in one), prefixes[0])
        place = f"{path.name} ({key or prefix})" if key or prefix else path.name
        own = {name.removeprefix(prefix): value for name, value in entries.items() if name.startswith(prefix)}
        average = top.get("latent_avg")
        width = own.get("mapping.fc0.bias")
        row = None
        if average is not None and isinstance(width, Tensor) and width.ndim == 1:
            row = one_row(average, width=width.shape[0], place=place)
        read = read_alias_free_state_dict if mark == WAVES else read_state_dict
        found = read(own, place=place, average=row)
        return replace(found, notices=(_NOT_SMOOTH, *found.notices)) if key in TRAINING else found
    return None


def _rosinality(path: Path, top: Mapping[str, object]) -> CanonicalCheckpoint | None:
    first = _table(top, "g_running") or (top if MARK in top else None)
    if first is not None:
        return read_rosinality_stylegan1(first, place=path.name if first is top else f"{path.name} (g_running)")
    average = top.get("latent_avg")
    whole = _table(top, "state_dict") or {}
    decoder = {name.removeprefix(_DECODER): value for name, value in whole.items() if name.startswith(_DECODER)}
    if _ROSINALITY in decoder:
        return read_rosinality(decoder, place=f"{path.name} (decoder)", average=average)
    for key in ("g_ema", "g"):
        entries = _table(top, key) or {}
        if _ROSINALITY in entries:
            found = read_rosinality(entries, place=f"{path.name} ({key})", average=average, judge=_table(top, "d"))
            return found if key == "g_ema" else replace(found, notices=(_NOT_SMOOTH, *found.notices))
    return read_rosinality(top, place=path.name) if _ROSINALITY in top else None


def _genforce(path: Path, top: Mapping[str, object]) -> CanonicalCheckpoint | None:
    """genforce's networks at the top, or one floor down in a training state and in Hammer's files."""
    inner, settings = _table(top, "models") or top, _table(top, "model_kwargs_init") or {}
    for key in ("generator_smooth", "generator"):
        entries = _table(inner, key)
        if entries:
            place, judge = f"{path.name} ({key})", _table(inner, "discriminator")
            found = read_genforce(
                entries,
                place=place,
                judge=judge,
                settings=_table(settings, key),
                judge_settings=_table(settings, "discriminator"),
            )
            return replace(found, notices=(_NOT_SMOOTH, *found.notices)) if key in TRAINING else found
    if any(name.startswith(("synthesis.layer0.", "synthesis.early_layer.")) for name in inner):
        return read_genforce(inner, place=path.name)
    return None


def _table(top: Mapping[str, object], key: str) -> Mapping[str, object] | None:
    found = top.get(key)
    return found if isinstance(found, dict) and all(isinstance(name, str) for name in found) else None
