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
    generator: Generator,
    photo: Photo,
    moved: NDArray[np.uint8],
    crop: Crop,
    before: Tensor,
    edit: Edit,
    *,
    learned: NDArray[np.uint8] | None = None,
) -> Tensor:
    """ws [1, num_ws, w_dim] with which a generator redraws an edit, on its device.

    By as much as the encoder reads the moved photo otherwise than the photo, in place of the step along designed axes: so
    it is this person's expression, whatever code the photo was inverted to. The edit's own latent without an encoder,
    and where something else moved it, such as axes fitted on examples: they know more than the face model moves. Where
    the face model moves something beside these, what the encoder reads of that is added to their latent.
    Convention: moved [h, w, 3] are the photo's pixels after the edit, `learned` those after what axes fitted on examples
    move alone, None where there is nothing beside it; crop is where the generator's picture belongs;
    before [1, num_ws, w_dim] is the photo's code.
    """
    after = ordinary(edit.latent.ws).to(generator.device)
    own = after if edit.step is None else after - edit.step.to(after)
    still = torch.allclose(own, before, rtol=1e-4, atol=1e-4)
    if generator.encoder is None or not (still or learned is not None):
        return after
    start, pixels = (before, photo.pixels) if still or learned is None else (own, learned)
    if np.array_equal(moved, pixels):
        return start
    size = generator.spec.resolution
    pictures = torch.cat([cut(Photo(one), crop, size) for one in (pixels, moved)])
    seen = generator.encode(pictures.to(generator.device)).to(after)
    result: Tensor = start + (seen[1:] - seen[:1])
    return result
