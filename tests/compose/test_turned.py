"""A face that lies turned in its photo is edited as the upright one is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from emogan_core.compose.move import move_face
from emogan_core.expressions import load_axes
from emogan_core.face_model import load_face_model
from emogan_core.faces import choose_face
from emogan_core.faces.fit import fit_to_photo
from emogan_core.images import Photo
from emogan_core.weights import builtin_path

SIDE = 300


def smiling(picture: Image.Image) -> np.ndarray:
    """The picture's face, found and fitted by the program itself, with happiness at 1."""
    model, photo = load_face_model(), Photo(np.asarray(picture))
    fit = fit_to_photo(photo, choose_face(photo))
    step = load_axes("builtin")["happiness"].coefficients.double().numpy()
    return move_face(photo, model, fit, (fit.coefficients + step).clip(0, 1))[0].astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("clockwise", [135])
def test_invariance_an_edit_turns_with_the_photo(clockwise: int) -> None:
    image = Image.open(builtin_path("examples/composite_f_multi.jpg")).convert("RGB")
    image = image.resize((SIDE, SIDE * image.height // image.width), Image.Resampling.LANCZOS)
    size = 2 * SIDE
    canvas = Image.new("RGB", (size, size), image.getpixel((2, 2)))
    canvas.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
    turned = canvas.rotate(-clockwise, resample=Image.Resampling.BICUBIC, fillcolor=image.getpixel((2, 2)))
    back = ndimage.rotate(smiling(turned), clockwise, axes=(0, 1), reshape=False, order=3, mode="nearest")
    there_and_back = ndimage.rotate(
        np.asarray(turned).astype(float), clockwise, axes=(0, 1), reshape=False, order=3, mode="nearest"
    )
    change = smiling(canvas) - np.asarray(canvas)
    difference = (back - there_and_back) - change
    assert np.sqrt((difference**2).mean()) < 0.4 * np.sqrt((change**2).mean())
