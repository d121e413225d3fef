"""One face of a table of faces: its row, its crop in the tight frame, and where its landmarks lie in that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from face_estimates import SHAPES, Array, Estimate, Estimator
from face_sources import FaceTable, Picture, by_smile
from PIL import Image

from emogan_core.faces import Crop, cut, frame_quad
from emogan_core.images import Photo, open_photo, photo_from_tensor
from emogan_core.networks.dense_landmarks import FIVE

FIVE_NAMES = ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
LIPS, CORNERS = (13, 14), (61, 291)
ORIGINAL_SHARE, ORIGINAL_LIFT = 0.62, 0.2
"""Around an original: the tight frame is that share of its side, and so far below it in eye-to-mouth distances."""
LEAST_CHROMA = 1.0
"""Mean distance of the channels from their mean, of 255: film frames of the press set have 6 and more, its grays 0."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One face of a table: its row, its crop and the landmarks in it, and the same of the part of the photo around it."""

    row: dict[str, object]
    crop: Image.Image
    landmarks: Array
    original: tuple[Image.Image, Array] | None
    shapes: dict[str, float]


def entry_of(picture: Picture, table: FaceTable, estimate: Estimator, by: str) -> Entry | None:
    """A picture's face in the tight frame; None where there is none, or the table does not want it."""
    photo = open_photo(picture.path)
    found = estimate(photo)
    coloured = chroma(photo) > LEAST_CHROMA
    if found is None or abs(found.yaw_deg) > table.most_yaw_deg or (table.colour_only and not coloured):
        return None
    five = found.landmarks[list(FIVE), :2]
    crop = Crop(quad=frame_quad(five, "tight"), landmarks=five, frame="tight")
    if crop.side_px < table.least_px:
        return None
    points = in_crop(found.landmarks, crop, table.side)
    shown = photo_from_tensor(cut(photo, crop, table.side)).pixels
    row = _row(picture, found, crop, points) | {
        "outside": round(outside(photo, crop), 3),
        "colour": "photo" if coloured else "gray",
        "mouth_open": round(_apart(points, LIPS) / _apart(points, CORNERS), 3),
        "estimated_by": by,
    }
    return Entry(row, Image.fromarray(shown), points, around(photo, found) if table.originals else None, found.shapes)


def _row(picture: Picture, found: Estimate, crop: Crop, points: Array) -> dict[str, object]:
    """The columns that every table has."""
    five = points[list(FIVE), :2].round(2)
    return {
        "file": picture.file,
        "person": picture.person,
        "expression": by_smile(found.shapes) if picture.expression is None else picture.expression,
        "source_side_px": round(crop.side_px, 1),
        "yaw_deg": round(found.yaw_deg, 1),
        "pitch_deg": round(found.pitch_deg, 1),
        "roll_deg": round(found.roll_deg, 1),
        **{f"{name}_{axis}": five[i, j] for i, name in enumerate(FIVE_NAMES) for j, axis in enumerate("xy")},
        **{name: round(found.shapes[name], 4) for name in SHAPES},
    }


def in_crop(landmarks: Array, crop: Crop, side: int) -> Array:
    """Landmarks [478, 3] of a photo in pixels of its crop; z in the same unit."""
    back = crop.from_photo(side)
    flat = landmarks[:, :2] @ back[:, :2].T + back[:, 2]
    return np.column_stack([flat, landmarks[:, 2] * side / crop.side_px])


def around(photo: Photo, found: Estimate) -> tuple[Image.Image, Array]:
    """The part of the photo from forehead to shoulders at its own resolution, as far as it goes, and the landmarks in it."""
    five = found.landmarks[list(FIVE), :2]
    quad = frame_quad(five, "tight")
    middle = quad.mean(0) - ORIGINAL_LIFT * (five[3:].mean(0) - five[:2].mean(0))
    half = np.linalg.norm(quad[1] - quad[0]) / ORIGINAL_SHARE / 2
    height, width = photo.pixels.shape[:2]
    left, top = np.maximum(0, np.round(middle - half)).astype(int)
    right, bottom = np.minimum((width, height), np.round(middle + half)).astype(int)
    return Image.fromarray(photo.eight_bit.pixels[top:bottom, left:right]), found.landmarks - [left, top, 0]


def outside(photo: Photo, crop: Crop, size: int = 64) -> float:
    """The share of a crop that lies beyond the photo's edges, where the picture is mirrored."""
    centres = (np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1) + 0.5).reshape(-1, 2)
    forward = crop.to_photo(size)
    places = centres @ forward[:, :2].T + forward[:, 2]
    height, width = photo.pixels.shape[:2]
    return float(1 - ((places >= 0) & (places <= (width, height))).all(1).mean())


def chroma(photo: Photo) -> float:
    """How coloured a photo is: 0 for grays."""
    pixels = photo.eight_bit.pixels[..., :3].astype(np.float32)
    return float(np.abs(pixels - pixels.mean(2, keepdims=True)).mean())


def _apart(points: Array, pair: tuple[int, int]) -> float:
    return float(np.linalg.norm(points[pair[0], :2] - points[pair[1], :2]))
