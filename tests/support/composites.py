"""The composites that ship, small, each with its face."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from emogan_core.face_model import FaceFit
from emogan_core.faces import choose_face
from emogan_core.faces.fit import fit_to_photo
from emogan_core.images import Photo
from emogan_core.weights import builtin_path


@cache
def composite(name: str) -> tuple[Photo, FaceFit]:
    image = Image.open(builtin_path(f"examples/composite_{name}.jpg")).convert("RGB")
    photo = Photo(np.asarray(image.resize((360, 360 * image.height // image.width), Image.Resampling.LANCZOS)))
    return photo, fit_to_photo(photo, choose_face(photo))
