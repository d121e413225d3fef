"""`emogan invert`: the latent of a face in a photo, as a file."""

from __future__ import annotations

from argparse import Namespace

from ..checkpoints import load_generator
from ..images import open_photo
from ..inversion import expect_method, invert
from ..latents import save_latent
from ..progress import Progress
from .arguments import Outcome, chosen_face, first_of, input_files, notes_of
from .outputs import Outputs


def invert_photo(arguments: Namespace, progress: Progress, outputs: Outputs) -> Outcome:
    """The latent of a face in a photo, as a file."""
    outputs.expect_safetensors(arguments.out, inputs=input_files(arguments, arguments.photo))
    photo = open_photo(arguments.photo)
    generator = load_generator(arguments.generator, device=arguments.device)
    expect_method(generator, arguments.method)
    face, notes = chosen_face(photo, arguments.face)
    inversion = invert(generator, photo, method=arguments.method, face=face, progress=progress)
    quads = [crop.quad.tolist() for crop in inversion.crops or ()]
    save_latent(arguments.out, inversion.latent, quads=quads)
    outputs.wrote(arguments.out)
    metrics = first_of(inversion.metrics)
    report: dict[str, object] = {
        "generator": generator.fingerprint,
        "method": arguments.method,
        "inversion": metrics,
    }
    told = ", ".join(f"{name} {value:.2f}" for name, value in metrics.items())
    return report, [f"wrote {arguments.out} ({told})", *notes, *notes_of(photo)]
