"""What a generator file holds, for people who ask: `emogan info`, and the report of Load Generator."""

from __future__ import annotations

from dataclasses import asdict

from ..networks.spec import GeneratorSpec
from ..weights import stored_types
from .known import recognise, sha256_of
from .load import Opened

PARTS = ("mapping", "synthesis", "encoder", "discriminator")
_TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def described(opened: Opened) -> dict[str, object]:
    """Every fact about a generator file, plain values only, ready for JSON."""
    generator, spec = opened.generator, opened.generator.spec
    sha256 = sha256_of(opened.path)
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
        "w_avg": "computed" if "mapping.w_avg" in opened.computed else "in the file",
        "precision": _precision(opened),
        "sha256": sha256,
        "bytes": opened.path.stat().st_size,
        "notices": list(opened.notices),
    }
    if spec.c_dim:
        facts["conditioning"] = spec.conditioning
    if spec.alias_free is not None:
        facts["layout"] = asdict(spec.alias_free)
    return facts


def summarised(opened: Opened) -> str:
    """The facts that decide what can be done with a generator, in a few lines for people."""
    spec = opened.generator.spec
    facts = described(opened)
    lines = [
        f"{facts['known_file'] or spec.name}: {spec.architecture}, {spec.resolution} px, crop {spec.crop}",
        f"licence: {facts['licence']}",
        f"rows of the code: {spec.num_ws} of {spec.w_dim}",
        _classes_told(spec),
        "encoder: " + ("yes" if opened.generator.encoder is not None else "none, so Invert Face optimises"),
        f"fingerprint: {opened.generator.fingerprint}",
        f"sha256: {facts['sha256']}",
        *(f"note: {notice}" for notice in opened.notices),
    ]
    return "\n".join(line for line in lines if line)


def _classes_told(spec: GeneratorSpec) -> str:
    return f"classes: 0 to {spec.c_dim - 1}; Sample Faces needs one" if spec.c_dim else ""


def _precision(opened: Opened) -> str:
    """As the file keeps its numbers; files of other programs are always handed on in float32."""
    if not opened.own:
        return "read as float32"
    return ", ".join(_TYPES.get(kind, kind) for kind in stored_types(opened.path))
