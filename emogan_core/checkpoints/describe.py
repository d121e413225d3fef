"""What a generator file holds, for people who ask: `emogan info`, and the report of Load Generator."""

from __future__ import annotations

from dataclasses import asdict

from ..networks.stylegan3 import frequency_bands
from ..weights import stored_types
from .known import recognise, sha256_of
from .load import LoadedCheckpoint

MAX_SHOWN = 300
PARTS = ("mapping", "synthesis", "encoder", "discriminator")
_TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def described(loaded: LoadedCheckpoint) -> dict[str, object]:
    """Every fact about a generator file, plain values only, ready for JSON.

    Raises: CheckpointError when the file has gone since it was opened.
    """
    generator, spec = loaded.generator, loaded.generator.spec
    sha256 = sha256_of(loaded.path)
    known = recognise(sha256)
    facts: dict[str, object] = {
        "kind": "generator",
        "name": spec.name,
        "known_file": None if known is None else known.name,
        "fingerprint": generator.fingerprint,
        "architecture": spec.architecture,
        "resolution": spec.resolution,
        "channels": list(spec.channels),
        "z_dim": spec.z_dim,
        "w_dim": spec.w_dim,
        "num_ws": spec.num_ws,
        "mapping_layers": spec.mapping_layers,
        "classes": spec.c_dim,
        "conv_clamp": spec.conv_clamp,
        "crop": spec.crop,
        "licence": spec.licence if known is None else known.licence,
        "parts": [part for part in PARTS if getattr(generator, part, None) is not None],
        "parameters": sum(parameter.numel() for parameter in generator.parameters()),
        "w_avg": "computed" if "mapping.w_avg" in loaded.computed else "in the file",
        "precision": _precision(loaded),
        "sha256": sha256,
        "bytes": loaded.path.stat().st_size,
        "notices": list(loaded.notices),
    }
    if spec.c_dim:
        facts["conditioning"] = spec.conditioning
    if spec.alias_free is not None:
        facts["layout"] = asdict(spec.alias_free)
        found = frequency_bands(spec)
        facts["layer_sides"] = [band.side for band in found]
        facts["layer_rates"] = [band.rate for band in found]
        facts["layer_cutoffs"] = [round(band.cutoff, 3) for band in found]
    return facts


def brief(loaded: LoadedCheckpoint, *, sha256: str) -> list[str]:
    """What decides what can be done with a generator, in a few lines for people; `sha256` is its file's."""
    spec = loaded.generator.spec
    known = recognise(sha256)
    name, licence = (spec.name, spec.licence) if known is None else (known.name, known.licence)
    crop = f", crop {_plain(spec.crop)}" if spec.crop else ""
    lines = [f"{_plain(name)}: {spec.architecture}, {spec.resolution} px{crop}"]
    lines.append(f"licence: {_plain(licence)}")
    if spec.c_dim:
        lines.append(f"classes: 0 to {spec.c_dim - 1}; Sample Faces needs one")
    if loaded.generator.encoder is None:
        lines.append("no encoder: Invert Face optimises, which takes longer")
    return [*lines, *(f"note: {_plain(notice)}" for notice in loaded.notices)]


def summarised(loaded: LoadedCheckpoint, *, sha256: str) -> list[str]:
    """What `brief` says, and what tells this generator from all others: code size, fingerprint and hash."""
    spec = loaded.generator.spec
    return [
        *brief(loaded, sha256=sha256),
        f"code: {spec.num_ws} rows of {spec.w_dim}",
        f"fingerprint: {loaded.generator.fingerprint}",
        f"sha256: {sha256}",
    ]


def _plain(text: str) -> str:
    """A file's own words as part of one line: no line of theirs may look like one of ours."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_SHOWN])


def _precision(loaded: LoadedCheckpoint) -> str:
    """As the file keeps its numbers; files of other programs are always handed on in float32."""
    if not loaded.own:
        return "read as float32"
    return ", ".join(_TYPES.get(kind, kind) for kind in stored_types(loaded.path))
