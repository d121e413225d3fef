"""Any generator file read here as one safetensors file of ours, which opens fast and can hold no code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ..errors import CheckpointError, OutputError
from ..files import refuse_overwrite
from ..networks.build import Generator, tensors_of
from ..networks.spec import GeneratorSpec
from ..weights import read_header
from .known import recognise, sha256_of
from .load import Opened, load_generator, named_by_file, open_generator, path_of
from .native import write_generator

LARGEST_HALF = float(torch.finfo(torch.float16).max)
MAX_LICENCE = 300
ORDER_KEY = "conversion"


@dataclass(frozen=True, slots=True)
class Order:
    """How to write a generator: in half precision or not, and what a person adds that its file cannot tell.

    Convention: `crop` is the frame its training pictures were cut in; empty texts keep what was read.
    """

    half: bool = False
    crop: str = ""
    licence: str = ""

    @property
    def precision(self) -> str:
        """The type of numbers in the file, "float16" or "float32"."""
        return "float16" if self.half else "float32"

    def to_json(self) -> str:
        """The order as text, as the written file holds it."""
        return json.dumps(asdict(self), sort_keys=True)

    def applied(self, spec: GeneratorSpec) -> GeneratorSpec:
        """The spec with what the order adds."""
        return replace(spec, crop=self.crop or spec.crop, licence=self.licence.strip()[:MAX_LICENCE] or spec.licence)


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """What a conversion wrote, and the generator as the written file gives it.

    Convention: `precision` is "float32" or "float16"; without `same_fingerprint` latents and axes of the source do not
    fit the file; `notices` say what the source lacked.
    """

    out: Path
    generator: Generator
    source_sha256: str
    precision: str
    same_fingerprint: bool
    notices: tuple[str, ...]


def convert_generator(source: str | Path, out: Path, *, order: Order | None = None) -> Conversion:
    """Write a generator whole or not at all, every bit kept unless in half precision, with what is known of its origin.

    Raises: OutputError when `out` is no .safetensors name, cannot be written or is the source itself; CheckpointError
    when the source cannot be read or float16 cannot hold it.
    """
    if out.suffix.lower() != ".safetensors":
        raise OutputError(f"the output {out.name} is not named as what it will be; use a name in .safetensors")
    refuse_overwrite(out, [path_of(source)])
    order = order or Order()
    opened = open_generator(source)
    if order.half:
        _expect_half_enough(opened)
    sha256 = sha256_of(opened.path)
    generator = opened.generator
    generator.spec = order.applied(_named(generator.spec, opened.path, sha256))
    write_generator(out, generator, half=order.half, notes=_notes(opened, sha256, order))
    written = load_generator(out)
    return Conversion(
        out=out,
        generator=written,
        source_sha256=sha256,
        precision=order.precision,
        same_fingerprint=written.fingerprint == generator.fingerprint,
        notices=opened.notices,
    )


def is_conversion(path: Path, *, source_sha256: str, order: Order) -> bool:
    """Whether a file is still whole and is what `convert_generator` made of such a source by such an order."""
    try:
        _, metadata = read_header(path)
    except CheckpointError:
        return False
    return metadata.get("source_sha256") == source_sha256 and metadata.get(ORDER_KEY) == order.to_json()


def _named(spec: GeneratorSpec, path: Path, sha256: str) -> GeneratorSpec:
    """The spec with the name and terms of a known file, or at least with the file's own name."""
    known = recognise(sha256)
    if known is not None:
        return replace(spec, name=known.name, licence=known.licence)
    return named_by_file(spec, path)


def _notes(opened: Opened, sha256: str, order: Order) -> dict[str, str]:
    """Metadata for people and programs that do not read our spec; a file of ours hands its own on."""
    notes: dict[str, str] = {}
    if opened.own:
        _, metadata = read_header(opened.path)
        notes = {key: value for key, value in metadata.items() if key not in ("format", "spec")}
        if "source_sha256" in notes:
            notes.setdefault("original_sha256", notes["source_sha256"])
    spec = opened.generator.spec
    facts: dict[str, object] = {
        "architecture": spec.architecture,
        "resolution": spec.resolution,
        "z_dim": spec.z_dim,
        "w_dim": spec.w_dim,
        "num_ws": spec.num_ws,
        "classes": spec.c_dim,
        "conv_clamp": "none" if spec.conv_clamp is None else spec.conv_clamp,
        "crop": spec.crop,
        "licence": spec.licence,
        "precision": order.precision,
        "source_sha256": sha256,
        ORDER_KEY: order.to_json(),
    }
    if opened.notices:
        facts["source_notices"] = "; ".join(opened.notices)
    return notes | {key: str(value) for key, value in facts.items()}


def _expect_half_enough(opened: Opened) -> None:
    """Float16 must be able to hold every weight.

    Raises: CheckpointError.
    """
    for name, tensor in tensors_of(opened.generator).items():
        largest = float(tensor.abs().max())
        if largest > LARGEST_HALF:
            raise CheckpointError(
                f"{opened.path.name} holds {largest:.0f} in '{name}', float16 ends at {LARGEST_HALF:.0f}; "
                "keep float32 (leave fp16 away)"
            )
