"""How many samples a step takes, so that training fits into the memory there is."""

from __future__ import annotations

import torch

from ..free_memory import expect_room, free_memory
from ..networks.build import Generator
from ..networks.encoder import Encoder
from ..networks.memory import BYTES, need_to_draw, need_to_invert

BATCHES = (8, 4, 2)
SHARE = 0.5  # of the free memory that is taken
COPIES = 6  # of the encoder's weights: live, averaged, gradients, two moments, and one while they are written
KEPT = 10.0  # numbers kept for the backward pass, per number of every layer's output of the encoder


def batch_for(generator: Generator, encoder: Encoder) -> int:
    """The largest batch that leaves half of the free memory to others.

    Raises: EmoganError when not even the smallest fits.
    """
    device = generator.device
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    for batch in BATCHES:
        if free is None or training_bytes(generator, encoder, batch) <= SHARE * free:
            return batch
    least = training_bytes(generator, encoder, BATCHES[-1])
    expect_room(least, what=f"training an encoder for '{generator.spec.name}' would")
    return BATCHES[-1]


def training_bytes(generator: Generator, encoder: Encoder, batch: int) -> int:
    """What a training takes beside the generator's weights; pictures are redrawn as in an inversion, of `batch` at once."""
    weights = sum(parameter.numel() for parameter in encoder.parameters()) * BYTES
    read = sum(2 * width * (4 << index) ** 2 for index, width in enumerate(encoder.channels)) * BYTES
    encoding = round(1.5 * batch * KEPT * read)
    drawing = need_to_draw(generator.spec, device=generator.device.type).of(batch)
    redrawing = need_to_invert(generator, device=generator.device.type).of(batch)
    return COPIES * weights + encoding + max(drawing, redrawing)
