"""Random codes, and pictures of codes drawn in groups."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..devices import gradients_off, rng_from_seed
from ..errors import CheckpointError
from ..latents import Latent
from ..progress import Progress, StepReport, silent
from ..weights import is_finite
from .build import Generator
from .mapping import class_rows
from .memory import need_to_draw

SHOWN_BYTES = 1 << 28
"""What a group of pictures may take while it is drawn: small, so that progress shows often; large ones are hardly faster."""


def sampled(generator: Generator, count: int, *, psi: float, seed: int, label: int | None = None) -> Latent:
    """Random codes of `count` faces, of class `label` where there are classes; the same ones on every device.

    Raises: ShapeError when the class is missing, came without need, or is none of the generator's.
    """
    c = class_rows(generator.spec, label, count=count)
    z = torch.randn(count, generator.spec.z_dim, generator=rng_from_seed(seed))
    device = generator.device
    with gradients_off():
        ws = generator.mapping(z.to(device), psi=psi, c=None if c is None else c.to(device))
        return Latent(ws.clone(), generator.fingerprint)  # the rows of a code are views of one


def drawn_in_groups(
    generator: Generator, ws: Tensor, *, most: int = SHOWN_BYTES, progress: Progress = silent
) -> Iterator[Tensor]:
    """Pictures of ws [n, num_ws, w_dim] on any device, as groups [m, 3, r, r] that take `most` bytes at once.

    Raises: CheckpointError when they are not finite; Cancelled from `progress`.
    """
    groups = list(need_to_draw(generator.spec, device=generator.device.type).groups(len(ws), most=most))
    for step, group in enumerate(groups, start=1):
        with gradients_off():
            images: Tensor = generator.synthesis(ws[group].to(generator.device))
        if not is_finite(images):  # weights may be finite and so large that what they draw is not
            raise CheckpointError(
                f"the generator '{generator.spec.name}' draws NaN or infinity instead of pictures; its file is damaged "
                "or its training had failed, use another"
            )
        yield images
        progress(StepReport(step, len(groups), "drawing"))
