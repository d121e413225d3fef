"""`emogan convert`: any generator file read here as one safetensors file of ours."""

from __future__ import annotations

from argparse import Namespace

from ..checkpoints.convert import ConversionOptions, convert_generator
from ..checkpoints.load import path_of
from ..progress import Progress
from .arguments import Outcome
from .outputs import Outputs


def convert(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """Write the generator, lossless unless `--fp16`, with what is known of its origin."""
    outputs.expect_safetensors(arguments.out, inputs=[path_of(arguments.source)])
    options = ConversionOptions(half=arguments.fp16, crop=arguments.crop or "", licence=arguments.licence)
    done = convert_generator(arguments.source, arguments.out, options=options)
    outputs.wrote(done.out)
    spec = done.generator.spec
    report: dict[str, object] = {
        "out": str(done.out),
        "name": spec.name,
        "architecture": spec.architecture,
        "resolution": spec.resolution,
        "fingerprint": done.generator.fingerprint,
        "same_fingerprint": done.same_fingerprint,
        "precision": done.precision,
        "crop": spec.crop or None,
        "licence": spec.licence,
        "source_sha256": done.source_sha256,
        "notices": list(done.notices),
    }
    lines = [
        f"wrote {done.out}: {spec.name}, {spec.architecture} of {spec.resolution} px, crop {spec.crop or 'not told'}, {done.precision}",
        f"licence: {spec.licence}",
        f"fingerprint: {done.generator.fingerprint}",
        *(f"note: {notice}" for notice in done.notices),
    ]
    if not done.same_fingerprint:
        lines.append("rounding changed the fingerprint: latents and axes of the original do not fit this file")
    return report, lines
