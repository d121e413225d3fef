"""How cheeks are coloured in a picture: a measure of the picture, not of a person."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from emogan_core.images import Photo

Array = NDArray[np.float64]
REACH = 0.12  # half a patch, of the distance between the eyes
OUTWARD = 0.08  # how far the patches lie outside the lines from eyes to mouth corners, of the same distance


def cheeks(lab: Array, landmarks: Array) -> Array:
    """[3]: the median colour of two square patches, midway between each eye and its corner of the mouth.

    Convention: lab [h, w, 3]; landmarks [5, 2] in pixels, left eye, right eye, nose, left and right corner of the mouth.
    """
    eye_l, eye_r, _, mouth_l, mouth_r = landmarks
    across = eye_r - eye_l
    reach = max(1, round(REACH * float(np.linalg.norm(across))))
    patches = []
    for middle in ((eye_l + mouth_l) / 2 - OUTWARD * across, (eye_r + mouth_r) / 2 + OUTWARD * across):
        x, y = middle.round().astype(int)
        patches.append(lab[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 3))
    return np.asarray(np.median(np.concatenate(patches), axis=0))


def brightness(photo: Photo, landmarks: Array) -> float:
    """L* of the cheeks less the mean L* of the whole picture."""
    lab = rgb2lab(photo.pixels)
    return float(cheeks(lab, landmarks)[0] - lab[..., 0].mean())


def typology_angle(photo: Photo, landmarks: Array) -> float:
    """The individual typology angle of the cheeks in degrees; the lighter the skin's colour, the larger.

    Source: Chardon, Cretois, Hourseau 1991, "Skin colour typology and suntanning pathways".
    """
    brightness_, _, yellow = cheeks(rgb2lab(photo.pixels), landmarks)
    return math.degrees(math.atan2(brightness_ - 50, max(yellow, 1e-6)))
