"""Any generator file read here as one safetensors file of ours, which opens fast and can hold no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ..errors import CheckpointError, OutputError
from ..files import refuse_overwrite
from ..networks.build import Generator, tensors_of
from ..networks.encoder import Encoder
from ..networks.spec import GeneratorSpec
from ..weights import read_header
from .known import recognise, sha256_of
from .load import LoadedCheckpoint, load_generator, named_by_file, open_generator, path_of, unicode_only
from .native import write_generator

LARGEST_HALF = float(torch.finfo(torch.float16).max)
MAX_LICENCE = 300
LARGER = 1.5  # times the size of its source a file may be before it is explained
OPTIONS_KEY = "conversion"


@dataclass(frozen=True, slots=True)
class ConversionOptions:
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
        """The options as text, as the written file holds it."""
        return json.dumps(asdict(self), sort_keys=True)

    def applied(self, spec: GeneratorSpec) -> GeneratorSpec:
        """The spec with what the options add."""
        licence = unicode_only(self.licence.strip()[:MAX_LICENCE])
        return replace(spec, crop=unicode_only(self.crop) or spec.crop, licence=licence or spec.licence)


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


def convert_generator(source: str | Path, out: Path, *, options: ConversionOptions | None = None) -> Conversion:
    """Write a generator whole or not at all, every bit kept unless in half precision, with what is known of its origin.

    Raises: OutputError when `out` is no .safetensors name, cannot be written or is the source itself; CheckpointError
    when the source cannot be read, tells another crop, or float16 cannot hold it.
    """
    if out.suffix.lower() != ".safetensors":
        raise OutputError(f"the output {out.name} is not named as what it will be; use a name in .safetensors")
    refuse_overwrite(out, [path_of(source)])
    options = options or ConversionOptions()
    loaded = open_generator(source)
    _expect_its_own_crop(loaded, options.crop)
    if options.half:
        _expect_half_enough(loaded)
    sha256 = sha256_of(loaded.path)
    generator = loaded.generator
    generator.spec = options.applied(_named(generator.spec, loaded.path, sha256))
    write_generator(out, generator, half=options.half, notes=_notes(loaded, sha256, options))
    written = load_generator(out)
    larger = out.stat().st_size / max(1, loaded.path.stat().st_size)
    return Conversion(
        out=out,
        generator=written,
        source_sha256=sha256,
        precision=options.precision,
        same_fingerprint=written.fingerprint == generator.fingerprint,
        notices=(
            *loaded.notices,
            *([] if options.half or larger < LARGER else [_why_larger(out, loaded.path, larger)]),
        ),
    )


def write_with_encoder(
    out: Path, loaded: LoadedCheckpoint, encoder: Encoder, *, crop: str, notes: Mapping[str, str]
) -> None:
    """Write a generator with an encoder trained for it, whole or not at all, every bit kept; `loaded` is taken over.

    Convention: `crop` is the frame of the pictures that the encoder learned.
    The fingerprint stays, as it covers mapping and synthesis alone: latents and axes of the source fit the file.
    Raises: OutputError.
    """
    sha256 = sha256_of(loaded.path)
    generator = loaded.generator
    generator.encoder = encoder
    generator.spec = replace(_named(generator.spec, loaded.path, sha256), crop=crop)
    told = _notes(loaded, sha256, ConversionOptions())
    del told[OPTIONS_KEY]  # which would call the file a plain conversion of its source
    write_generator(out, generator, half=False, notes={**told, **notes})


def is_conversion(path: Path, *, source_sha256: str, options: ConversionOptions) -> bool:
    """Whether a file is still whole and is what `convert_generator` made of such a source with such options."""
    try:
        _, metadata = read_header(path)
    except CheckpointError:
        return False
    return metadata.get("source_sha256") == source_sha256 and metadata.get(OPTIONS_KEY) == options.to_json()


def _named(spec: GeneratorSpec, path: Path, sha256: str) -> GeneratorSpec:
    """The spec with the name and terms of a known file, or at least with the file's own name."""
    known = recognise(sha256)
    if known is not None:
        return replace(spec, name=known.name, licence=known.licence)
    return named_by_file(spec, path)


def _notes(loaded: LoadedCheckpoint, sha256: str, options: ConversionOptions) -> dict[str, str]:
    """Metadata for people and programs that do not read our spec; a file of ours hands its own on."""
    notes: dict[str, str] = {}
    if loaded.own:
        _, metadata = read_header(loaded.path)
        notes = {key: value for key, value in metadata.items() if key not in ("format", "spec")}
        if "source_sha256" in notes:
            notes.setdefault("original_sha256", notes["source_sha256"])
    spec = loaded.generator.spec
    facts: dict[str, object] = {
        "architecture": spec.architecture,
        "resolution": spec.resolution,
        "z_dim": spec.z_dim,
        "w_dim": spec.w_dim,
        "num_ws": spec.num_ws,
        "classes": spec.c_dim,
        "conv_clamp": "none" if spec.conv_clamp is None else spec.conv_clamp,
        "crop": spec.crop or "not told",
        "licence": spec.licence,
        "precision": options.precision,
        "source_sha256": sha256,
        OPTIONS_KEY: options.to_json(),
    }
    if loaded.notices:
        facts["source_notices"] = "; ".join(loaded.notices)
    return notes | {key: str(value) for key, value in facts.items()}


def _why_larger(out: Path, source: Path, larger: float) -> str:
    return (
        f"{out.name} is {larger:.1f} times as large as {source.name}, which keeps numbers of 16 bits: every number is written "
        "with 32; fp16 writes 16"
    )


def _expect_its_own_crop(loaded: LoadedCheckpoint, crop: str) -> None:
    """The frame belongs to the weights: another word for it would cut every face wrongly.

    Raises: CheckpointError.
    """
    spec = loaded.generator.spec
    if loaded.own and spec.crop and crop and crop != spec.crop:
        raise CheckpointError(
            f"{loaded.path.name} tells its crop, '{spec.crop}', and its encoder and latents are for that one, so it cannot "
            f"become '{crop}'; leave crop away, or where that was a guess, convert the original file again with crop '{crop}'"
        )


def _expect_half_enough(loaded: LoadedCheckpoint) -> None:
    """Float16 must be able to hold every weight.

    Raises: CheckpointError.
    """
    for name, tensor in tensors_of(loaded.generator).items():
        largest = float(tensor.abs().max())
        if largest > LARGEST_HALF:
            raise CheckpointError(
                f"{loaded.path.name} holds {largest:.0f} in '{name}', float16 ends at {LARGEST_HALF:.0f}; "
                "keep float32 (leave fp16 away)"
            )
