"""Two versions of a photo held against each other: which pixels differ, how far the face moved, what it reads as."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .errors import FaceError, ShapeError
from .expressions.reading import Reading, reading_lines, reading_of
from .faces import Crop, choose_face, crop_of, fit_to_photo, seen_again
from .images import Photo

MOST_SHAPES = 8  # told of a reading
SHOWN_GAIN = 3  # differences are shown this much larger, about mid-gray


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What an edit did to one photo.

    Convention: `changed` bool [h, w] says which pixels differ, of which `outside` lie where the mask is 0 (None without a
    mask); `most` is the largest difference, of 255; `difference` shows them about mid-gray; `moved_cm` is the landmarks'
    mean and largest way on a head of usual size; `crop` is the face's place. What needs a face that was not found is None,
    and `unread` says why.
    """

    changed: NDArray[np.bool_]
    outside: int | None
    most: int
    difference: Photo
    before: Reading | None = None
    after: Reading | None = None
    moved_cm: tuple[float, float] | None = None
    crop: Crop | None = None
    unread: str = ""


def compare(before: Photo, after: Photo, *, mask: NDArray[np.floating] | None = None, face: int = 0) -> Comparison:
    """What differs between a photo and its edit.

    Convention: `mask` [h, w] in 0..1 is the edit's; `face` counts from the largest of `before`; in `after` it is looked
    for where it was.
    Raises: ShapeError when sizes differ.
    """
    shape = before.pixels.shape[:2]
    if after.pixels.shape[:2] != shape or (mask is not None and mask.shape != shape):
        came = after.pixels.shape[:2] if mask is None else (*after.pixels.shape[:2], *mask.shape)
        raise ShapeError(f"pictures of {shape} and {came} px came; give two of one size, and the mask of the edit")
    gap = after.pixels.astype(np.int16) - before.pixels
    changed = (gap != 0).any(-1)
    shown = Photo((128 + SHOWN_GAIN * gap).clip(0, 255).astype(np.uint8))
    outside = None if mask is None else int(changed[mask <= 0].sum())
    plain = Comparison(changed, outside, int(np.abs(gap).max()), shown)
    try:
        crop = crop_of(choose_face(before, face), "tight")
        one = fit_to_photo(before, seen_again(before, crop))  # looked at as the other one will be
    except FaceError as error:
        return replace(plain, unread=f"the photo before the edit could not be read: {error}")
    plain = replace(plain, crop=crop, before=reading_of(one))
    try:
        two = fit_to_photo(after, seen_again(after, crop))
    except FaceError as error:
        return replace(plain, unread=f"the photo after the edit could not be read: {error}")
    ways = np.linalg.norm(two.landmarks - one.landmarks, axis=1) / one.pose.scale
    return replace(plain, after=reading_of(two), moved_cm=(float(ways.mean()), float(ways.max())))


def comparison_lines(comparison: Comparison) -> list[str]:
    """A comparison in lines for people."""
    share = float(comparison.changed.mean())
    lines = [f"changed: {share:.1%} of the pixels, by {comparison.most} of 255 at most"]
    if comparison.outside is not None:
        lines.append(f"outside of the mask: {comparison.outside} pixels differ")
    for when, reading in (("before", comparison.before), ("after", comparison.after)):
        if reading is not None:
            lines += [f"{when}, {line}" for line in reading_lines(reading, most=MOST_SHAPES)]
    if comparison.moved_cm is not None:
        mean, most = comparison.moved_cm
        lines.append(f"landmarks moved: {mean:.2f} cm on average, {most:.2f} cm at most")
    return [*lines, *([comparison.unread] if comparison.unread else [])]
