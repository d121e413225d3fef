"""A mask from a picture file: white, or what is painted, is left out; what could mean two things is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PhotoError
from ..images import open_photo

WANTED = "give white where the photo does not count, on black"
ONE_COLOUR, EVEN = 24, 2  # what colours of one paint, and of a picture of one value, may differ by, of 255
DARK, WHITE = 64, 239
"""Below the former nothing is light; what reaches the latter is white, as near as JPEG keeps it."""
LEAST_CLEAR = 0.5
"""The part of a mask that is black or white; photos have less."""

Shares = NDArray[np.float32]


def read_mask(path: Path, size: tuple[int, int]) -> tuple[Shares, list[str]]:
    """A mask [h, w] in 0..1 for a photo of a size (h, w), and how it was read where it is not plain.

    Raises: PhotoError when it cannot be read, has another size, or may mean several things.
    """
    photo = open_photo(path).eight_bit
    if photo.pixels.shape[:2] != size:
        height, width = photo.pixels.shape[:2]
        raise PhotoError(
            f"the mask {path.name} has {width} x {height} pixels, the photo {size[1]} x {size[0]}; give one of the photo's "
            "size"
        )
    values = photo.pixels.max(axis=2)  # [h, w]; of paint of any colour
    if photo.alpha is not None and np.ptp(photo.alpha) > EVEN:
        return _of_alpha(path, photo.pixels, values, photo.alpha)
    if photo.alpha is not None and photo.alpha.max() <= EVEN:
        raise PhotoError(f"the mask {path.name} is transparent all over; {WANTED}")
    return _of_values(path, values)


def _of_alpha(path: Path, pixels: NDArray[Any], values: NDArray[Any], alpha: NDArray[Any]) -> tuple[Shares, list[str]]:
    """What is painted, where all of it is one light colour; otherwise transparency as black."""
    painted = pixels[alpha > 127]
    if not len(painted):
        raise PhotoError(f"the mask {path.name} is more than half transparent everywhere; {WANTED}")
    if int(np.ptp(painted.astype(int), axis=0).max()) > ONE_COLOUR:
        flat = np.round(values * (alpha / np.float32(255))).astype(np.uint8)
        mask, told = _of_values(path, flat)
        return mask, [f"{path.name}: what is transparent was read as black", *told]
    if np.median(painted.max(axis=1)) < DARK:
        raise PhotoError(
            f"the mask {path.name} is black and transparent, and either may be meant to be left out; {WANTED}"
        )
    return (alpha / np.float32(255)).astype(np.float32), [
        f"{path.name}: the mask was read from its transparency: what is painted is left out"
    ]


def _of_values(path: Path, values: NDArray[Any]) -> tuple[Shares, list[str]]:
    low, high = int(values.min()), int(values.max())
    mask = (values / np.float32(255)).astype(np.float32)
    if high == 0:
        return mask, []
    if high - low <= EVEN and low > 0:
        colour = "white" if low >= WHITE else f"one gray ({high} of 255)"
        raise PhotoError(f"the mask {path.name} is {colour} all over, which would leave out all of the photo; {WANTED}")
    if high < DARK:
        if len(np.unique(values)) > 2:
            raise PhotoError(f"the mask {path.name} has no value above {high} of 255; {WANTED}")
        told = f"{path.name} holds the values {low} and {high} of 255; the higher one was read as white"
        return (values == high).astype(np.float32), [told]
    clear = float(((values < 255 - WHITE) | (values >= WHITE)).mean())
    if clear < LEAST_CLEAR:
        raise PhotoError(
            f"{path.name} is no mask: {1 - clear:.0%} of it is neither black nor white; {WANTED}, or a picture whose only "
            "colour is painted where the photo does not count, the rest transparent"
        )
    return mask, [] if high >= WHITE else [
        f"{path.name}: its brightest value, {high} of 255, leaves out a part of what the photo shows there"
    ]
