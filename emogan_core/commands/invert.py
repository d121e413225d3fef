"""`emogan invert`: the latent of a face in a photo, as a file."""

from __future__ import annotations

from argparse import Namespace

from ..checkpoints import load_generator
from ..images import open_photo
from ..inversion import expect_method
from ..latents import save_latent
from ..progress import Progress
from .arguments import Outcome, clear_notes, first_of, input_files, inverted, notes_of
from .outputs import Outputs
from .unused_options import refuse_unused_for_inversion


def invert_photo(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """The latent of a face in a photo, as a file."""
    refuse_unused_for_inversion(arguments)
    others = [] if arguments.ignore is None else [arguments.ignore]
    outputs.expect_safetensors(arguments.out, inputs=input_files(arguments, arguments.photo, *others))
    photo = open_photo(arguments.photo)
    generator = load_generator(arguments.generator, device=arguments.device)
    expect_method(generator, arguments.method)
    inversion, notes = inverted(arguments, generator, photo, progress)
    for crop in inversion.crops or ():
        notes += clear_notes(photo, crop.landmarks, arguments.photo.name)
    quads = [crop.quad.tolist() for crop in inversion.crops or ()]
    save_latent(arguments.out, inversion.latent, quads=quads)
    outputs.wrote(arguments.out)
    metrics = first_of(inversion.metrics)
    report: dict[str, object] = {
        "generator": generator.fingerprint,
        "method": arguments.method,
        "inversion": metrics,
    }
    if inversion.delta is not None:
        report["delta"] = inversion.delta.content_fingerprint
    told = ", ".join(f"{name} {value:.2f}" for name, value in metrics.items())
    return report, [f"wrote {arguments.out} ({told})", *notes, *notes_of(photo)]
