"""Two versions of a photo held against each other: which pixels differ, how far the face moved, what it reads as."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from .devices import gradients_off
from .errors import FaceError, ShapeError
from .expressions.reading import Reading, reading_lines, reading_of
from .faces import Crop, Face, choose_face, crop_of, cut, fit_to_photo, recognised_quad, seen_again
from .images import Photo
from .networks.recogniser import FaceRecogniser
from .wording import counted

MOST_SHAPES = 8  # told of a reading
SHOWN_GAIN = 3  # differences are shown this much larger, about mid-gray


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What an edit did to one photo.

    Convention: `changed` bool [h, w] says which pixels differ, of which `outside` lie where the mask is 0 (None without a
    mask); `most` is the largest difference, of 255; `difference` shows them about mid-gray; `moved_cm` is the landmarks'
    mean and largest way on a head of usual size; `identity_distance` is one minus the cosine of a face recogniser's
    descriptors, 0 for one and the same and about 1 for strangers (None without a recogniser); `crop` is the face's place. What needs a face that was not found is None,
    and `unread` says why.
    """

    changed: NDArray[np.bool_]
    outside: int | None
    most: int
    difference: Photo
    before: Reading | None = None
    after: Reading | None = None
    moved_cm: tuple[float, float] | None = None
    identity_distance: float | None = None
    crop: Crop | None = None
    unread: str = ""


def compare(
    before: Photo,
    after: Photo,
    *,
    mask: NDArray[np.floating] | None = None,
    face: int = 0,
    recogniser: FaceRecogniser | None = None,
) -> Comparison:
    """What differs between a photo and its edit.

    Convention: `mask` [h, w] in 0..1 is the edit's; `face` counts from the largest of `before`; in `after` it is looked
    for where it was; `recogniser` is the user's own, from `load_recogniser`.
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
        seen = seen_again(before, crop)  # looked at as the other one will be
        one = fit_to_photo(before, seen)
    except FaceError as error:
        return replace(plain, unread=f"the photo before the edit could not be read: {error}")
    plain = replace(plain, crop=crop, before=reading_of(one))
    try:
        again = seen_again(after, crop)
        two = fit_to_photo(after, again)
    except FaceError as error:
        return replace(plain, unread=f"the photo after the edit could not be read: {error}")
    ways = np.linalg.norm(two.landmarks - one.landmarks, axis=1) / one.pose.scale
    apart = None
    if recogniser is not None:
        apart = max(0.0, 1 - float(_descriptor(recogniser, before, seen) @ _descriptor(recogniser, after, again)))
    moved = (float(ways.mean()), float(ways.max()))
    return replace(plain, after=reading_of(two), moved_cm=moved, identity_distance=apart)


def _descriptor(recogniser: FaceRecogniser, photo: Photo, face: Face) -> torch.Tensor:
    """[d] of length 1: who a face is."""
    crop = Crop(recognised_quad(face.landmarks), face.landmarks, "")
    with gradients_off():
        descriptors: torch.Tensor = recogniser(cut(photo, crop, recogniser.side))
        return descriptors[0]


def comparison_lines(comparison: Comparison) -> list[str]:
    """A comparison in lines for people."""
    share = float(comparison.changed.mean())
    lines = [f"changed: {share:.1%} of the pixels, by {comparison.most} of 255 at most"]
    if comparison.outside is not None:
        lines.append(f"outside of the mask: {counted(comparison.outside, 'pixel differs', 'pixels differ')}")
    for when, reading in (("before", comparison.before), ("after", comparison.after)):
        if reading is not None:
            lines += [f"{when}, {line}" for line in reading_lines(reading, most=MOST_SHAPES)]
    if comparison.moved_cm is not None:
        mean, most = comparison.moved_cm
        lines.append(f"landmarks moved: {mean:.2f} cm on average, {most:.2f} cm at most")
    if comparison.identity_distance is not None:
        lines.append(f"identity distance: {comparison.identity_distance:.3f} (0 is the same, strangers are near 1)")
    return [*lines, *([comparison.unread] if comparison.unread else [])]
