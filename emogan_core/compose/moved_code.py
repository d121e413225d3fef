"""The code of an edited face: what a generator's encoder reads of the photo that the face model moved."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..devices import ordinary
from ..faces import Crop, cut
from ..images import Photo
from ..inversion import Edit
from ..networks.build import Generator


def code_of_moved(
    generator: Generator, photo: Photo, moved: NDArray[np.uint8], crop: Crop, before: Tensor, edit: Edit
) -> Tensor:
    """ws [1, num_ws, w_dim] with which a generator redraws an edit, on its device.

    By as much as the encoder reads the moved photo otherwise than the photo, in place of the step along designed axes: so
    it is this person's expression, whatever code the photo was inverted to. The edit's own latent without an encoder,
    and where something else moved it, such as axes fitted on examples: they know more than the face model moves.
    Convention: moved [h, w, 3] are the photo's pixels after the edit; crop is where the generator's picture belongs;
    before [1, num_ws, w_dim] is the photo's code.
    """
    after = ordinary(edit.latent.ws).to(generator.device)
    own = after if edit.step is None else after - edit.step.to(after)
    if generator.encoder is None or not torch.allclose(own, before, rtol=1e-4, atol=1e-4):
        return after
    if np.array_equal(moved, photo.pixels):
        return before
    size = generator.spec.resolution
    pictures = torch.cat([cut(one, crop, size) for one in (photo, Photo(moved))])
    seen = generator.encode(pictures.to(generator.device)).to(after)
    result: Tensor = before + (seen[1:] - seen[:1])
    return result
