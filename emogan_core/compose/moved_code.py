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


def code_of_moved(generator: Generator, photo: Photo, moved: NDArray[np.uint8], crop: Crop, edit: Edit) -> Tensor:
    """ws [1, num_ws, w_dim] with which a generator redraws an edit, on its device.

    By as much as the encoder reads the moved photo otherwise than the photo, in place of the step that the axes have in
    the latent for what the face model moves: so it is this person's expression, whatever code the photo was inverted to.
    Without an encoder it is the edit's own latent.
    Convention: moved [h, w, 3] are the photo's pixels after the edit; crop is where the generator's picture belongs.
    """
    after = ordinary(edit.latent.ws).to(generator.device)
    if generator.encoder is None:
        return after
    if edit.step is not None:
        after = after - edit.step.to(after)
    if np.array_equal(moved, photo.pixels):
        return after
    size = generator.spec.resolution
    pictures = torch.cat([cut(one, crop, size) for one in (photo, Photo(moved))])
    seen = generator.encode(pictures.to(generator.device)).to(after)
    result: Tensor = after + (seen[1:] - seen[:1])
    return result
