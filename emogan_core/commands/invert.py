"""`emogan invert`: the latent of a face in a photo, as a file."""

from __future__ import annotations

from argparse import Namespace

from ..checkpoints import load_generator
from ..images import open_photo
from ..inversion import invert
from ..latents import save_latent
from ..progress import Progress
from .arguments import Outcome, expect_safetensors, first_of, input_files


def invert_photo(arguments: Namespace, progress: Progress) -> Outcome:
    """The latent of a face in a photo, as a file."""
    expect_safetensors(arguments.out, inputs=input_files(arguments, arguments.photo))
    photo = open_photo(arguments.photo)
    generator = load_generator(arguments.generator, device=arguments.device)
    inversion = invert(generator, photo, method=arguments.method, face=arguments.face, progress=progress)
    quads = [crop.quad.tolist() for crop in inversion.crops or ()]
    save_latent(arguments.out, inversion.latent, quads=quads)
    metrics = first_of(inversion.metrics)
    report: dict[str, object] = {
        "generator": generator.fingerprint,
        "method": arguments.method,
        "inversion": metrics,
    }
    told = ", ".join(f"{name} {value:.2f}" for name, value in metrics.items())
    return report, [f"wrote {arguments.out} ({told})"]
