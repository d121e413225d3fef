"""How blurred a face is in its photo: what is drawn into it should be no sharper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..face_model.fit import FaceFit

PARTS = ((33, 133, 159, 145), (362, 263, 386, 374), (61, 291, 0, 17))  # landmarks around the eyes and the mouth
MARGIN_PX = 4
RATIOS = (0.32, 0.35, 0.39, 0.48, 0.55, 0.635, 0.74)  # of fine to coarse detail, falling with
BLURS = (6.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.0)  # the blur: measured on blurred studio photos, 4 sharp ones within .2 px


def blur_of(pixels: NDArray[np.uint8], fit: FaceFit) -> float:
    """The blur of eyes and mouth as the standard deviation (px) of a Gaussian, 0 to 6; noise makes it seem less.

    It is read from the ratio of the detail between 1 and 2 px to that between 2 and 4 px.
    """
    fine = coarse = 0.0
    height, width = pixels.shape[:2]
    for part in PARTS:
        points = fit.landmarks[list(part)]
        left, top = np.clip(points.min(0) - MARGIN_PX, 0, (width, height)).astype(int)
        right, bottom = np.clip(points.max(0) + MARGIN_PX + 1, 0, (width, height)).astype(int)
        if right - left < 8 or bottom - top < 8:
            continue
        gray = pixels[top:bottom, left:right].astype(np.float32).mean(-1)
        levels = [ndimage.gaussian_filter(gray, sigma) for sigma in (1.0, 2.0, 4.0)]
        fine += float(((levels[0] - levels[1]) ** 2).sum())
        coarse += float(((levels[1] - levels[2]) ** 2).sum())
    if coarse <= 0:
        return 0.0
    return float(np.interp(np.sqrt(fine / coarse), RATIOS, BLURS))
