"""`emogan convert`: any generator file read here as one safetensors file of ours, which opens fast and runs nothing."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import torch

from ..checkpoints import load_generator, write_generator
from ..checkpoints.known import recognise, sha256_of
from ..errors import CheckpointError
from ..networks.build import Generator, tensors_of
from ..progress import Progress
from ..weights import builtin_path, read_header
from .arguments import Outcome, expect_safetensors

LARGEST_HALF = float(torch.finfo(torch.float16).max)
MAX_NAME = 80


def convert(arguments: Namespace, progress: Progress) -> Outcome:
    """Write the generator, lossless unless `--fp16`, with what is known of its origin."""
    source = builtin_path("generator.safetensors") if arguments.source == "builtin" else Path(arguments.source)
    expect_safetensors(arguments.out, inputs=[source])
    generator = load_generator(arguments.source)
    if arguments.fp16:
        _expect_half_enough(generator, source)
    sha256 = sha256_of(source)
    known = recognise(sha256)
    if known is not None:
        generator.spec = replace(generator.spec, name=known.name, licence=known.licence)
    elif generator.spec.name == "unnamed":
        generator.spec = replace(generator.spec, name=source.stem[:MAX_NAME])
    spec = generator.spec
    notes = _kept_notes(source) | {
        "architecture": spec.architecture,
        "crop": spec.crop,
        "licence": spec.licence,
        "precision": "float16" if arguments.fp16 else "float32",
        "source_sha256": sha256,
    }
    write_generator(arguments.out, generator, half=arguments.fp16, notes=notes)
    written = load_generator(arguments.out)
    report: dict[str, object] = {
        "out": str(arguments.out),
        "name": spec.name,
        "resolution": spec.resolution,
        "fingerprint": written.fingerprint,
        "same_fingerprint": written.fingerprint == generator.fingerprint,
        "precision": notes["precision"],
        "licence": spec.licence,
        "source_sha256": sha256,
    }
    lines = [
        f"wrote {arguments.out}: {spec.name}, {spec.architecture} of {spec.resolution} px, {notes['precision']}",
        f"licence: {spec.licence}",
        f"fingerprint: {written.fingerprint}",
    ]
    if not report["same_fingerprint"]:
        lines.append("rounding changed the fingerprint: latents and axes of the original do not fit this file")
    return report, lines


def _kept_notes(source: Path) -> dict[str, str]:
    """What a file of ours already tells about its data and terms; other formats tell nothing."""
    try:
        _, metadata = read_header(source)
    except CheckpointError:
        return {}
    return {key: value for key, value in metadata.items() if key not in ("format", "spec")}


def _expect_half_enough(generator: Generator, source: Path) -> None:
    """Float16 must be able to hold every weight.

    Raises: CheckpointError.
    """
    for name, tensor in tensors_of(generator).items():
        largest = float(tensor.abs().max())
        if largest > LARGEST_HALF:
            raise CheckpointError(
                f"{source.name} holds {largest:.0f} in '{name}', float16 ends at {LARGEST_HALF:.0f}; leave --fp16 away"
            )
