"""`emogan info`: what a file is, told from its bytes and never from its name."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from ..checkpoints import is_foreign, is_of_another_program, open_generator, start_of
from ..checkpoints.describe import described
from ..checkpoints.kinds import kind_of_names, kind_of_start
from ..checkpoints.likeness import likeness_facts
from ..compose.glasses import FORMAT as RIMS
from ..compose.mouth_look import FORMAT as MOUTH_LOOK
from ..compose.mouth_look import SIDE as MOUTH_SIDE
from ..errors import CheckpointError
from ..expressions import load_axes
from ..expressions.reading import FORMAT as EXPRESSION_READOUT
from ..expressions.reading import READ
from ..expressions.summary import facts_of
from ..face_model.model import FORMAT as FACE_MODEL
from ..face_model.model import read_face_model
from ..faces import drawn_frame, frame_of
from ..images import photo_facts, read_record
from ..latents import load_latent
from ..networks.dense_landmarks import FACE_SIZE, DenseLandmarkNet
from ..networks.landmarks import INPUT_SIZE, LandmarkNet
from ..networks.rims import RIM_HEIGHT, RIM_WIDTH
from ..progress import Progress
from ..weights import builtin_path, read_header
from .arguments import Outcome
from .outputs import Outputs

MAX_WORDS = 400
MAX_NOTES = 60
_FACE_MODEL_NOTES = ("licence", "source", "units")
_KNOWN_KEYS = {"format", "version", "spec", "fingerprint", "axes", "left_out", "quads"}


def describe(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Say what a generator, axes, latent, comparing network or picture file holds; 'builtin' describes all that ships with the package."""
    if arguments.file == "builtin":
        shipped = {
            "generator": _generator("builtin"),
            "axes": _axes("builtin"),
            "landmarks": _described(builtin_path("landmarks.safetensors")),
            "dense_landmarks": _described(builtin_path("dense_landmarks.safetensors")),
            "face_model": _described(builtin_path("face_model.safetensors")),
            "expression_readout": _described(builtin_path("expression_readout.safetensors")),
            "mouth_look": _described(builtin_path("mouth_look.safetensors")),
            "rims": _described(builtin_path("rims.safetensors")),
        }
        return dict(shipped), [line for report in shipped.values() for line in ("", *_told(report))][1:]
    path = Path(arguments.file)
    report = _reader(path)(path)
    return report, _told(report)


def _reader(path: Path) -> Callable[[Path], dict[str, object]]:
    """What a file's first bytes call for; the picture reader also says what is wrong with a path.

    Raises: CheckpointError when they are those of a file that is none of what is described here.
    """
    try:
        start = start_of(path)
    except (CheckpointError, ValueError):
        return _picture
    if start[8:9] == b"{":
        return _described
    if is_foreign(start):
        return _of_another_program
    kind = kind_of_start(start)
    if kind is not None and "picture" not in kind:
        raise CheckpointError(f"{path.name} is {kind}; needed a generator, axes, latent or picture")
    return _picture


def _of_another_program(path: Path) -> dict[str, object]:
    """A generator, or else a network that compares pictures.

    Raises: CheckpointError where it is neither, as for a generator.
    """
    try:
        return _generator(path)
    except CheckpointError:
        facts = likeness_facts(path)
        if facts is None:
            raise
        return facts


def _described(path: Path) -> dict[str, object]:
    shapes, metadata = read_header(path)
    form = metadata.get("format", "")
    others = sorted((key, value) for key, value in metadata.items() if key not in _KNOWN_KEYS)
    notes: dict[str, object] = {_cut(key): _cut(value) for key, value in others[:MAX_NOTES]}
    if form.startswith("emotiongan-generator") or is_of_another_program(path):
        return _with_notes(_generator(path), notes)
    if form.startswith("emogan-axes"):
        return _with_notes(_axes(path), notes)
    if form.startswith("emotiongan-latent"):
        latent = load_latent(path)
        count, rows, width = latent.ws.shape
        facts = {"kind": "latent", "generator": latent.fingerprint, "count": count, "rows": rows, "width": width}
        if latent.delta is not None:
            facts["delta"] = latent.delta.content_fingerprint
        return _with_notes(facts, notes)
    if form == EXPRESSION_READOUT:
        return _with_notes({"kind": "expression readout", "expressions": ", ".join(READ)}, notes)
    parameters = sum(math.prod(shape) for shape in shapes.values())
    if form == MOUTH_LOOK:
        return _with_notes({"kind": "mouth net", "input": MOUTH_SIDE, "parameters": parameters}, notes)
    if form == RIMS:
        return _with_notes({"kind": "rim net", "input": f"{RIM_WIDTH} x {RIM_HEIGHT}", "parameters": parameters}, notes)
    if form == FACE_MODEL:
        model = read_face_model(path)
        facts = {"kind": "face model", "shapes": len(model.names), "vertices": len(model.neutral)}
        return _with_notes(facts, {key: notes[key] for key in notes if key in _FACE_MODEL_NOTES})
    for kind, needed, size in (
        ("landmark net", _shapes_of(LandmarkNet), INPUT_SIZE),
        ("dense landmark net", _shapes_of(DenseLandmarkNet), FACE_SIZE),
    ):
        if shapes == needed:
            return _with_notes({"kind": kind, "input": size, "parameters": parameters}, notes)
    if (likeness := likeness_facts(path)) is not None:
        return _with_notes(likeness, notes)
    known = kind_of_names(shapes) or "a safetensors file of another program"
    raise CheckpointError(
        f"{path.name} is {known} (format '{form[:40] or 'none'}'); needed a generator, axes or latent of ours"
    )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_WORDS else text[:MAX_WORDS] + " ..."


def _with_notes(facts: dict[str, object], notes: dict[str, object]) -> dict[str, object]:
    """What was found, then what the file's author wrote, which must not speak over it."""
    return facts | {key: value for key, value in notes.items() if key not in facts}


def _generator(source: str | Path) -> dict[str, object]:
    loaded = open_generator(source)
    facts = described(loaded)
    if loaded.generator.spec.crop:
        return facts
    crop, lies = frame_of(loaded.generator), "where its average face lies"
    if drawn_frame(loaded.generator) is None:
        lies = "which is usual, as its average face lies in no frame known here or is none"
    told = f"the file does not tell the crop; '{crop}' is taken, {lies}"
    return facts | {"crop": crop, "notices": [*loaded.notices, told]}


def _shapes_of(net: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in net().state_dict().items()}


def _axes(source: str | Path) -> dict[str, object]:
    axes = load_axes(source)
    return {
        "kind": "axes",
        "fingerprint": axes.content_fingerprint,
        "generator": axes.fingerprint,
        "expressions": {axis.name: facts_of(axis) for axis in axes},
        "left_out": dict(axes.left_out),
    }


def _picture(path: Path) -> dict[str, object]:
    found = photo_facts(path)
    facts: dict[str, object] = {"notices": list(found.notices)} if found.notices else {}
    return facts | {
        "kind": "picture",
        "width": found.width,
        "height": found.height,
        "bits": found.bits,
        "alpha": found.alpha,
        "record": read_record(path),
    }


def _told(report: dict[str, object]) -> list[str]:
    """A report as lines for people, tables inside it indented."""
    lines = []
    for key, value in report.items():
        if key == "notices" and isinstance(value, list):
            lines += [f"note: {notice}" for notice in value]
        elif isinstance(value, dict):
            lines.append(f"{key}:" if value else f"{key}: none")
            lines += [f"  {line}" for line in _told(value)]
        else:
            lines.append(f"{key}: {_word(value)}")
    return lines


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    return "none" if value is None or value == "" else str(value)
