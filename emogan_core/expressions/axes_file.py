"""Expression axes as one safetensors file: directions and readouts as tensors, everything else as JSON metadata."""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError
from ..face_model import load_face_model
from ..glm import Validation
from ..weights import builtin_path, plain_json, read_tensors, write_tensors
from ..wording import counted
from .axes import ExpressionAxes, ExpressionAxis

FORMAT = "emogan-axes"
VERSION = "2"
_READ = ("1", VERSION)  # version 1 had no part of the face model
BUILTIN = "axes.safetensors"
_TENSORS = ("direction", "readout")
_OPTIONAL = ("coefficients", "shading")  # empty ones are not stored
_ALL = _TENSORS + _OPTIONAL
_FORMER = ("actions",)  # in files of earlier versions; said nothing about what an axis does


def save_axes(path: Path | str, axes: ExpressionAxes) -> None:
    """Write axes as a safetensors file, whole or not at all.

    Raises: OutputError when the file cannot be written.
    """
    tensors = {}
    about = []
    for index, axis in enumerate(axes):
        for name in _TENSORS:
            tensors[f"{index}.{name}"] = getattr(axis, name).detach().float()
        for name in _OPTIONAL:
            if getattr(axis, name).numel():
                tensors[f"{index}.{name}"] = getattr(axis, name).detach().float()
        plain = {field.name: getattr(axis, field.name) for field in fields(axis) if field.name not in _ALL}
        about.append(plain | {"validation": asdict(axis.validation)})
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "fingerprint": axes.fingerprint,
        "axes": json.dumps(about),
        "left_out": json.dumps(dict(axes.left_out)),
    }
    write_tensors(Path(path), tensors, metadata)


def load_axes(source: Path | str = "builtin") -> ExpressionAxes:
    """Read axes that `save_axes` wrote; "builtin" are the ones shipped for the built-in generator.

    Raises: CheckpointError when the file is no axes file, from a later version, damaged or incomplete.
    """
    if source == "builtin" and not builtin_path(BUILTIN).is_file():
        raise CheckpointError(
            "this installation has no built-in axes; install the package again, or fit axes and give their file"
        )
    return _read(builtin_path(BUILTIN) if source == "builtin" else Path(source))


def _read(path: Path) -> ExpressionAxes:
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} is no file of expression axes; give one that `emogan fit` wrote")
    if metadata.get("version") not in _READ:
        raise CheckpointError(
            f"{path.name} holds axes of version {metadata.get('version')}, this program reads up to {VERSION}; "
            "fit them again or update the program"
        )
    try:
        about = plain_json(metadata["axes"])
        left_out = {str(name): int(count) for name, count in plain_json(metadata["left_out"]).items()}
        fingerprint = metadata["fingerprint"]
        entries = [_entry(path, index, entry) for index, entry in enumerate(about)]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path.name} describes its axes wrongly ({type(error).__name__}: {ascii(str(error))[:160]}); get the file again"
        ) from error
    _expect_tensors(path, tensors, len(entries))
    axes = tuple(_axis(path, index, entry, tensors) for index, entry in enumerate(entries))
    names = [axis.name for axis in axes]
    if not axes or len(set(names)) < len(names):
        raise CheckpointError(
            f"{path.name} holds {counted(len(axes), 'axis', 'axes')}, some under one name or none; get the file again"
        )
    return ExpressionAxes(axes=axes, fingerprint=fingerprint, left_out=left_out)


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "tuple[float, ...]": (list,),
    "tuple[int, ...]": (list,),
    "tuple[str, ...]": (list,),
}
_NESTED = "validation"
MOST_KEPT, MOST_LABEL = 1000, 1e12  # points of a curve; beyond all labels that anybody has


def _entry(path: Path, index: int, entry: dict[str, Any]) -> dict[str, Any]:
    """One axis' metadata, its validation included where it has one, which axes had not always."""
    flat = _checked(
        path, index, ExpressionAxis, {name: value for name, value in entry.items() if name not in (_NESTED, *_FORMER)}
    )
    if _NESTED not in entry:
        return flat
    told = Validation(**_checked(path, index, Validation, dict(entry[_NESTED])))
    lengths = (len(told.false_rate), len(told.told))
    if lengths != (len(told.true_rate), len(told.found)) or lengths[1] != len(told.rows) or max(lengths) > MOST_KEPT:
        raise CheckpointError(f"{path.name} axis {index} has curves of uneven length, or too long; get the file again")
    shares = (*told.false_rate, *told.true_rate, *((*told.told, *told.found) if told.unit == "probability" else ()))
    if not all(0.0 <= share <= 1.0 for share in shares) or min(told.rows, default=1) < 1:
        raise CheckpointError(f"{path.name} axis {index} has curves beyond 0 to 1; get the file again")
    if told.unit not in ("probability", "label") or any(abs(one) > MOST_LABEL for one in (*told.told, *told.found)):
        raise CheckpointError(f"{path.name} axis {index} has a calibration that is none; get the file again")
    return flat | {_NESTED: told}


def _checked(
    path: Path, index: int, kind_of: type[ExpressionAxis] | type[Validation], entry: dict[str, Any]
) -> dict[str, Any]:
    """One table of metadata: every field there, none unknown, each of its type, every number finite."""
    known = {field.name: field for field in fields(kind_of) if field.name not in (*_ALL, _NESTED)}
    missing = sorted(name for name, field in known.items() if name not in entry and field.default is MISSING)
    unknown = sorted(set(entry) - set(known))
    if missing or unknown:
        raise CheckpointError(
            f"{path.name} axis {index} lacks {', '.join(missing[:5]) or 'nothing'} and has unknown "
            f"{', '.join(unknown[:5]) or 'nothing'}; get the file again"
        )
    plain = {}
    for name, value in entry.items():
        kind = str(known[name].type)
        inner = value if isinstance(value, list) else [value]
        wanted = _KINDS[kind.replace("tuple[", "").replace(", ...]", "")] if kind.startswith("tuple") else _KINDS[kind]
        right = kind.startswith("tuple") == isinstance(value, list) and all(
            isinstance(item, wanted) and (bool in wanted or not isinstance(item, bool)) for item in inner
        )
        if not right or any(isinstance(item, float) and not math.isfinite(item) for item in inner):
            raise CheckpointError(
                f"{path.name} axis {index} has {name} = {str(value)[:40]}, needed {kind}; get the file again"
            )
        plain[name] = tuple(value) if isinstance(value, list) else value
    return plain


def _expect_tensors(path: Path, tensors: dict[str, torch.Tensor], count: int) -> None:
    expected = {f"{index}.{name}" for index in range(count) for name in _TENSORS}
    allowed = expected | {f"{index}.{name}" for index in range(count) for name in _OPTIONAL}
    missing, unexpected = sorted(expected - set(tensors)), sorted(set(tensors) - allowed)
    if missing or unexpected:
        raise CheckpointError(
            f"{path.name} lacks tensors {', '.join(missing[:5]) or 'none'} ({len(missing)}) and has unexpected "
            f"{', '.join(unexpected[:5]) or 'none'} ({len(unexpected)}); get the file again"
        )


def _axis(path: Path, index: int, entry: dict[str, Any], tensors: dict[str, torch.Tensor]) -> ExpressionAxis:
    model = load_face_model()
    if entry.get("level_gain", 1.0) < 1.0:
        raise CheckpointError(
            f"{path.name} axis '{entry['name']}' has level_gain = {entry['level_gain']}, needed 1 or more; get the file again"
        )
    direction, readout = tensors[f"{index}.direction"], tensors[f"{index}.readout"]
    rows = len(entry["layer_weights"])
    if direction.ndim != 2 or direction.shape[0] != rows or readout.shape != direction.shape[1:]:
        raise CheckpointError(
            f"{path.name} axis '{entry['name']}' has a direction of shape {tuple(direction.shape)}, a readout of "
            f"{tuple(readout.shape)} and {rows} layer weights, which do not fit together; get the file again"
        )
    extra: dict[str, Any] = {name: tensors[f"{index}.{name}"] for name in _OPTIONAL if f"{index}.{name}" in tensors}
    if not all(torch.isfinite(tensor).all() for tensor in (direction, readout, *extra.values())):
        raise CheckpointError(f"{path.name} axis '{entry['name']}' holds NaN or infinite values; get the file again")
    for name, count in (("coefficients", len(model.names)), ("shading", model.face_vertices)):
        if name in extra and extra[name].shape != (count,):
            raise CheckpointError(
                f"{path.name} axis '{entry['name']}' has {name} of shape {tuple(extra[name].shape)}, this face model "
                f"needs ({count},); fit the axes again with this version"
            )
    return ExpressionAxis(direction=direction, readout=readout, **extra, **entry)
